"""Endpoints that turn out to be one engine: whose objects would be whose cannot be known, so nothing is planned on any of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dtnctl.model.plan import Cause
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.refusal import Refusal


def find_twins(snapshot: Snapshot) -> Mapping[str, str]:
    """By endpoint, the first other endpoint that shows the same engine."""
    by_engine: dict[str, list[str]] = {}
    for name, seen in sorted(snapshot.endpoints.items()):
        if seen.engine_id and not seen.is_silent:
            by_engine.setdefault(seen.engine_id, []).append(name)
    return {name: next(other for other in names if other != name) for names in by_engine.values() if len(names) > 1 for name in names}


def without_twins(snapshot: Snapshot, twins: Mapping[str, str]) -> Snapshot:
    """The snapshot in which nothing is known of endpoints that are one engine."""
    if not twins:
        return snapshot
    seen = {
        name: EndpointSeen(name, silence=twin_text(name, twins)) if name in twins else item for name, item in snapshot.endpoints.items()
    }
    return replace(snapshot, endpoints=seen)


def refuse_twin(site: Site, endpoint: str, twins: Mapping[str, str]) -> Refusal:
    """Why nothing is planned on the endpoint: the line that leads to the same engine as another one's."""
    document = site.endpoints[endpoint]
    field = document.value.address_field
    cause = Cause(twin_text(endpoint, twins), document.file, document.mark((field,)).line, field)
    fix = f"`{field}:` of {endpoint} or {twins[endpoint]} with the address of another engine, or one endpoint for both"
    return Refusal("E0491", cause, fix)


def twin_text(endpoint: str, twins: Mapping[str, str]) -> str:
    """Which two are one."""
    first, second = sorted((endpoint, twins[endpoint]))
    return f"{first} and {second} are one engine"
