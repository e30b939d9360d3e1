"""Which session carries a transfer that names none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from dtnctl.model.site import Document, Session
from dtnctl.model.transfer import Transfer


class HasSessions(Protocol):
    """A Site, or the readable part of one."""

    @property
    def sessions(self) -> Mapping[str, Document[Session]]: ...


def ends(transfer: Transfer) -> tuple[str, str]:
    """The endpoints (from, to) of a transfer."""
    return transfer.from_.partition(":")[0], transfer.to.partition(":")[0]


def suitable_sessions(site: HasSessions, transfer: Transfer, now: datetime) -> tuple[str, ...]:
    """Names of the sessions that could carry the transfer, in name order; only one is a clear answer.

    Started sessions come before others, and expired ones count only where nothing else is left: a record of a transfer
    does not become wrong because time passes.
    """
    wanted = set(ends(transfer))
    covering = [session for session in site.sessions.values() if wanted <= set(session.value.endpoints)]
    alive = [session for session in covering if not session.value.is_expired(now)]
    started = [session for session in alive if session.value.state == "started"]
    return tuple(sorted(session.name for session in started or alive or covering[:1]))
