"""More choices than there is to choose from: ports of a range, addresses of a pool, virtual functions of an interface. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dtnctl.model.branches import BASE, Claim, Collision, Holder, Resource, Spans
from dtnctl.planning.branches.spans import is_within, joined, meet, size, without
from dtnctl.planning.branches.views import View, Views


@dataclass(frozen=True, slots=True)
class Part:
    """The claims on one resource of the base, or of a branch."""

    name: str
    claims: tuple[Claim, ...]


def find_shortages(views: Views, view: View) -> Iterator[Collision]:
    """At most one for each resource: of the smallest set that is too small."""
    for resource in sorted(view.new):
        mine = view.new[resource]
        parts = [Part(BASE, tuple(views.kept(view, resource))), Part(view.branch.name, tuple(mine))]
        for rival in views.branches:
            claims = tuple(claim for claim in rival.new.get(resource, ()) if claim not in mine)
            if rival is not view and claims:
                parts.append(Part(rival.branch.name, claims))
        pools = {claim.spans for part in parts for claim in part.claims if claim.amount and claim.spans}
        touched = [pool for pool in pools if any(meet(claim.spans, pool) for claim in mine)]
        found = (_shortage(views, view, resource, pool, parts) for pool in sorted(touched, key=lambda pool: (size(pool), pool)))
        yield from [item for item in found if item is not None][:1]


def _shortage(views: Views, view: View, resource: Resource, pool: Spans, parts: Sequence[Part]) -> Collision | None:
    """With the base and the branch itself, then with the branches that came first, then with all."""
    turns = {item.branch.name: item.branch.turn for item in views.branches}
    fixed, rivals = parts[:2], parts[2:]
    first = [part for part in rivals if turns[part.name] < view.branch.turn]
    for together, is_blocking in (([], True), (first, True), (rivals, False)):
        claiming = [*fixed, *together]
        if _asked(pool, claiming) > _size(pool, claiming):
            return _collision(views, view, resource, pool, claiming, is_blocking=is_blocking)
    return None


def _asked(pool: Spans, parts: Iterable[Part]) -> int:
    """How many are asked for; a service that two branches change is counted once, with the larger number."""
    amounts: dict[tuple[str, str, str], int] = {}
    for part in parts:
        for claim in part.claims:
            if claim.amount and claim.spans and is_within(claim.spans, pool):
                key = (*claim.owner, claim.field)
                amounts[key] = max(claim.amount, amounts.get(key, 0))
    return sum(amounts.values())


def _size(pool: Spans, parts: Iterable[Part]) -> int:
    """How many there are, less those that somebody has by name."""
    return size(without(pool, (span for part in parts for claim in part.claims if not claim.amount for span in claim.spans)))


def _collision(views: Views, view: View, resource: Resource, pool: Spans, parts: Sequence[Part], *, is_blocking: bool) -> Collision:
    base, mine, *rivals = parts
    claim = next(item for item in mine.claims if meet(item.spans, pool))
    asking = [(part, _asked(pool, [part]) + _named(pool, part)) for part in (base, mine, *rivals)]
    texts = [f"{amount} {_by(views, view, part.name)}" for part, amount in asking if amount]
    why = f"there are {size(pool)}, and {sum(amount for _, amount in asking)} are claimed: {', '.join(texts)}"
    since = {item.branch.name: item.branch.since for item in views.branches}
    holders = tuple(
        Holder((part.name,), item.session, item.endpoint, item.where, since[part.name])
        for part in rivals
        for item in part.claims
        if meet(item.spans, pool)
    )
    left = max(0, _size(pool, [base, *rivals]) - _asked(pool, [base, *rivals]))
    free = tuple(_other_endpoints(views, view, resource)) if resource.kind == "vf" else ()
    return Collision(
        view.branch.name, "E0419", claim, _what(resource, pool), why, holders, free, _fix(view, resource, left, free), is_blocking
    )


def _named(pool: Spans, part: Part) -> int:
    taken = joined(span for claim in part.claims if not claim.amount for span in claim.spans)
    return size(pool) - size(without(pool, taken))


def _by(views: Views, view: View, name: str) -> str:
    if name == BASE:
        return "by the base"
    if name == view.branch.name:
        return "by this branch"
    is_later = next(item.branch.turn for item in views.branches if item.branch.name == name) > view.branch.turn
    return f"by {name}{' (later)' * is_later}"


def _what(resource: Resource, pool: Spans) -> str:
    """`ports 30000-30003/tcp on dtn1`, `addresses 10.0.0.64-10.0.0.66 of network data`, `virtual functions of ens1f0 on dtn1`."""
    place, low, high = resource.place((resource.scope,)), pool[0][0], pool[-1][1]
    if resource.kind == "address":
        return f"addresses {resource.range_text(low, high)} {place}"
    return f"{resource.span_text(low, high)} {place}".strip()


def _fix(view: View, resource: Resource, left: int, free: Sequence[str]) -> str:
    if resource.kind == "vf":
        file = view.declared.endpoints[resource.scope].file
        other = f", or {' or '.join(free)}" if free else ""
        return f"{left} left for this branch; more of them by `vfs: {{{resource.detail}: …}}` in {file}{other}"
    word = "range" if resource.kind == "port" else "pool (`addresses` of the network)"
    return f"{left} left for this branch; a wider {word}"


def _other_endpoints(views: Views, view: View, resource: Resource) -> Iterator[str]:
    """Endpoints with virtual functions that no branch claims, for the same networks."""
    here = view.declared.endpoints[resource.scope].value.interfaces
    networks = {name for name, interface in here.items() if interface == resource.detail}
    for name, document in sorted(view.declared.endpoints.items()):
        for interface in sorted({item for net, item in document.value.interfaces.items() if net in networks}):
            count = document.value.vfs.get(interface, 0)
            other = Resource("vf", name, interface)
            indexes = (views.base, *(item.new for item in views.branches))
            left = count - sum(claim.amount for index in indexes for claim in index.get(other, ()))
            if name != resource.scope and left > 0:
                yield f"{name}, which has {left} left on {interface}"
