"""Makes a map of networks small enough to look at: what is alike becomes one, and says how many it is.

Endpoints stay apart as long as there are few. Then those become one that are in the same networks by the same interfaces, then those
in the same networks, and what is still too many is counted in the last row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from dtnctl.model.network_map import Crossing, EndpointPlace, NetworkMap, NetworkPlace, PathPlace, SessionPlace
from dtnctl.model.report import SessionState

MOST_ROWS, MOST_NETWORKS, MOST_GROUPS = 32, 8, 16
Signature = Callable[[EndpointPlace], Hashable]


@dataclass(frozen=True, slots=True)
class Links:
    """How the endpoints of a row are in a network. `interface` is empty and `speed` None where theirs differ.

    `down`, `missing` and `unknown` count those of the `count` endpoints whose interface is so.
    """

    network: str
    interface: str
    speed: int | None
    count: int
    down: int
    missing: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Row:
    """One or more endpoints. `unknown` and `agents` are the reasons of those that do not answer, and of those whose agent does not.

    `links` has one for each network. `sessions` counts those with a service on any of them.
    """

    names: tuple[str, ...]
    unknown: tuple[str, ...]
    agents: tuple[str, ...]
    links: tuple[Links, ...]
    sessions: int
    is_rest: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """One or more sessions in the same state on the same rows and networks. `rows` are numbers of rows."""

    names: tuple[str, ...]
    state: SessionState
    rows: tuple[int, ...]
    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """What is drawn. `more_networks` and `more_sessions` have no place in the picture and are only counted."""

    rows: tuple[Row, ...]
    networks: tuple[NetworkPlace, ...]
    paths: tuple[PathPlace, ...]
    groups: tuple[Group, ...]
    more_networks: int = 0
    more_paths: int = 0
    more_sessions: int = 0

    def row_of(self, endpoint: str) -> int:
        """Where the endpoint is."""
        return next(index for index, row in enumerate(self.rows) if endpoint in row.names)


def folded(whole: NetworkMap) -> Folded:
    """The map with at most `MOST_ROWS` rows, `MOST_NETWORKS` networks and as many paths, and `MOST_GROUPS` groups of sessions."""
    rows = _rows(whole)
    row_of = {name: index for index, row in enumerate(rows) for name in row.names}
    networks = _most_used(whole)
    groups = _groups(whole, row_of)
    shown = groups if len(groups) <= MOST_GROUPS else groups[: MOST_GROUPS - 1]
    return Folded(
        rows,
        networks,
        whole.paths[:MOST_NETWORKS],
        tuple(shown),
        more_networks=len(whole.networks) - len(networks),
        more_paths=max(0, len(whole.paths) - MOST_NETWORKS),
        more_sessions=len(whole.sessions) - sum(len(group.names) for group in shown),
    )


# --- endpoints ------------------------------------------------------------------------------------------------------


def _rows(whole: NetworkMap) -> tuple[Row, ...]:
    crossings: dict[str, list[Crossing]] = {}
    for crossing in whole.crossings:
        crossings.setdefault(crossing.endpoint, []).append(crossing)
    ends = {name: tuple(path.name for path in whole.paths if name in path.endpoints) for name in crossings} if whole.paths else {}

    def by_interfaces(place: EndpointPlace) -> Hashable:
        alike = tuple((item.network, item.interface, item.speed, item.is_up, item.is_missing) for item in crossings.get(place.name, ()))
        return place.unknown, place.agent_silence, alike, ends.get(place.name, ())

    def by_networks(place: EndpointPlace) -> Hashable:
        return bool(place.unknown), tuple(item.network for item in crossings.get(place.name, ()))

    parts: list[list[EndpointPlace]] = []
    signatures: tuple[Signature, ...] = (lambda place: place.name, by_interfaces, by_networks)
    for signature in signatures:
        parts = _parts(whole.endpoints, signature)
        if len(parts) <= MOST_ROWS:
            return tuple(_row(part, crossings, whole.sessions) for part in parts)
    parts.sort(key=lambda part: (-len(part), part[0].name))
    rest = [place for part in parts[MOST_ROWS - 1 :] for place in part]
    return (
        *(_row(part, crossings, whole.sessions) for part in parts[: MOST_ROWS - 1]),
        _row(rest, crossings, whole.sessions, is_rest=True),
    )


def _parts(places: Sequence[EndpointPlace], signature: Signature) -> list[list[EndpointPlace]]:
    """Those with the same signature together, in the order of the first of each."""
    parts: dict[Hashable, list[EndpointPlace]] = {}
    for place in places:
        parts.setdefault(signature(place), []).append(place)
    return list(parts.values())


def _row(
    part: Sequence[EndpointPlace], crossings: dict[str, list[Crossing]], sessions: Sequence[SessionPlace], *, is_rest: bool = False
) -> Row:
    names = tuple(place.name for place in part)
    by_network: dict[str, list[Crossing]] = {}
    for name in names:
        for crossing in crossings.get(name, ()):
            by_network.setdefault(crossing.network, []).append(crossing)
    known = set(names)
    return Row(
        names,
        tuple(place.unknown for place in part if place.unknown),
        tuple(place.agent_silence for place in part if place.agent_silence),
        tuple(_links(network, found) for network, found in sorted(by_network.items())),
        sum(not known.isdisjoint(session.endpoints) for session in sessions),
        is_rest,
    )


def _links(network: str, found: Sequence[Crossing]) -> Links:
    """What all of them share, and how many have no working link. A network that the host makes itself has no interface to know."""
    interfaces, speeds = {item.interface for item in found}, {item.speed for item in found}
    return Links(
        network,
        found[0].interface if len(interfaces) == 1 else "",
        found[0].speed if len(speeds) == 1 else None,
        len(found),
        down=sum(item.is_up is False for item in found),
        missing=sum(item.is_missing for item in found),
        unknown=sum(item.is_up is None and not item.is_missing and item.interface != "" for item in found),
    )


# --- networks and sessions ------------------------------------------------------------------------------------------


def _most_used(whole: NetworkMap) -> tuple[NetworkPlace, ...]:
    """All, or those that most endpoints are in; in their order."""
    if len(whole.networks) <= MOST_NETWORKS:
        return whole.networks
    used = Counter(item.network for item in whole.crossings)
    ranked = sorted(whole.networks, key=lambda item: (-used[item.name], item.name))
    kept = {item.name for item in ranked[:MOST_NETWORKS]}
    return tuple(item for item in whole.networks if item.name in kept)


def _groups(whole: NetworkMap, row_of: dict[str, int]) -> list[Group]:
    """The largest first; of equal ones in name order."""
    names: dict[tuple[SessionState, tuple[int, ...], tuple[str, ...]], list[str]] = {}
    for session in whole.sessions:
        rows = tuple(sorted({row_of[name] for name in session.endpoints if name in row_of}))
        names.setdefault((session.state, rows, session.networks), []).append(session.name)
    groups = [Group(tuple(found), *key) for key, found in names.items()]
    return sorted(groups, key=lambda group: (-len(group.names), group.names)) if len(groups) > MOST_GROUPS else groups
