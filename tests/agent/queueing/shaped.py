"""A container whose packets are shaped: requests for it, and its queues as the kernel shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.protocol.qos import ClearQos, QosSettings, SetQos
from dtn_agent.queueing.abilities import queueing_abilities
from dtn_agent.queueing.qos import ContainerQos
from dtn_agent.queueing.wire import Queue, QueuedLink, Wire, open_wire

from tests.agent.engine_stand_in import ADDRESS, StandIn

NAME = "scinet.climate"
EVERYTHING: dict[str, Any] = {
    "rate": 500_000,
    "pacing": 100_000,
    "delay": 10.0,
    "jitter": 1.5,
    "loss": 0.1,
    "corrupt": 0.01,
    "reorder": 25.0,
    "ports": (8000, 443),
}


def request(site: str = "scinet", network: str = "data", address: str = ADDRESS, **settings: Any) -> SetQos:
    return SetQos(site=site, session="climate", network=network, container=NAME, address=address, **settings)


def clear(qos: ContainerQos, site: str = "scinet") -> bool:
    return qos.clear(ClearQos(site=site, container=NAME)).changed


def need(*names: str) -> None:
    """Skip, with the kernel's words, where it cannot do all of these."""
    lacks = {ability.name: ability.lacks for ability in queueing_abilities()}
    for name in names:
        if lacks[name]:
            pytest.skip(lacks[name])


def near(wire: Wire, name: str = "near") -> QueuedLink:
    link = wire.link(name)
    assert link is not None
    return link


def queues(container: StandIn, interface: str = "near") -> tuple[Queue, ...]:
    def work() -> tuple[Queue, ...]:
        with open_wire() as wire:
            return wire.queues(near(wire, interface))

    found: tuple[Queue, ...] = container.inside(work)
    return found


def kinds(container: StandIn, interface: str = "near") -> list[str]:
    return [queue.kind for queue in queues(container, interface)]


def change(container: StandIn, action: Callable[[Wire, QueuedLink], None]) -> None:
    """What somebody does to the container's interface by hand."""

    def work() -> None:
        with open_wire() as wire:
            action(wire, near(wire))

    container.inside(work)


def live(qos: ContainerQos) -> QosSettings | None:
    (entry,) = qos.held()
    return entry.now


def refusal(qos: ContainerQos, asked: SetQos) -> str:
    with pytest.raises(RefusedError) as caught:
        qos.set(asked)
    return f"{caught.value.code}: {caught.value}"
