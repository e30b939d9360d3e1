"""`suspend: true`: nothing of it is changed. It is left out of a plan as `--exclude` does, and a note says what is held back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from dtnctl.model.plan import Change, Plan
from dtnctl.model.site import Site
from dtnctl.planning.resolve import declared_transfers
from dtnctl.planning.scope import Scope, with_selection

NAMED = 3  # changes that a note names; of the others it says how many they are


@dataclass(frozen=True, slots=True)
class Suspension:
    """One `suspend: true`: `place` is its file and line; `patterns` are what it leaves out, as `--exclude` takes them."""

    kind: str
    name: str
    place: str
    patterns: tuple[str, ...]

    def covers(self, change: Change) -> bool:
        return Scope(excludes=self.patterns).excluded(change.kind, change.name, change.endpoint)


def suspensions(site: Site, now: datetime, scope: Scope | None = None) -> tuple[Suspension, ...]:
    """Everything that is suspended, by kind and name. Transfers through what is suspended are not started either.

    With a scope that has a label, only what this selects.
    """
    selection = with_selection(scope, site, now).selection if scope is not None else None
    found = sorted((*_endpoints(site, now), *_sessions(site, now), *_alone(site)), key=lambda item: (item.kind, item.name))
    return tuple(item for item in found if selection is None or selection.names(item.kind, item.name))


def held_sessions(site: Site) -> tuple[str, ...]:
    """The sessions that are suspended, or that are on an endpoint that is."""
    away = {name for name, endpoint in site.endpoints.items() if endpoint.value.suspend}
    found = (name for name, session in site.sessions.items() if session.value.suspend or away.intersection(session.value.endpoints))
    return tuple(sorted(found))


def _endpoints(site: Site, now: datetime) -> Iterator[Suspension]:
    for name in (name for name, endpoint in site.endpoints.items() if endpoint.value.suspend):
        ends = ((item.transfer.name, item.source_endpoint, item.destination_endpoint) for item in declared_transfers(site, now))
        through = (transfer for transfer, *places in ends if name in places)
        yield Suspension("endpoint", name, site.endpoints[name].where("suspend"), (f"endpoint/{name}", *_transfers(through)))


def _sessions(site: Site, now: datetime) -> Iterator[Suspension]:
    for name in (name for name, session in site.sessions.items() if session.value.suspend):
        through = (item.transfer.name for item in declared_transfers(site, now) if item.session == name)
        own = (f"session/{name}", f"protection/{name}")
        yield Suspension("session", name, site.sessions[name].where("suspend"), (*own, *_transfers(through)))


def _alone(site: Site) -> Iterator[Suspension]:
    for name in (name for name, transfer in site.transfers.items() if transfer.value.suspend):
        yield Suspension("transfer", name, site.transfers[name].where("suspend"), tuple(_transfers((name,))))


def _transfers(names: Iterable[str]) -> Iterator[str]:
    return (f"transfer/{name}" for name in names)


def without_suspended(scope: Scope, site: Site, now: datetime) -> Scope:
    """The scope without what is suspended."""
    if scope.sees_suspended:
        return scope
    patterns = [pattern for item in suspensions(site, now) for pattern in item.patterns]
    return replace(scope, excludes=(*scope.excludes, *dict.fromkeys(patterns)))


def suspension_notes(found: tuple[Suspension, ...], whole: Plan) -> Iterator[str]:
    """A sentence for each: where it says so, and what it holds back of the plan that would be made without it."""
    for item in found:
        held = [change for change in whole.changes if item.covers(change)]
        what = "; ".join(map(_held_text, held[:NAMED])) + (f"; and {len(held) - NAMED} more" if len(held) > NAMED else "")
        yield f"{item.kind} {item.name} is suspended ({item.place}), so nothing of it is changed" + (f"; held back: {what}" if held else "")


def _held_text(change: Change) -> str:
    drift = " (drift)" if change.is_drift else ""
    return f"{change.kind}/{change.name} @ {change.endpoint} {change.summary}{drift}"
