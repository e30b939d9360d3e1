"""What is to be done about each declared path, or why nothing is: by its state, what uses it, and what does not answer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dtnctl.model.path_rows import PromisedBandwidth
from dtnctl.model.paths import GONE, PathProviderSeen, PathSeen, PathSpec
from dtnctl.model.plan import Cause, FieldChange
from dtnctl.model.resources import ContainerSeen, EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.choices.holdings import ACTIVE_STATES
from dtnctl.planning.paths.bandwidth import promised_bandwidth
from dtnctl.planning.paths.differences import path_differences, rate_text
from dtnctl.planning.paths.steps import Verb, making, modifying, releasing
from dtnctl.planning.paths.wanted import DeclaredPath, declared_paths
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.scope import Scope
from dtnctl.planning.step_ids import path_id

NOT_ASKED = "it was not asked"
PROPOSED = 3  # free VLANs that a refusal names, the nearest ones
Freeze = Callable[[str], Refusal | None]


@dataclass(frozen=True, slots=True)
class StudiedPath:
    """One declared path. `spec` is None where its VLAN is not known; `seen` is it at its provider.

    `refusal` is why it is not what it should be and nothing is done about it in this plan; `is_blocked`: that is for a person to solve,
    and not because it is over, unknown or left out. `verbs` are what is done. `differences` are of what was seen.
    """

    path: DeclaredPath
    spec: PathSpec | None
    seen: PathSeen | None
    verbs: tuple[Verb, ...] = ()
    refusal: Refusal | None = None
    is_blocked: bool = False
    differences: tuple[FieldChange, ...] = ()

    @property
    def last_step(self) -> tuple[str, ...]:
        """The step after which it carries packets; nothing if it does already."""
        if self.refusal is not None or not self.verbs:
            return ()
        return (path_id(self.path.provider, "wait-active", self.path.name),)


@dataclass(frozen=True, slots=True)
class PathView:
    """What paths are judged by. `needed` are those that services of this run want; `freeze` says whether an endpoint is frozen."""

    site: Site
    snapshot: Snapshot
    scope: Scope
    now: datetime
    needed: Collection[str]
    freeze: Freeze

    def provider(self, name: str) -> PathProviderSeen:
        return self.snapshot.paths.get(name, PathProviderSeen(name, silence=NOT_ASKED))

    def endpoint(self, name: str) -> EndpointSeen:
        return self.snapshot.endpoints.get(name, EndpointSeen(name, silence=NOT_ASKED))

    def is_worked_on(self, path: str, endpoints: tuple[str, ...]) -> bool:
        """Whether this run may touch the path: it is named, or a service of the run needs it, and it is not left out at any end."""
        if any(self.scope.excluded("path", path, name) for name in endpoints):
            return False
        return path in self.needed or self.covers(path, endpoints)

    def covers(self, path: str, endpoints: tuple[str, ...]) -> bool:
        return all(self.scope.covers("path", path, name) for name in endpoints or ("",))


def study_paths(view: PathView) -> Mapping[str, StudiedPath]:
    """By name, every declared path whose window is not over."""
    paths = declared_paths(view.site)
    promised = promised_bandwidth(paths, view.snapshot)
    return {name: _with_rails(view, _studied(view, path), promised) for name, path in paths.items()}


def _studied(view: PathView, path: DeclaredPath) -> StudiedPath:
    vlan = path.document.value.only_vlan
    spec = path.spec(vlan) if vlan is not None else None
    found = StudiedPath(path, spec, view.provider(path.provider).named(path.name) if path.row.is_asked else None)
    if path.is_over(view.now):
        return replace(found, refusal=_refusal(path, "E0545", "its window is over", "window", "a later `until`"))
    if not path.row.is_asked:
        return found
    if silent := next(_silent(view, path), ""):
        text = f"what there is of it is unknown: {silent}"
        return replace(found, refusal=_refusal(path, "E0540", text, "provider", "apply again once it answers"))
    if spec is None:
        low, high = path.document.value.vlan
        refusal = _refusal(path, "E0541", f"no VLAN of {low}-{high} is free for it", "vlan", "a wider range")
        return replace(found, refusal=refusal, is_blocked=True)
    if found.seen is None or found.seen.state in GONE:
        if (not_granted := _not_offered(view, path, spec)) is not None:
            return replace(found, refusal=not_granted, is_blocked=True)
        return replace(found, verbs=making(path.row, None))
    return _compared(view, found, spec, found.seen)


def _not_offered(view: PathView, path: DeclaredPath, spec: PathSpec) -> Refusal | None:
    """Why its provider would not grant its VLAN, with those that it would; what it says holds for paths without an end."""
    offered = view.provider(path.provider).free_vlans
    taken_at = [end for end in spec.ends if end in offered and spec.vlan not in offered[end]]
    if not taken_at or path.document.value.window is not None:
        return None
    free = frozenset.intersection(*(offered[end] for end in spec.ends if end in offered))
    text = f"{path.provider} would not grant it: VLAN {spec.vlan} is not free at {' and '.join(taken_at)}"
    nearest = sorted(free, key=lambda vlan: (abs(vlan - spec.vlan), vlan))[:PROPOSED]
    proposed = ", ".join(map(str, sorted(nearest)))
    fix = f"a VLAN that is free at all ends, such as {proposed}" if free else "another port: no VLAN is free at all ends"
    if names := _leaving(view, spec, frozenset(taken_at)):
        fix = f"apply again after the release of {' and '.join(names)}, or {fix}"
        text = f"{text}: taken by {' and '.join(names)} of this site until that is released"
    return _refusal(path, "E0541", text, "vlan", fix)


def _leaving(view: PathView, spec: PathSpec, taken_at: frozenset[str]) -> list[str]:
    """Paths of ours that have its VLAN at all these ports, and that no file wants any more: once they are released it is free."""
    wanted = {item.name for item in declared_paths(view.site).values() if item.provider == spec.provider and not item.is_over(view.now)}
    there = [item for item in view.provider(spec.provider).paths if item.state not in GONE and item.spec.vlan == spec.vlan]
    found = [item.spec for item in there if item.spec.name not in wanted and not taken_at.isdisjoint(item.spec.ends)]
    return sorted({f"path {item.name}" for item in found}) if taken_at <= {end for item in found for end in item.ends} else []


def _silent(view: PathView, path: DeclaredPath) -> Iterator[str]:
    """What must answer before anything is done: where it is asked for, and where it may be used."""
    provider = view.provider(path.provider)
    if provider.silence:
        yield f"path provider {path.provider} does not answer ({provider.silence})"
    yield from (f"{name} does not answer" for name in path.endpoints if view.endpoint(name).is_silent)


def _compared(view: PathView, found: StudiedPath, spec: PathSpec, seen: PathSeen) -> StudiedPath:
    """One that is at its provider: it goes on from there, is changed in place, or has to be replaced."""
    path, row = found.path, found.path.row
    differences = path_differences(path, spec, seen.spec)
    found = replace(found, differences=differences)
    if seen.state not in ("failed", "releasing"):
        if not differences:
            return replace(found, verbs=making(row, seen.state))
        states = ("active", "reserved") if row.modifies_reserved else ("active",)
        if not any(item.forces_replace for item in differences) and seen.state in states:
            return replace(found, verbs=modifying(row, seen.state))
    found = replace(found, verbs=(*releasing(row, seen.state), *making(row, None)))
    users = users_of(view.site, view.snapshot, seen.spec)
    if not users:
        return found
    if differences and seen.state != "failed":
        what = f"{', '.join(item.field for item in differences)} would change"
    else:
        what = f"it is {seen.state} ({seen.words})"
    text = f"{what}, and it cannot be released while {users[0]} is on it"
    field = differences[0].cause.field if differences else "provider"
    held = _refusal(path, "E0543", text, field, "`state: stopped` in that session first, then apply")
    return replace(found, refusal=held, is_blocked=True)


def _with_rails(view: PathView, found: StudiedPath, promised: tuple[PromisedBandwidth, ...]) -> StudiedPath:
    """The same, held back where something of it would change and that is not allowed now."""
    if found.refusal is not None or not found.verbs:
        return found
    path = found.path
    if not view.is_worked_on(path.name, path.endpoints):
        return replace(found, refusal=_refusal(path, "E0544", "it is not active, and this run leaves it alone", "provider", "include it"))
    too_much = next((row for row in promised if row.is_too_much and (row.endpoint, row.interface) in path.interfaces.items()), None)
    if too_much is not None and view.site.settings.value.limits.path_bandwidth == "block":
        text = overcommitment_text(too_much)
        held = _refusal(path, "E0542", text, "bandwidth", "less, or `limits: {path_bandwidth: warn}`")
        return replace(found, refusal=held, is_blocked=True)
    frozen = next((refusal for name in path.endpoints if (refusal := view.freeze(name)) is not None), None)
    return replace(found, refusal=frozen, is_blocked=frozen is not None)


def overcommitment_text(row: PromisedBandwidth) -> str:
    """`paths are promised 120000mbit on ens1f0 of dtn1, which has 100000mbit`."""
    after, total = rate_text(row.usage.after), rate_text(row.usage.total)
    return f"paths are promised {after} on {row.interface} of {row.endpoint}, which has {total}"


def _refusal(path: DeclaredPath, code: str, text: str, field: str, fix: str) -> Refusal:
    document = path.document
    return Refusal(code, Cause(f"path {path.name}: {text}", document.file, document.mark((field,)).line, field), fix)


# --- who uses a path ----------------------------------------------------------------------------------------


def users_of(site: Site, snapshot: Snapshot, there: PathSpec) -> tuple[str, ...]:
    """Containers of ours that run on the path's networks, as `session s on dtn1`."""
    found = (
        f"session {item.owner} on {name}"
        for name in there.endpoints
        if name in snapshot.endpoints
        for item in snapshot.endpoints[name].containers
        if _is_on(item, networks_over(site, snapshot.endpoints[name], there))
    )
    return tuple(sorted(set(found)))


def _is_on(container: ContainerSeen, networks: frozenset[str]) -> bool:
    return container.kind == "service" and container.state in ACTIVE_STATES and not networks.isdisjoint(container.networks)


def networks_over(site: Site, seen: EndpointSeen, there: PathSpec) -> frozenset[str]:
    """Networks on an endpoint that go over the path: those that name it, and those that have its VLAN."""
    named = {name for name, item in site.networks.items() if item.value.path == there.name}
    tagged = {item.name for item in seen.networks if item.spec.parent.endswith(f".{there.vlan}")}
    held = seen.host.held.vfs if seen.host is not None else ()
    functions = {item.owner.network for item in held if item.owner.site == site.name and item.wanted.vlan == there.vlan}
    return frozenset(named | tagged | functions)
