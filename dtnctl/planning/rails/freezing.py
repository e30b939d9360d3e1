"""Times in which nothing is changed, of the site, an endpoint or a session: which one holds a change back, and until when. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dtnctl.model.freeze import LAST, FreezeWindow, frozen_until
from dtnctl.model.plan import Cause
from dtnctl.model.schedule import firing_text
from dtnctl.model.site import Document, Endpoint, Session, Site
from dtnctl.model.site_settings import SiteSettings
from dtnctl.planning.refusal import Refusal

Frozen = Document[SiteSettings] | Document[Endpoint] | Document[Session]
FROZEN = "E0442"
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
