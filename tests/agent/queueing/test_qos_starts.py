"""QoS is made again at each start of a container, whoever starts it."""

from __future__ import annotations

import io
import threading
from typing import Self

import pytest
from dtn_agent.audit import Audit
from dtn_agent.log import Lines
from dtn_agent.protocol.qos import QosSettings
from dtn_agent.queueing.qos import ContainerQos

from tests.agent.engine_stand_in import EngineStandIn, StandIn
from tests.agent.namespace_host import needs_root
from tests.agent.queueing.shaped import NAME, change, kinds, live, need, request
from tests.agent.server.serving import unasked

pytestmark = [pytest.mark.lab, needs_root]


def test_container_that_does_not_run_is_shaped_when_it_starts(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    engine.run(NAME).stop()
    assert qos.set(request(rate=1000)).changed
    assert not qos.set(request(rate=1000)).changed
    assert live(qos) is None
    engine.start(NAME)
    qos.shape_all()
    assert live(qos) == QosSettings(rate=1000)


class Watching:
    """The watch in a thread of its own, until the block ends."""

    def __init__(self, qos: ContainerQos, engine: EngineStandIn) -> None:
        self.qos, self.engine = qos, engine
        self.stop = threading.Event()
        self.thread = threading.Thread(target=qos.watch, args=(self.stop,))

    def __enter__(self) -> Self:
        self.thread.start()
        self.await_subscription()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive()

    def await_subscription(self) -> None:
        assert self.engine.subscribed.acquire(timeout=60)

    def await_shape(self, container: StandIn, shape: list[str]) -> None:
        """The kernel tells of nothing here that could be awaited: asked again until it is so, for a minute at most."""
        pause = threading.Event()
        for _ in range(3000):
            if kinds(container) == shape:
                return
            pause.wait(0.02)
        assert kinds(container) == shape


def test_restarted_container_is_shaped_again(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    with Watching(qos, engine) as watching:
        container.stop()
        engine.start(NAME)
        watching.await_shape(container, ["tbf"])


def test_what_is_shaped_again_unasked_has_its_line_and_a_refusal_that_repeats_itself_one(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    output = io.StringIO()
    qos.audit = Audit(Lines(output), "agent")
    qos.shape_all()
    assert unasked(output) == []
    container.stop()
    container.start()
    qos.shape_all()
    assert unasked(output) == [("set-qos", NAME, "done")]
    container.stop()
    container.network = "host"
    container.start()
    for _ in range(2):
        qos.shape_all()
    assert unasked(output)[1:] == [("set-qos", NAME, "unsupported")]


def test_container_that_gets_its_network_later_is_shaped_then(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    with Watching(qos, engine) as watching:
        change(container, lambda wire, link: wire.remove_root(link))
        about = {"ID": "id-of-the-network", "Attributes": {"container": f"id-{NAME}", "name": "data"}}
        engine.tell({"Type": "network", "Action": "connect", "Actor": about})
        watching.await_shape(container, ["tbf"])


def test_watch_comes_back_with_the_engine_and_makes_up_for_what_it_missed(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    with Watching(qos, engine) as watching:
        engine.switch_off()
        container.stop()
        container.start()
        engine.switch_on()
        watching.await_subscription()
        watching.await_shape(container, ["tbf"])


def test_watch_ends_while_the_engine_is_away(engine: EngineStandIn, qos: ContainerQos) -> None:
    with Watching(qos, engine):
        engine.switch_off()
