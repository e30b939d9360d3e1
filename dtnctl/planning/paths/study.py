"""What is to be done about each declared path, or why nothing is: by its state, what uses it, and what does not answer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dtnctl.model.path_rows import PromisedBandwidth
from dtnctl.model.paths import GONE, PathProviderSeen, PathSeen, PathSpec, PathState
from dtnctl.model.plan import Cause, FieldChange
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.choices.holdings import ACTIVE_STATES
from dtnctl.planning.paths.bandwidth import promised_bandwidth
from dtnctl.planning.paths.differences import path_differences, rate_text
from dtnctl.planning.paths.handover import Holder, Stuck, as_holder, holders_of
from dtnctl.planning.paths.steps import Verb, making, modifying, releasing, reserving
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
    `after` are paths of ours that have its VLAN until they are released. `opens`: its window has not begun, so that it is only reserved.
    """

    path: DeclaredPath
    spec: PathSpec | None
    seen: PathSeen | None
    verbs: tuple[Verb, ...] = ()
    refusal: Refusal | None = None
    is_blocked: bool = False
    differences: tuple[FieldChange, ...] = ()
    after: tuple[Holder, ...] = ()
    opens: Refusal | None = None

    @property
    def obstacle(self) -> Refusal | None:
        """Why no network can be made over it in this plan; None if one can."""
        return self.refusal or self.opens

    @property
    def request_step(self) -> str:
        """The step that asks for it, in a plan that does."""
        return path_id(self.path.provider, "request", self.path.name)

    @property
    def last_step(self) -> tuple[str, ...]:
        """The step after which it carries packets; nothing if it does already."""
        if self.obstacle is not None or not self.verbs:
            return ()
        return (path_id(self.path.provider, "wait-active", self.path.name),)


@dataclass(frozen=True, slots=True)
class PathView:
    """What paths are judged by. `needed` are those that services of this run want; `freeze` says whether an endpoint is frozen.

    `stuck`: by step that asks for a path, why its VLAN is not free by then, as an earlier draft of this plan showed.
    """

    site: Site
    snapshot: Snapshot
    scope: Scope
    now: datetime
    needed: Collection[str]
    freeze: Freeze
    stuck: Mapping[str, Stuck] = field(default_factory=dict)

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
    if path.is_early(view.now):
        opens = _refusal(path, "E0545", f"its window begins at {path.spec(0).starts}", "window", "an earlier `from`, or apply again then")
        found = replace(found, opens=opens)
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
        return _granted(view, replace(found, verbs=_making(found, None)), spec)
    return _granted(view, _compared(view, found, spec, found.seen), spec)


# --- would it be granted? -----------------------------------------------------------------------------------


def _granted(view: PathView, found: StudiedPath, spec: PathSpec) -> StudiedPath:
    """The same with what its VLAN waits for; held back where the provider would not grant it, also before anything is released for it."""
    if found.refusal is not None or "request" not in found.verbs:
        return found
    path, provider = found.path, view.provider(found.path.provider)
    there = found.seen if found.seen is not None and found.seen.state not in GONE else None
    holders = holders_of(provider, spec, there)
    refusal = _not_offered(path, spec, provider, (*holders, *([there] if there is not None else [])))
    if refusal is None and (stuck := view.stuck.get(found.request_step)) is not None:
        refusal = _refusal(path, "E0541", f"VLAN {spec.vlan} is {stuck[0]}", "vlan", stuck[1])
    if refusal is not None:
        return replace(found, refusal=refusal, is_blocked=True)
    return replace(found, after=tuple(as_holder(provider, item) for item in holders))


def _not_offered(path: DeclaredPath, spec: PathSpec, provider: PathProviderSeen, ours: tuple[PathSeen, ...]) -> Refusal | None:
    """Why its provider would not grant its VLAN, with those that it would; what it says holds for paths without an end.

    Where paths of ours have the VLAN, which are released first, it says nothing.
    """
    offered = {end: vlans for end, vlans in provider.free_vlans.items() if end in spec.ends}
    held = {end for item in ours if item.spec.vlan == spec.vlan for end in item.spec.ends}
    taken_at = [end for end in spec.ends if end in offered and end not in held and spec.vlan not in offered[end]]
    if not taken_at or path.document.value.window is not None:
        return None
    free = frozenset.intersection(*offered.values())
    text = f"{path.provider} would not grant it: VLAN {spec.vlan} is not free at {' and '.join(taken_at)}"
    nearest = sorted(free, key=lambda vlan: (abs(vlan - spec.vlan), vlan))[:PROPOSED]
    proposed = ", ".join(map(str, sorted(nearest)))
    fix = f"a VLAN that is free at all ends, such as {proposed}" if free else "another port: no VLAN is free at all ends"
    return _refusal(path, "E0541", text, "vlan", fix)


