"""Containers that no service stands for any more: why they go, and why some of them wait. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from dtnctl.model.impact import Cut
from dtnctl.model.plan import Cause
from dtnctl.model.resources import ContainerSeen
from dtnctl.model.site import Site
from dtnctl.planning.containers.describe import cut_off, state_text
from dtnctl.planning.containers.services import RUNNING_STATES
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key
from dtnctl.planning.transfers.running_copies import for_good, refuse_held


def why_gone(site: Site, sessions: Collection[str], seen: ContainerSeen, *, destroy: bool) -> Cause:
    """`sessions` are those that have services now; a declared one that has none has expired."""
    document = site.sessions.get(seen.owner)
    if destroy:
        return Cause("destroy was asked for")
    if document is None:
        return Cause(f"no file state/sessions/{seen.owner}.yaml any more")
    if seen.owner not in sessions:
        return Cause("the session has expired", document.file, document.mark(("expires",)).line, "expires")
    return Cause("the session does not name this endpoint any more", document.file, document.mark(("endpoints",)).line, "endpoints")


def removal_text(seen: ContainerSeen) -> str:
    return f"removes container {seen.name}, {state_text(seen)}"


def ended_copies(jobs: Mapping[Key, tuple[Cut, ...]], endpoint: str, seen: ContainerSeen) -> tuple[Cut, ...]:
    """The running transfers that its removal cuts off."""
    return for_good(jobs.get((endpoint, seen.owner), ())) if seen.state in RUNNING_STATES else ()


def end_text(endpoint: str, seen: ContainerSeen, cuts: tuple[Cut, ...]) -> str:
    """What stops working with it; empty if it does not run."""
    return "; ".join([f"{seen.owner} on {endpoint} ends", *cut_off(cuts)]) if seen.state in RUNNING_STATES else ""


def held_removals(
    orphans: Mapping[Key, ContainerSeen], waits: Mapping[Key, tuple[Cut, ...]], causes: Mapping[Key, Cause]
) -> Iterator[tuple[Key, Refusal]]:
    """Those that go when running transfers have ended. `waits` are these by (endpoint, session).

    All containers of such a session stay: where the other end is, only a file says that may be gone.
    """
    by_owner: dict[str, tuple[Cut, ...]] = {}
    for (endpoint, _), seen in orphans.items():
        cuts = by_owner.get(seen.owner, ())
        by_owner[seen.owner] = (*cuts, *(cut for cut in for_good(waits.get((endpoint, seen.owner), ())) if cut not in cuts))
    for key, seen in orphans.items():
        if cuts := by_owner[seen.owner]:
            what = f"session {seen.owner} on {key[0]}"
            yield key, refuse_held(what, "destroy", cuts, causes[key], removal_text(seen))
