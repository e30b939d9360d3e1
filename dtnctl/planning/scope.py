"""What a person asked to look at, as patterns, and what there is to name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from dtnctl.model.kinds import KIND_OF_LABEL, PLAN_KINDS
from dtnctl.model.nearest import suggestion
from dtnctl.model.resources import Snapshot, ledger_name
from dtnctl.model.site import Site
from dtnctl.values import dataclass

SUGGESTED = frozenset(kind for kind, row in PLAN_KINDS.items() if row.is_suggested)


@dataclass(frozen=True, slots=True)
class Scope:
    """Patterns are NAME or KIND/NAME (a kind of the plan, or `endpoint`), `*` matches.

    `prune` None: the site's limit. `destroy`: everything that is ours goes, declared or not.
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    prune: int | str | None = None
    destroy: bool = False

    def covers(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether the object is meant: named by a target (or there is none), and not excluded."""
        return (not self.targets or self._names(self.targets, kind, name, endpoint)) and not self.excluded(kind, name, endpoint)

    def excluded(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether it is to be left as it is, whatever else is to be done."""
        return self._names(self.excludes, kind, name, endpoint)

    def asks_for(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether a target names it; without targets nothing is named."""
        return bool(self.targets) and self.covers(kind, name, endpoint)

    def replaces(self, session: str, endpoint: str) -> bool:
        """Whether a new container is wanted although the old one may be fine."""
        return self._names(self.replace, "session", session, endpoint)

    def unmatched(self, objects: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
        """Patterns that name none of these (kind, name, endpoint): mistyped, most likely."""
        known = tuple(objects)
        sessions = tuple(item for item in known if item[0] == "session")
        wanted = [(pattern, known) for pattern in (*self.targets, *self.excludes)] + [(pattern, sessions) for pattern in self.replace]
        return tuple(pattern for pattern, among in wanted if not any(_matches(pattern, *item) for item in among))

    def mistyped(self, objects: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
        """A line for each pattern that names none of these, with the nearest name that people know."""
        known = tuple(item for item in objects if item[0] in SUGGESTED)
        sessions = tuple(item for item in known if item[0] == "session")
        return tuple(
            f"nothing is named {pattern}; try {_meant(pattern, sessions if pattern in self.replace else known)}"
            for pattern in self.unmatched(objects)
        )

    @staticmethod
    def _names(patterns: tuple[str, ...], kind: str, name: str, endpoint: str) -> bool:
        return any(_matches(pattern, kind, name, endpoint) for pattern in patterns)


def _meant(pattern: str, known: tuple[tuple[str, str, str], ...]) -> str:
    """The nearest name, in the form that was typed: with a kind or without."""
    endpoints = {f"endpoint/{endpoint}" for _, _, endpoint in known if endpoint}
    if f"endpoint/{pattern}" in endpoints:
        return f"`endpoint/{pattern}`"
    names = {f"{kind}/{name}" for kind, name, _ in known} | endpoints if "/" in pattern else {name for _, name, _ in known}
    return suggestion(pattern, names, "`dtnctl status`, which shows all names")


def _matches(pattern: str, kind: str, name: str, endpoint: str) -> bool:
    pattern_kind, slash, pattern_name = pattern.rpartition("/")
    if pattern_kind == "endpoint":
        return fnmatchcase(endpoint, pattern_name)
    return fnmatchcase(name, pattern_name) and (not slash or pattern_kind == kind)


# --- what there is to name ----------------------------------------------------------------------------------


def nameable_objects(site: Site, snapshot: Snapshot) -> frozenset[tuple[str, str, str]]:
    """Every (kind, name, endpoint) that a pattern can mean: what the state files name, and what is on the endpoints."""
    return frozenset((*_declared(site), *_seen(site, snapshot)))


def _declared(site: Site) -> Iterator[tuple[str, str, str]]:
    """What the state files name, as (kind, name, endpoint), also where it is not yet."""
    for kind, row in PLAN_KINDS.items():
        names = getattr(site, row.folder) if row.folder else ()
        yield from ((kind, name, endpoint) for name in names for endpoint in (*site.endpoints, ""))
    for endpoint, document in site.endpoints.items():
        interfaces = document.value.interfaces
        yield from (("vfs", interface, endpoint) for interface in (*document.value.vfs, *interfaces.values()))
        vlans = {network: found.value.vlan for network, found in site.networks.items() if found.value.vlan is not None}
        yield from (("vlan", f"{interfaces[network]}.{vlan}", endpoint) for network, vlan in vlans.items() if network in interfaces)
        if document.value.agent is not None:
            yield ("tuning", endpoint, endpoint)


def _seen(site: Site, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """What is on the endpoints, also what nothing declares any more."""
    for endpoint, seen in snapshot.endpoints.items():
        yield from ((KIND_OF_LABEL[item.kind], item.owner, endpoint) for item in seen.containers if item.kind in KIND_OF_LABEL)
        yield from (("network", item.name, endpoint) for item in seen.networks)
        yield ("ledger", ledger_name(site.name), endpoint)
        if seen.host is not None:
            yield from (("vfs", item.pf, endpoint) for item in seen.host.held.pfs if item.site == site.name)
            yield from (("vlan", item.name, endpoint) for item in seen.host.held.vlans if item.site == site.name)
            owners = [item.owner for item in seen.host.held.vfs] + [item.owner for item in seen.host.held.qos]
            yield from (("session", owner.session, endpoint) for owner in owners if owner.site == site.name)