def _making(found: StudiedPath, state: PathState | None) -> tuple[Verb, ...]:
    """What is still to be done in this plan of one that is in that state."""
    return making(found.path.row, state) if found.opens is None else reserving(state)


def _former_ends(view: PathView, found: StudiedPath) -> tuple[str, ...]:
    """Endpoints of the site that the path was made for, and that its file does not name any more."""
    made_for = found.seen.spec.endpoints if found.seen is not None else ()
    return tuple(name for name in made_for if name in view.site.endpoints and name not in found.path.endpoints)


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
            return replace(found, verbs=_making(found, seen.state))
        states = ("active", "reserved") if row.modifies_reserved else ("active",)
        if not any(item.forces_replace for item in differences) and seen.state in states:
            verbs = modifying(row, seen.state) if found.opens is None else ("modify", ("wait", "reserved"))
            return replace(found, verbs=verbs)
    found = replace(found, verbs=(*releasing(row, seen.state), *_making(found, None)))
    if away := next((name for name in _former_ends(view, found) if view.endpoint(name).is_silent), ""):
        text = f"it may be used on {away}, which does not answer, and it would have to be released"
        return replace(found, refusal=_refusal(path, "E0540", text, "ends", "apply again once it answers"))
    users = users_of(view.site, view.snapshot, seen.spec, path.endpoints)
    if not users:
        return found
    if differences and seen.state != "failed":
        what = f"{', '.join(item.field for item in differences)} would change"
    else:
        what = f"it is {seen.state} ({seen.words})"
    text = f"{what}, and it cannot be released while {users[0]} is on it"
    field = differences[0].cause.field if differences else "provider"
    fix = "`state: stopped` in that session first, then apply" if users[0].startswith("session ") else "remove it from there, then apply"
    held = _refusal(path, "E0543", text, field, fix)
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
    places = (*path.endpoints, *_former_ends(view, found))
    frozen = next((refusal for name in places if (refusal := view.freeze(name)) is not None), None)
    return replace(found, refusal=frozen, is_blocked=frozen is not None)


def overcommitment_text(row: PromisedBandwidth) -> str:
    """`paths are promised 120000mbit on ens1f0 of dtn1, which has 100000mbit`."""
    after, total = rate_text(row.usage.after), rate_text(row.usage.total)
    return f"paths are promised {after} on {row.interface} of {row.endpoint}, which has {total}"


def _refusal(path: DeclaredPath, code: str, text: str, field: str, fix: str) -> Refusal:
    document = path.document
    return Refusal(code, Cause(f"path {path.name}: {text}", document.file, document.mark((field,)).line, field), fix)


# --- who uses a path ----------------------------------------------------------------------------------------


def users_of(site: Site, snapshot: Snapshot, there: PathSpec, endpoints: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Containers on the path's networks: those of ours that run, as `session s on dtn1`, and those of others.

    Looked for where the path was made for, and at `endpoints`: what it was made for stays as it was when an endpoint gets another name.
    """
    names = sorted({*there.endpoints, *endpoints} & snapshot.endpoints.keys())
    seen = ((name, snapshot.endpoints[name], networks_over(site, snapshot.endpoints[name], there)) for name in names)
    return tuple(sorted({f"{user} on {name}" for name, item, networks in seen for user in _users(item, networks)}))


def _users(seen: EndpointSeen, networks: frozenset[str]) -> Iterator[str]:
    for item in seen.containers:
        if item.kind == "service" and item.state in ACTIVE_STATES and not networks.isdisjoint(item.networks):
            yield f"session {item.owner}"
    for other in seen.foreign:
        if any(address.network in networks for address in other.addresses):
            yield f"container {other.name} (not ours)"


def networks_over(site: Site, seen: EndpointSeen, there: PathSpec) -> frozenset[str]:
    """Networks on an endpoint that go over the path: those that name it, and those that have its VLAN."""
    named = {name for name, item in site.networks.items() if item.value.path == there.name}
    tagged = {item.name for item in seen.networks if item.spec.parent.endswith(f".{there.vlan}")}
    held = seen.host.held.vfs if seen.host is not None else ()
    functions = {item.owner.network for item in held if item.owner.site == site.name and item.wanted.vlan == there.vlan}
    return frozenset(named | tagged | functions)
