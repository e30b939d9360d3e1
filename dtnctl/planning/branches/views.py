"""A branch as its merge would be: all claims then, and which of them the base does not have. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dtnctl.model.branches import Branch, Claim, Declared, OpenBranch, Resource
from dtnctl.planning.branches.claims import Claims, claims_of

Index = Mapping[Resource, Sequence[Claim]]


@dataclass(frozen=True, slots=True)
class View:
    """What a branch adds to the base's claims, by resource, and what it takes away from them."""

    branch: Branch
    declared: Declared
    new: Index
    released: frozenset[Claim]

    @property
    def claims(self) -> tuple[Claim, ...]:
        return tuple(claim for resource in sorted(self.new) for claim in self.new[resource])

    @property
    def added(self) -> tuple[Claim, ...]:
        """Those that are new to people: a choice of a service that had one before, now from a larger or smaller pool, is none."""
        before = {(claim.resource, claim.owner, claim.field) for claim in self.released if claim.amount}
        return tuple(claim for claim in self.claims if not claim.amount or (claim.resource, claim.owner, claim.field) not in before)


@dataclass(frozen=True, slots=True)
class Views:
    """The base and every open branch; those that claimed first come first."""

    declared: Declared
    base: Index
    branches: tuple[View, ...]

    def kept(self, view: View, resource: Resource) -> Iterator[Claim]:
        """What the base has of a resource after the branch is merged."""
        return (claim for claim in self.base.get(resource, ()) if claim not in view.released)


def make_views(base: Declared, branches: Iterable[OpenBranch], now: datetime) -> Views:
    """The claims of all of them; sessions that a branch shares with the base are looked at once."""
    claimed = claims_of(base, now)
    ordered = sorted(branches, key=lambda item: item.branch.turn)
    views = (_view(item, claimed, claims_of(item.declared, now, base, claimed)) for item in ordered)
    return Views(base, _index(claim for claims in claimed.values() for claim in claims), tuple(views))


def _view(item: OpenBranch, before: Claims, after: Claims) -> View:
    changed = [name for name in before.keys() | after.keys() if before.get(name) is not after.get(name)]
    old = {claim for name in changed for claim in before.get(name, ())}
    new = {claim for name in changed for claim in after.get(name, ())}
    return View(item.branch, item.declared, _index(sorted(new - old)), frozenset(old - new))


def _index(claims: Iterable[Claim]) -> Index:
    found: dict[Resource, list[Claim]] = defaultdict(list)
    for claim in claims:
        found[claim.resource].append(claim)
    return found
