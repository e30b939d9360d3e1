"""QoS of containers that are processes in real network namespaces: made, read back, and restored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dtn_agent.protocol import Owner
from dtn_agent.protocol.qos import HeldQos, QosSettings
from dtn_agent.queueing.qos import ContainerQos
from dtn_agent.queueing.wire import ROOT, Queue

from tests.agent.engine_stand_in import ADDRESS, ADDRESS6, FAR_ADDRESS, EngineStandIn
from tests.agent.namespace_host import needs_root
from tests.agent.queueing.shaped import EVERYTHING, NAME, change, clear, kinds, live, need, queues, refusal, request

pytestmark = [pytest.mark.lab, needs_root]


def test_rate_is_made_in_the_containers_own_namespace_and_read_back(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    before = queues(container)
    assert qos.set(request(rate=500_000)).changed
    wanted = QosSettings(rate=500_000)
    owner = Owner(site="scinet", session="climate", network="data")
    assert qos.held() == (HeldQos(container=NAME, owner=owner, address=ADDRESS, wanted=wanted, now=wanted),)
    assert kinds(container) == ["tbf"]
    assert not qos.set(request(rate=500_000)).changed
    assert clear(qos)
    assert queues(container) == before
    assert qos.held() == ()
    assert not clear(qos)


@pytest.mark.parametrize(
    ("settings", "made"),
    [
        ({"pacing": 100_000}, ["fq"]),
        ({"delay": 10.0, "jitter": 0.5}, ["netem"]),
        ({"rate": 1000, "pacing": 500}, ["tbf", "fq"]),
        ({"loss": 1.0, "ports": (8000,)}, ["prio", "netem"]),
        ({"loss": 1.0, "pacing": 500, "ports": (8000,)}, ["prio", "fq", "netem", "fq"]),
        (EVERYTHING, ["tbf", "prio", "fq", "netem", "fq"]),
        ({"pacing": 500, "destinations": ("10.9.9.1",)}, ["prio", "fq"]),
        ({**EVERYTHING, "destinations": ("10.9.8.0/24", "fd00::7")}, ["tbf", "prio", "fq", "netem", "fq"]),
        ({"rate": 400_000_000}, ["tbf"]),
    ],
)
def test_every_mixture_is_read_back_from_the_kernel_as_it_was_asked_for(
    engine: EngineStandIn, qos: ContainerQos, settings: dict[str, Any], made: list[str]
) -> None:
    need(*sorted({{"prio": "ports"}.get(kind, kind) for kind in made}))
    container = engine.run(NAME)
    qos.set(request(**settings))
    wanted = QosSettings(**{**settings, "ports": tuple(sorted(settings.get("ports", ())))})
    assert live(qos) == wanted
    assert sorted(kinds(container)) == sorted(made)
    assert clear(qos)
    assert kinds(container) == ["noqueue"]


def test_address_of_version_6_names_the_interface_too(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    if not Path("/proc/sys/net/ipv6").exists():
        pytest.skip("this kernel has no IPv6")
    engine.run(NAME)
    qos.set(request(address=ADDRESS6, rate=1000))
    assert live(qos) == QosSettings(rate=1000)


def test_change_of_mind_replaces_what_was_made(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    assert qos.set(request(rate=2000)).changed
    assert live(qos) == QosSettings(rate=2000)
    clear(qos)
    assert kinds(container) == ["noqueue"]


def test_drift_is_seen_and_mended_by_the_same_request(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    change(container, lambda wire, link: wire.remove_root(link))
    assert live(qos) is None
    assert qos.set(request(rate=1000)).changed
    assert live(qos) == QosSettings(rate=1000)


def test_queueing_that_somebody_set_up_comes_back_with_all_its_options(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    change(container, lambda wire, link: wire.replace(link, Queue("pfifo", 0, ROOT, (77).to_bytes(4, "little"))))
    (before,) = queues(container)
    qos.set(request(rate=1000))
    qos.set(request(rate=2000))
    assert [entry.found for entry in qos.held()] == ["pfifo = 4d000000"]
    clear(qos)
    (after,) = queues(container)
    assert (after.kind, after.options) == (before.kind, before.options)


def test_queueing_that_somebody_set_up_since_is_left_alone_when_ours_is_cleared(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    change(container, lambda wire, link: wire.remove_root(link))
    change(container, lambda wire, link: wire.replace(link, Queue("pfifo")))
    assert clear(qos)
    assert kinds(container) == ["pfifo"]


def test_another_network_takes_the_place_of_the_one_before(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(network="before", address=FAR_ADDRESS, rate=1000))
    assert kinds(container, "far") == ["tbf"]
    assert qos.set(request(rate=1000)).changed
    assert (kinds(container), kinds(container, "far")) == (["tbf"], ["noqueue"])
    assert [entry.owner.network for entry in qos.held()] == ["data"]
    assert not qos.set(request(rate=1000)).changed


def test_network_that_is_called_otherwise_keeps_what_somebody_had_set_up(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    change(container, lambda wire, link: wire.replace(link, Queue("pfifo", 0, ROOT, (77).to_bytes(4, "little"))))
    qos.set(request(network="before", rate=1000))
    qos.set(request(rate=2000))
    assert live(qos) == QosSettings(rate=2000)
    clear(qos)
    assert kinds(container) == ["pfifo"]


def test_container_without_the_network_before_is_shaped_on_the_new_one_alone(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    engine.run(NAME).stop()
    qos.set(request(network="before", address="10.1.1.1", rate=1000))
    assert qos.set(request(rate=1000)).changed, "it does not run"
    assert [entry.owner.network for entry in qos.held()] == ["data"]
    qos.set(request(network="third", address="10.1.1.1", rate=1000))
    engine.start(NAME)
    qos.set(request(rate=1000))
    assert live(qos) == QosSettings(rate=1000)


def test_refused_change_of_the_network_leaves_the_one_before(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(network="before", address=FAR_ADDRESS, rate=1000))
    assert "has no interface with 10.9.9.9" in refusal(qos, request(rate=1000, address="10.9.9.9"))
    assert kinds(container, "far") == ["tbf"]
    assert [entry.owner.network for entry in qos.held()] == ["before"]


def test_what_another_site_asked_for_on_another_network_stays(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(site="other", network="before", address=FAR_ADDRESS, rate=1000))
    qos.set(request(rate=1000))
    assert (kinds(container), kinds(container, "far")) == (["tbf"], ["tbf"])
