"""In what kinds of container engines differ, as far as a plan depends on it: a row each. A plan asks the row, never a kind by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backend:
    """`name` is how people know it.

    `updates`: fields of a container that it changes while that runs. `never_lifts`: those limits among them that it can set and change so,
    but not lift. `routed`: which of several networks carries a container's default route, by their names; `routed_rule` says it in words.
    `own_interfaces`: the interfaces of the host that it makes for the networks with these ids.
    `remove_volume`: the command that removes a volume, for a name.
    """

    name: str
    updates: frozenset[str]
    never_lifts: frozenset[str]
    routed: Callable[[Iterable[str]], str]
    routed_rule: str
    own_interfaces: Callable[[Iterable[str]], frozenset[str]]
    remove_volume: str


def _first_by_name(networks: Iterable[str]) -> str:
    """libnetwork orders the networks of a container by name; seen on 20.10. Empty for none."""
    return min(networks, default="")


def _bridges(network_ids: Iterable[str]) -> frozenset[str]:
    return frozenset({"docker0", *(f"br-{network_id[:12]}" for network_id in network_ids)})


DOCKER = Backend(
    name="Docker",
    updates=frozenset({"memory", "cpus", "cpu_set", "memory_nodes", "restart"}),
    never_lifts=frozenset({"memory", "cpus", "cpu_set", "memory_nodes"}),  # an update takes 0 and "" as "leave alone"
    routed=_first_by_name,
    routed_rule="takes the first network by name",
    own_interfaces=_bridges,
    remove_volume="docker volume rm",
)
