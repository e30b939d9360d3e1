"""What the files alone show to be against an owner's `allow:`, for `validate`. The plan's guard judges by the same rules.

A plan blocks the sessions concerned and carries out the others, so loading a site does not report these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

from dtnctl.errors import Problem
from dtnctl.model.effective import winner_at
from dtnctl.model.permission import Request, export_request, refused_requests
from dtnctl.model.site import Declarations, Document, Endpoint
from dtnctl.model.validation.known import Known, Place


def find_owner_problems(site: Declarations, now: datetime, broken: Mapping[str, AbstractSet[str]]) -> list[Problem]:
    """Every request of a session or a volume that the owner of its endpoint does not allow, at the field that asks; sorted."""
    known = Known(site, broken, now)
    for place, endpoint, request in (*_refused(known), *_refused_exports(known)):
        owner = endpoint.mark(("allow", request.key))
        what = f"the owner of {endpoint.name} does not allow {request.what} ({endpoint.file}:{owner.line}:{owner.column})"
        what += f": {request.reason}" if request.reason else ""
        known.report(place, request.code, what, request.fix or f"to ask the owner to extend `allow.{request.key}`")
    return sorted(known.problems)


def _refused(known: Known) -> Iterator[tuple[Place, Document[Endpoint], Request]]:
    for service in known.services:
        endpoint = known.site.endpoints.get(service.endpoint)
        if endpoint is not None and known.readable_networks(service.profile):
            for request in refused_requests(endpoint.value.allow, service.profile, known.site.networks):
                yield winner_at(service.layers, request.location) or service.fallback, endpoint, request


def _refused_exports(known: Known) -> Iterator[tuple[Place, Document[Endpoint], Request]]:
    for document in known.site.volumes.values():
        endpoint = known.site.endpoints.get(document.value.target.endpoint or "")
        request = export_request(endpoint.value.allow, document.value.target) if endpoint is not None else None
        if endpoint is not None and request is not None and not request.is_allowed:
            yield (document, request.location), endpoint, request
