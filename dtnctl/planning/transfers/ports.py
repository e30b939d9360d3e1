"""Chooses the ports on which the server of an attempt listens, from the data ports of the destination's service. Pure.

A server that is there keeps its ports; else they are the highest free ones in a row, since the service's own GridFTP server begins at the
lowest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dtnctl.model.actions import StartTransfer
from dtnctl.model.ownership import generation_and_attempt, server_ports
from dtnctl.model.plan import Step
from dtnctl.model.resources import EndpointSeen
from dtnctl.planning.resolve import Service


class PromisedPorts:
    """The ports that servers of attempts get by the steps of a plan in the making, which only grows; each step is looked at once."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._looked_at = 0
        self._by_endpoint: dict[str, set[int]] = {}

    def at(self, endpoint: str) -> Collection[int]:
        """Those on an endpoint."""
        for step in self._steps[self._looked_at :]:
            if isinstance(step.action, StartTransfer) and (listens := step.action.destination.listens):
                self._by_endpoint.setdefault(step.action.destination.endpoint, set()).update(listens)
        self._looked_at = len(self._steps)
        return self._by_endpoint.get(endpoint, set())


def choose_ports(
    service: Service, seen: EndpointSeen | None, attempt: tuple[str, int, int], promised: Collection[int], count: int
) -> tuple[int, ...] | None:
    """The ports for the server of an attempt (transfer, generation, number); None if that number of them in a row is not free.

    `seen` is the destination's endpoint, None if it does not answer. `promised` are ports that others get by this plan.
    """
    taken = set(promised)
    for container in seen.containers if seen is not None else ():
        if container.kind == "server":
            ports = server_ports(container.labels)
            if (container.owner, *(generation_and_attempt(container.labels, container.name) or ())) == attempt and _may_keep(
                ports, count, taken
            ):
                return ports
            taken |= {*ports}
    assert service.profile.data_port_range is not None, "validate asks for data ports where a tool has a server"
    low, high = service.profile.data_port_range
    rows = (tuple(range(first, first + count)) for first in range(high - count + 1, low - 1, -1))
    return next((row for row in rows if taken.isdisjoint(row)), None)


def _may_keep(ports: Collection[int], count: int, taken: set[int]) -> bool:
    return len(ports) == count and taken.isdisjoint(ports)
