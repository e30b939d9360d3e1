"""Values that no branch claims, for those whose claims collide. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dtnctl.model.branches import Claim, Resource, Spans
from dtnctl.model.permission import allowed_ports
from dtnctl.planning.branches.claims import FAMILIES, choosable
from dtnctl.planning.branches.spans import rows_of, size, without
from dtnctl.planning.branches.views import View, Views

MOST_PROPOSALS = 2


def free_values(views: Views, view: View, claim: Claim, scopes: Sequence[str]) -> tuple[str, ...]:
    """Values of the same size that no branch and no service of the base claims, on all of these endpoints or networks."""
    low, high = claim.spans[0]
    allowed = _allowed(view, claim, scopes)
    for scope in scopes:
        resource = Resource(claim.resource.kind, scope, claim.resource.detail)
        allowed = without(allowed, _taken(views, resource))
    rows = rows_of(allowed, high - low + 1, high, MOST_PROPOSALS)
    return tuple(claim.resource.range_text(first, last) for first, last in rows)


def _taken(views: Views, resource: Resource) -> Iterator[tuple[int, int]]:
    for index in (views.base, *(view.new for view in views.branches)):
        for claim in index.get(resource, ()):
            if not claim.amount:
                yield from claim.spans


def _allowed(view: View, claim: Claim, scopes: Sequence[str]) -> Spans:
    """What the endpoints' owners allow of ports; the network's pool, or what is left of its subnet where the pool has one address."""
    match claim.resource.kind:
        case "port":
            allowed: Spans = ((1, 65535),)
            for scope in scopes:
                refused = without(((1, 65535),), allowed_ports(view.declared.endpoints[scope].value.allow))
                allowed = without(allowed, refused)
            return allowed
        case "address":
            network = view.declared.networks[scopes[0]].value
            subnet, pool = (getattr(network, name) for name in FAMILIES[claim.resource.detail])
            chosen = choosable(network, subnet, pool)
            return chosen if size(chosen) > 1 else choosable(network, subnet, None)
        case _:
            return ()  # which CPUs and interfaces a host has is not declared
