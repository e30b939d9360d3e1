"""Which sessions expire soon, and which have expired long ago and still have a file. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from dtnctl.model.schedule import firing_text
from dtnctl.model.site import Document, Session, Site
from dtnctl.printable import plural

LONG_AGO = timedelta(days=30)


def expiry_notes(site: Site, now: datetime) -> Iterator[str]:
    """A sentence for each session that is removed within the site's `limits.expiry_notice`, and for each forgotten file."""
    notice = timedelta(seconds=min(site.settings.value.limits.expiry_notice, LONGEST))
    for session in site.sessions.values():
        expires = session.value.expires
        if expires is not None and now < expires <= now + notice:
            where = f"{', '.join(session.value.endpoints)} ({session.where('expires')})"
            yield f"session {session.name} expires at {firing_text(expires)} and is then removed from {where}"
    yield from long_expired(site, now)


def long_expired(site: Site, now: datetime) -> Iterator[str]:
    """Sessions that expired more than 30 days ago and still have a file."""
    for session in site.sessions.values():
        if session.value.expires is not None and now - session.value.expires >= LONG_AGO:
            yield _forgotten(session, now - session.value.expires)


def _forgotten(session: Document[Session], age: timedelta) -> str:
    return f"session {session.name} expired {plural(age.days, 'day')} ago ({session.where('expires')}); remove its file"


LONGEST = 100 * 365 * 86400.0  # seconds; further than that no date reaches
