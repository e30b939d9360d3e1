"""Where claims of open branches cannot be had together: the same fixed value twice, or more asked for than there is. Pure.

Who claimed first keeps what it claimed: of two branches the later one is blocked, and the earlier one is only informed. What the base has
blocks every branch. Services that are chosen ports or addresses when planning compete by their number alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from dtnctl.model.branches import BASE, Branch, Claim, ClaimsReport, Collision, Declared, Holder, OpenBranch, Undecided
from dtnctl.planning.branches.proposals import free_values
from dtnctl.planning.branches.shortages import find_shortages
from dtnctl.planning.branches.spans import meet
from dtnctl.planning.branches.views import View, Views, make_views

Hit = tuple[str, Claim]  # the branch that has the claim, and the claim
SHARED = frozenset({"cpu"})  # several services may run on the same CPUs


def find_collisions(base: Branch, declared: Declared, branches: Sequence[OpenBranch], subject: str, now: datetime) -> ClaimsReport:
    """What stands in the way of the branch `subject`; with an empty one, what blocks any branch."""
    views = make_views(declared, branches, now)
    found = {view.branch.name: (*_taken_twice(views, view), *find_shortages(views, view)) for view in views.branches}
    asked = [view for view in views.branches if subject in (view.branch.name, "")]
    others = [
        item for name, items in found.items() if subject not in (name, "") for item in items if item.is_blocking and not _has(item, subject)
    ]
    collisions = [item for view in asked for item in found[view.branch.name] if item.is_blocking or subject]
    return ClaimsReport(
        base,
        subject,
        tuple(view.branch for view in views.branches),
        tuple(claim for view in asked for claim in view.added if subject),
        tuple(sorted(collisions, key=lambda item: (not item.is_blocking, item.branch, item.claim, item.code))),
        tuple(undecided for view in asked for undecided in _undecided(view)),
        len(others),
    )


def _has(item: Collision, branch: str) -> bool:
    return any(branch in holder.branches for holder in item.holders)


def _undecided(view: View) -> Iterator[Undecided]:
    for resource in sorted(view.new):
        amount = sum(claim.amount for claim in view.new[resource] if not claim.spans)
        if amount:
            yield Undecided(view.branch.name, resource.place((resource.scope,)), amount)


# --- fixed values -------------------------------------------------------------------------------------------


def _taken_twice(views: Views, view: View) -> Iterator[Collision]:
    """One collision for the same value of a session on several endpoints that meets the same others."""
    groups: dict[tuple[object, ...], list[tuple[Claim, list[Hit]]]] = defaultdict(list)
    for claim in (claim for claim in view.claims if not claim.amount):
        hits = list(_hits(views, view, claim))
        if hits:
            who = frozenset((name, other.session) for name, other in hits)
            groups[claim.resource.kind, claim.resource.detail, claim.spans, claim.session, claim.field, who].append((claim, hits))
    for found in groups.values():
        yield _collision(views, view, [claim for claim, _ in found], [hit for _, hits in found for hit in hits])


def _hits(views: Views, view: View, claim: Claim) -> Iterator[Hit]:
    """Those that have a part of it: the base, the branch itself, other branches."""
    own = view.new[claim.resource]
    yield from ((BASE, other) for other in _meeting(claim, views.kept(view, claim.resource)))
    yield from ((view.branch.name, other) for other in _meeting(claim, own) if other < claim)
    for rival in views.branches:
        if rival is not view:
            yield from ((rival.branch.name, other) for other in _meeting(claim, rival.new.get(claim.resource, ())) if other not in own)


def _meeting(claim: Claim, others: Iterable[Claim]) -> Iterator[Claim]:
    return (other for other in others if not other.amount and other.owner != claim.owner and meet(claim.spans, other.spans))


def _collision(views: Views, view: View, claims: Sequence[Claim], hits: Sequence[Hit]) -> Collision:
    claim = claims[0]
    scopes = tuple(sorted({item.resource.scope for item in claims}))
    holders = tuple(_holders(views, view, hits))
    first = tuple(holder for holder in holders if _is_first(views, view, holder))
    later = tuple(holder for holder in holders if holder not in first)
    low = max(claim.spans[0][0], min(other.spans[0][0] for _, other in hits))
    high = min(claim.spans[0][1], max(other.spans[0][1] for _, other in hits))
    what = f"{claim.resource.span_text(low, high)} {claim.resource.place(scopes)}".strip()
    is_blocking = bool(first) and claim.resource.kind not in SHARED
    free = free_values(views, view, claim, scopes)
    why = "; ".join([*_who(view, first, "claimed it first"), *_who(view, later, "claims it, too, later")])
    return Collision(view.branch.name, "E0418", claim, what, why, (*first, *later), free, _fix(claim, free), is_blocking)


def _holders(views: Views, view: View, hits: Sequence[Hit]) -> Iterator[Holder]:
    """The same claim in several branches, which are on top of each other, is one holder."""
    since = {item.branch.name: item.branch.since for item in views.branches}
    order = {item.branch.name: place for place, item in enumerate(views.branches, start=1)} | {BASE: 0, view.branch.name: 0}
    found: dict[tuple[str, str], list[Hit]] = defaultdict(list)
    for name, claim in sorted(hits, key=lambda hit: (order[hit[0]], hit[1])):
        found[claim.session, claim.endpoint].append((name, claim))
    for (session, endpoint), same in found.items():
        names = tuple(dict.fromkeys(name for name, _ in same if name))
        yield Holder(() if same[0][0] == BASE else names, session, endpoint, same[0][1].where, since.get(same[0][0], 0))


def _is_first(views: Views, view: View, holder: Holder) -> bool:
    if not holder.branches or view.branch.name in holder.branches:
        return True
    turns = [item.branch.turn for item in views.branches if item.branch.name in holder.branches]
    return min(turns) < view.branch.turn


def _by_session(holders: Sequence[Holder]) -> tuple[Holder, ...]:
    """One for each session and its branches, with all its endpoints."""
    found: dict[tuple[tuple[str, ...], str], list[Holder]] = defaultdict(list)
    for holder in holders:
        found[holder.branches, holder.session].append(holder)
    return tuple(replace(same[0], endpoint=", ".join(dict.fromkeys(item.endpoint for item in same))) for same in found.values())


def _who(view: View, holders: Sequence[Holder], verb: str) -> Iterator[str]:
    """`pull request #87 claimed it first: session run14 on dtn1 (FILE:LINE)`."""
    for holder in _by_session(holders):
        session = f"session {holder.session} on {holder.endpoint} ({holder.where})"
        if not holder.branches:
            yield f"{session} has it already"
        elif view.branch.name in holder.branches:
            yield f"{session} of the same branch claims it, too"
        else:
            yield f"{', '.join(holder.branches)} {verb}: {session}"


def _fix(claim: Claim, free: Sequence[str]) -> str:
    if claim.resource.kind == "interface":
        return "another endpoint, or `mode: bridge` in the network"
    if claim.resource.kind == "volume":
        return "`mode: ro` for all of them, a volume for each, or one endpoint"
    return f"{' or '.join(free)} for `{claim.field}`" if free else f"another `{claim.field}`; nothing of that size is free there"
