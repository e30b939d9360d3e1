"""What is refused of a container's QoS, with the reason, and leaves everything as it is."""

from __future__ import annotations

from typing import Any

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.protocol.qos import QosSettings
from dtn_agent.queueing.abilities import queueing_abilities
from dtn_agent.queueing.qos import ContainerQos
from dtn_agent.queueing.wire import ROOT, Queue

from tests.agent.engine_stand_in import EngineStandIn
from tests.agent.namespace_host import needs_root
from tests.agent.queueing.shaped import EVERYTHING, NAME, change, clear, kinds, live, need, refusal, request

pytestmark = [pytest.mark.lab, needs_root]


def test_container_on_the_hosts_network_is_refused(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME, network="host")
    assert refusal(qos, request(rate=1000)) == (
        f"unsupported: {NAME} is on the host's network: QoS would shape everything that the host sends"
    )
    container.network = "data"  # an engine that does not say so
    assert refusal(qos, request(rate=1000)) == (f"unsupported: {NAME} is in the host's network namespace: QoS would shape everything there")
    assert qos.held() == ()


def test_container_that_shares_anothers_network_is_refused(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    engine.run(NAME, network="container:0123")
    assert refusal(qos, request(rate=1000)) == (
        f"unsupported: {NAME} shares the network of another container: QoS would shape that one too"
    )


def test_container_without_the_address_is_refused_and_not_remembered(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    engine.run(NAME)
    assert refusal(qos, request(rate=1000, address="10.9.9.9")) == f"not-found: {NAME} has no interface with 10.9.9.9"
    assert qos.held() == ()


def test_container_that_is_not_there_is_refused(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    assert refusal(qos, request(rate=1000)) == f"not-found: there is no container {NAME}"


def test_engine_that_does_not_answer_is_told_and_changes_nothing(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    qos.set(request(rate=1000))
    engine.switch_off()
    assert refusal(qos, request(rate=2000)).startswith(f"failed: the container engine does not answer at {engine.socket}: ")
    assert live(qos) is None
    with pytest.raises(RefusedError):
        clear(qos)
    assert [entry.wanted for entry in qos.held()] == [QosSettings(rate=1000)]
    assert kinds(container) == ["tbf"]


def test_another_sites_qos_is_left_alone(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    engine.run(NAME)
    qos.set(request(site="other", rate=1000))
    assert refusal(qos, request(rate=2000)) == f"conflict: the QoS of {NAME} belongs to site other"
    with pytest.raises(RefusedError, match="belongs to site other"):
        clear(qos)
    assert live(qos) == QosSettings(rate=1000)


def test_queueing_that_could_not_be_put_back_is_not_touched(engine: EngineStandIn, qos: ContainerQos) -> None:
    need("tbf")
    container = engine.run(NAME)
    version_3 = bytes.fromhex("180002000300000000000000000000000000000000000000")
    try:
        change(container, lambda wire, link: wire.replace(link, Queue("htb", 0x10_0000, ROOT, version_3)))
    except OSError as error:
        pytest.skip(f"htb: {error.strerror}")
    assert "could not be restored" in refusal(qos, request(rate=1000))
    assert qos.held() == ()
    assert kinds(container) == ["htb"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "nothing to do to packets: give a rate, a pace, a delay or a loss"),
        ({"loss": 0.0}, "nothing to do to packets: give a rate, a pace, a delay or a loss"),
        ({"jitter": 1.0}, "jitter and reordering need a delay"),
        ({"reorder": 1.0, "loss": 1.0}, "jitter and reordering need a delay"),
        ({"rate": 1, "destinations": ("10.2.0.7",)}, "destinations limit pacing, delay, loss and the like, and none is asked for"),
        ({"loss": 1.0, "destinations": ("::/0",)}, "::/0 matches every address; omit it, or name networks"),
        ({"loss": 1.0, "destinations": ("10.2.0.7/24",)}, "10.2.0.7/24 has host bits set"),
        ({"rate": 1, "ports": (80,)}, "ports limit delay, loss, corruption and reordering, and none is asked for"),
        ({"pacing": 34_359_739}, "fq paces a flow to at most 34359738 kbit/s"),
    ],
)
def test_request_that_makes_no_sense_is_refused(qos: ContainerQos, settings: dict[str, Any], sentence: str) -> None:
    assert refusal(qos, request(**settings)) == f"bad-request: {NAME}: {sentence}"


def test_what_this_kernel_lacks_is_named_before_anything_is_changed(engine: EngineStandIn, qos: ContainerQos) -> None:
    lacks = [ability.lacks for ability in queueing_abilities() if ability.lacks]
    if not lacks:
        pytest.skip("this kernel has everything")
    container = engine.run(NAME)
    words = refusal(qos, request(**EVERYTHING))
    assert words.startswith("unsupported: ")
    assert all(lack in words for lack in lacks)
    assert (qos.held(), kinds(container)) == ((), ["noqueue"])
