"""Compares a plan with the one that was reviewed for the same state files: what of it is more dangerous than what was shown. Pure.

The files are the same, so what a container may do on its host is the same; what can differ is what the endpoints make of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dtnctl.model.kinds import ChangeKind
from dtnctl.model.plan import MARKS, Change, Mark, Plan

HARMLESS: tuple[Mark, ...] = ("create", "update", "blocked")  # without an interruption; what is blocked does not happen
Key = tuple[str, ChangeKind, str]


@dataclass(frozen=True, slots=True)
class ShownChange:
    """What a reviewer saw of one object: how it changes, now or later, and whether something stops meanwhile.

    `cuts` are the running transfers that it cuts off.
    """

    mark: Mark
    is_interrupting: bool
    cuts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ReviewedPlan:
    """The plan that was reviewed. `waiting`: transfers that it noted and did not start, such as those that wait for their time.

    `engines`: the identity of the engine that it saw, by endpoint, as far as it was known.
    """

    hash: str
    changes: Mapping[Key, ShownChange]
    waiting: frozenset[str]
    engines: Mapping[str, str] = field(default_factory=dict)


def is_done(plan: Plan, reviewed: ReviewedPlan) -> bool:
    """Whether nothing of the review is left: what is planned now restores the endpoints, or starts transfers that had to wait."""
    return all(_restores(change) or _is_due(change, reviewed) for change in plan.changes)


def more_dangerous(plan: Plan, reviewed: ReviewedPlan) -> tuple[Change, ...]:
    """The changes that stop, remove or start more than the reviewed plan showed of the same object."""
    return tuple(change for change in plan.changes if not (_was_shown(change, reviewed) or _is_due(change, reviewed)))


def on_other_engines(plan: Plan, reviewed: ReviewedPlan) -> tuple[str, ...]:
    """The endpoints that the plan changes and that are another engine now than the one that the review saw."""
    return tuple(name for name, identity in plan.engines.items() if reviewed.engines.get(name, identity) != identity)


def _restores(change: Change) -> bool:
    return change.is_drift or change.may_be_drift or change.mark == "blocked"


def _is_due(change: Change, reviewed: ReviewedPlan) -> bool:
    return change.mark == "transfer" and change.name in reviewed.waiting


def _was_shown(change: Change, reviewed: ReviewedPlan) -> bool:
    shown = reviewed.changes.get((change.endpoint, change.kind, change.name))
    if change.mark in HARMLESS and not change.interrupts:
        return True
    if shown is None or shown.mark == "blocked":
        return False
    is_no_worse = MARKS.index(shown.mark) <= MARKS.index(change.mark) and (shown.is_interrupting or not change.interrupts)
    return is_no_worse and shown.cuts.issuperset(cut.transfer for cut in change.cuts)
