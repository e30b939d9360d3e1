"""What is on endpoints and no file declares any more: what goes, what may not go, and whether too much would. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dtnctl.model.plan import Cause
from dtnctl.model.resources import main_name
from dtnctl.planning.clocks import doubt_expiry
from dtnctl.planning.guard import prune_limit
from dtnctl.planning.host.resources import RESOURCES
from dtnctl.planning.orphans import held_removals
from dtnctl.planning.rails.empty import refuse_empty
from dtnctl.planning.rails.protection import Removal, refuse_removal
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key
from dtnctl.planning.study import Study
from dtnctl.printable import plural


def find_orphans(found: Study) -> Iterator[Key]:
    wanted = {(service.endpoint.name, service.container) for service in found.services}
    for (endpoint, name), seen in found.live.items():
        if seen.kind == "service" and (endpoint, main_name(name)) not in wanted:
            yield endpoint, name


def find_doubted(found: Study, now: datetime) -> Iterator[tuple[Key, tuple[Refusal, ...]]]:
    """Containers that may not go: those that running transfers go through, protected or frozen ones, and those of doubtful expiry.

    Whether a session has expired only this machine's clock shows, which may be the wrong one.
    """
    orphans = {key: found.live[key] for key in found.orphans}
    waits = {(key[0], seen.owner): found.waits((key[0], seen.owner)) for key, seen in orphans.items()}
    held = dict(held_removals(orphans, waits, {key: found.why_gone(seen) for key, seen in orphans.items()}))
    for endpoint, name in found.orphans:
        owner = found.live[endpoint, name].owner
        session = found.site.sessions.get(owner)
        is_named = session is not None and endpoint in session.value.endpoints
        ahead = found.answering[endpoint].clock_ahead
        reasons = (
            doubt_expiry(session, endpoint, ahead, now) if session is not None and is_named else None,
            refuse_removal(_removal(found, endpoint, owner), found.records),
            found.freeze(endpoint, owner),
            held.get((endpoint, name)),
        )
        if refusals := tuple(refusal for refusal in reasons if refusal is not None):
            yield (endpoint, name), refusals


def _removal(found: Study, endpoint: str, owner: str) -> Removal:
    return Removal(
        endpoint,
        owner,
        found.written.sessions.get(owner),
        found.written.endpoints.get(endpoint),
        is_asked_for=found.scope.destroy,
        is_whole=owner not in found.sessions,
    )


def find_forgotten(found: Study) -> Iterator[Key]:
    """Sessions for which an agent keeps something, but which have neither a service nor a container there."""
    present = {service.key for service in found.services}
    present |= {(endpoint, seen.owner) for (endpoint, _), seen in found.live.items() if seen.kind == "service"}
    for endpoint, seen in found.answering.items():
        held = seen.host.held if seen.host is not None else None
        for owner in (owner for resource in RESOURCES for owner in resource.owners(held)) if held is not None else ():
            is_ours = owner.site == found.site.name and (endpoint, owner.session) not in present
            if is_ours and found.scope.covers("session", owner.session, endpoint):
                yield endpoint, owner.session


def find_overdrawn(found: Study) -> Refusal | None:
    """Whether more sessions would go than one apply may remove; then none goes: a wrong folder must not empty a site."""
    owners = {key: found.live[key].owner for key in found.orphans}
    doomed = {owner for (endpoint, _), owner in owners.items() if found.scope.covers("session", owner, endpoint)}
    counted = ((key[0], item.owner) for key, item in found.live.items() if item.kind == "service")
    owned = {owner for endpoint, owner in counted if found.scope.selects("session", owner, endpoint)}
    is_empty = not any(found.scope.selects("session", item.session.name, item.endpoint.name) for item in found.services)
    if is_empty and found.scope.allow_empty:
        return None
    if is_empty and (refusal := refuse_empty(found.site, found.scope, doomed)):
        return refusal
    settings = found.site.settings
    limit = prune_limit(found.scope.prune if found.scope.prune is not None else settings.value.limits.max_prune, len(owned))
    if len(doomed) <= limit:
        return None
    text = f"{len(doomed)} of {plural(len(owned), 'session')} would be removed, the limit is {limit}"
    cause = Cause(text, settings.file, settings.mark(("limits", "max_prune")).line, "limits.max_prune")
    return Refusal("E0440", cause, f"--max-prune {len(doomed)} if it is meant")
