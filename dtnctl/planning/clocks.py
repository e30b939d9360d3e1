"""Compares this machine's clock with those of the engines: which one is wrong, and what must not be decided by it. Pure.

Expiry of sessions and the keys of transfers go by this machine's clock. Up to an hour off, both still work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from dtnctl.model.plan import Cause
from dtnctl.model.resources import EndpointSeen
from dtnctl.model.site import Document, Session
from dtnctl.planning.refusal import Refusal

TOLERATED = 3600  # seconds; what the keys of transfers allow for, too
FIX = "set this machine's clock or the endpoint's by NTP: the one that is wrong (`date -u` on both), and plan again"
UNITS = (("year", 365 * 86400), ("day", 86400), ("hour", 3600))


def is_off(ahead: int | None) -> bool:
    """Whether an engine's clock differs by more than is tolerated."""
    return ahead is not None and abs(ahead) > TOLERATED


def difference(ahead: int) -> str:
    """`about 3 years ahead of`, as a phrase about the engine's clock."""
    unit, seconds = next(item for item in UNITS if abs(ahead) >= item[1])
    count = round(abs(ahead) / seconds)
    return f"about {count} {unit}{'s' if count > 1 else ''} {'ahead of' if ahead > 0 else 'behind'}"


def clock_notes(answering: Mapping[str, EndpointSeen]) -> Iterator[str]:
    """Names the clock that is off: this machine's where all engines contradict it in the same way, else each engine's."""
    known = {name: seen.clock_ahead for name, seen in sorted(answering.items()) if seen.clock_ahead is not None}
    off = {name: ahead for name, ahead in known.items() if is_off(ahead)}
    if not off:
        return
    agree = max(known.values()) - min(known.values()) <= TOLERATED
    if len(known) > 1 and agree:
        ahead = next(iter(off.values()))
        engines = f"those of {', '.join(known)}, which agree"
        yield f"this machine's clock is {difference(-ahead)} {engines}: sessions expire by it, and the keys of transfers do"
        return
    for name, ahead in off.items():
        yield f"the clock of {name} is {difference(ahead)} this machine's: sessions expire by this machine's, and the keys of transfers do"


def doubt_expiry(session: Document[Session], endpoint: str, ahead: int | None, now: datetime) -> Refusal | None:
    """Why a session that has expired by this machine's clock is not removed: by the endpoint's clock it has not."""
    if ahead is None or not is_off(ahead) or session.value.is_expired(now + timedelta(seconds=ahead)):
        return None
    text = f"the session has expired by this machine's clock, but not by that of {endpoint}, which is {difference(ahead)} it"
    return Refusal("E0493", Cause(text, session.file, session.mark(("expires",)).line, "expires"), FIX)


def refuse_expired_keys(place: Cause, ends: Mapping[str, int | None]) -> Refusal | None:
    """Why a transfer cannot start: its keys would have expired by the clock of an end before they are used."""
    for endpoint, ahead in ends.items():
        if ahead is not None and ahead > TOLERATED:
            text = f"the clock of {endpoint} is {difference(ahead)} this machine's, so the transfer's keys would have expired there"
            return Refusal("E0494", Cause(text, place.file, place.line), FIX)
    return None
