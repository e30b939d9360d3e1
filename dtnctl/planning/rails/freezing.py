"""Times in which nothing is changed, of the site, an endpoint or a session: which one holds a change back, and until when. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dtnctl.model.freeze import LAST, FreezeWindow, frozen_until
from dtnctl.model.plan import Cause, Plan
from dtnctl.model.resources import EndpointSeen
from dtnctl.model.schedule import firing_text
from dtnctl.model.site import Document, Endpoint, Session, Site
from dtnctl.model.site_settings import SiteSettings
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.scope import Scope

Frozen = Document[SiteSettings] | Document[Endpoint] | Document[Session]
FROZEN = "E0442"
ACCURACY = 5  # seconds; an answer takes time, and its Date header has whole seconds
GOING_ON = ("transfer", "ledger")  # kinds of changes that are made in a freeze, too
FIX = "apply again then, or `--override-freeze REASON` if it cannot wait"


def refuse_frozen(site: Site, endpoint: str, session: Document[Session] | None, now: datetime) -> Refusal | None:
    """Why nothing may be changed of an endpoint, or of a session there, right now; None if no window is open."""
    places = tuple(_places(site, endpoint, session))
    until = frozen_until((window for _, _, window in places), now)
    if until is None:
        return None
    document, index, window = next(place for place in places if place[2].span_at(now) is not None)
    text = f"{_name(document)} is frozen {until_text(until)}" + (f": {window.reason}" if window.reason else "")
    return Refusal(FROZEN, Cause(text, document.file, document.mark(("freeze", index)).line, "freeze"), FIX)


def until_text(until: datetime) -> str:
    """`until 2027-01-04T00:00Z`, or that there is no end."""
    return "without an end" if until == LAST else f"until {firing_text(until)}"


def override_notes(site: Site, now: datetime, reason: str) -> Iterator[str]:
    """A sentence for each open window that is passed over, with the reason that was given."""
    documents: list[Frozen] = [site.settings, *site.endpoints.values(), *site.sessions.values()]
    for document in documents if reason else ():
        until = frozen_until(document.value.freeze, now)
        if until is not None:
            index = next(index for index, window in enumerate(document.value.freeze) if window.span_at(now) is not None)
            yield f"the freeze of {_name(document)} {until_text(until)} ({document.where('freeze', index)}) is overridden: {reason}"


def edge_notes(site: Site, answering: Mapping[str, EndpointSeen], now: datetime) -> Iterator[str]:
    """A sentence for each window that is open by one of the two clocks alone: this machine's, which counts, and an endpoint's."""
    for endpoint, seen in sorted(answering.items()):
        ahead = seen.clock_ahead or 0
        there = now + timedelta(seconds=ahead)
        sessions = [None, *(item for item in site.sessions.values() if endpoint in item.value.endpoints)] if abs(ahead) > ACCURACY else []
        places = {
            (_name(at), at.where("freeze", index)): window for item in sessions for at, index, window in _places(site, endpoint, item)
        }
        for (name, place), window in sorted(places.items()):
            is_open = window.span_at(now) is not None
            if is_open != (window.span_at(there) is not None):
                ours, theirs = ("open", "and not") if is_open else ("not open", "but")
                apart = f"{abs(ahead)} s {'ahead' if ahead > 0 else 'behind'}"
                clocks = f"{ours} by this machine's clock, which counts, {theirs} by that of {endpoint}, {apart}"
                yield f"the freeze of {name} ({place}) is {clocks}"


# --- what opens while a plan is carried out -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Beginning:
    """From when on a step is not begun any more, the sentence that says why, and all steps of its change."""

    at: datetime
    reason: str
    steps: tuple[str, ...]


def freeze_beginnings(site: Site, plan: Plan, now: datetime, scope: Scope) -> Mapping[str, Beginning]:
    """By step: the first window that holds it back of those that begin after `now`, at which the plan was made. Transfers are not held."""
    found: dict[str, Beginning] = {}
    for change in plan.changes if not scope.override_freeze else ():
        session = site.sessions.get(change.name) if change.kind in ("session", "protection") else None
        at = _next_start(site, change.endpoint, session, now) if change.steps and change.kind not in GOING_ON else None
        refusal = refuse_frozen(site, change.endpoint, session, at) if at is not None else None
        if at is not None and refusal is not None:
            reason = f"{refusal.code} {refusal.cause.text} ({refusal.cause.place})"
            found |= dict.fromkeys(change.steps, Beginning(at, reason, change.steps))
    return found


def _next_start(site: Site, endpoint: str, session: Document[Session] | None, now: datetime) -> datetime | None:
    starts = (window.next_start(now) for _, _, window in _places(site, endpoint, session))
    return min((start for start in starts if start is not None), default=None)


def _places(site: Site, endpoint: str, session: Document[Session] | None) -> Iterator[tuple[Frozen, int, FreezeWindow]]:
    """Every window that concerns it, the nearest first."""
    documents: tuple[Frozen | None, ...] = (session, site.endpoints.get(endpoint), site.settings)
    for document in documents:
        if document is not None:
            yield from ((document, index, window) for index, window in enumerate(document.value.freeze))


def _name(document: Frozen) -> str:
    match document.value:
        case SiteSettings():
            return f"site {document.value.name}"
        case Endpoint():
            return f"endpoint {document.name}"
        case _:
            return f"session {document.name}"
