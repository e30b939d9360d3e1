"""VLANs that one path lets go of and another one gets in the same plan: who waits for whom, and where that cannot be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dtnctl.model.paths import GONE, PathProviderSeen, PathSeen, PathSpec
from dtnctl.model.plan import Step
from dtnctl.planning.paths.steps import label_of
from dtnctl.planning.step_ids import path_id

Holder = tuple[str, str]  # the step after which it is gone, in a plan that releases it; and the path as a reader knows it
Stuck = tuple[str, str]  # why a path does not get its VLAN in this plan, and what to do about it


def holders_of(provider: PathProviderSeen, wanted: PathSpec, own: PathSeen | None) -> tuple[PathSeen, ...]:
    """Paths of ours that have the VLAN at a port of the wanted one, but for itself.

    One that ends may be over before another one begins, and when those begin no provider shows: that is for the provider to say.
    """
    if wanted.until:
        return ()
    others = (item for item in provider.paths if item is not own and item.state not in GONE and item.spec.vlan == wanted.vlan)
    return tuple(item for item in others if not set(item.spec.ends).isdisjoint(wanted.ends) and not _is_over_before(item, wanted))


def _is_over_before(there: PathSeen, wanted: PathSpec) -> bool:
    return bool(there.spec.until and wanted.starts and there.spec.until <= wanted.starts)


def as_holder(provider: PathProviderSeen, item: PathSeen) -> Holder:
    """One of those, as plans name it."""
    return path_id(provider.name, "wait-released", label_of(provider, item)), f"path {item.spec.name}"


def after_releases(steps: Iterable[Step], waits: Mapping[str, tuple[Holder, ...]]) -> tuple[Step, ...]:
    """The steps; those of `waits`, which ask for a path, need the releases of its holders that are among them."""
    known = {step.id: step for step in steps}
    return tuple(_after(step, [item for item, _ in waits.get(step.id, ()) if item in known]) for step in known.values())


def _after(step: Step, released: list[str]) -> Step:
    return replace(step, needs=tuple(dict.fromkeys((*step.needs, *released)))) if released else step


def stuck_requests(steps: Iterable[Step], waits: Mapping[str, tuple[Holder, ...]]) -> Mapping[str, Stuck]:
    """By step that asks for a path, why its VLAN is not free by then: a holder stays, or goes only after this path is there.

    A session that moves from one path to the other without a pause keeps its old container, and with it the old path, until the new one
    runs.
    """
    known, found = {step.id: step for step in steps}, dict[str, Stuck]()
    for request in sorted(waits.keys() & known.keys()):
        for released, name in waits[request]:
            if released not in known:
                fix = f"another VLAN, or apply again after the release of {name}"
                found.setdefault(request, (f"that of {name} of this site, which this plan does not release", fix))
            elif request in _before(known, released):
                text = f"that of {name} of this site, which is released only after a session has moved from there to this path"
                fix = f"another VLAN; or remove that session, {name} and its network, apply, and add it again over this one"
                found.setdefault(request, (text, fix))
    return found


def _before(known: Mapping[str, Step], last: str) -> frozenset[str]:
    """Every step that must end before the last one begins."""
    found: set[str] = set()
    open_ones = [last]
    while open_ones:
        step = known[open_ones.pop()]
        further = {item for item in (*step.needs, *step.follows) if item in known} - found
        found |= further
        open_ones += sorted(further)
    return frozenset(found)
