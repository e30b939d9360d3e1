"""What became of a plan's changes, read off the outcomes of their steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dtnctl.model.plan import Change, Outcome, Plan

Result = Literal["applied", "failed", "unfinished", "not tried"]


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """`unfinished`: some of its steps were done, none failed, and something else held back the others."""

    change: Change
    result: Result
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultCounts:
    changes: int
    applied: int
    failed: int
    unfinished: int
    not_tried: int


def change_results(plan: Plan, outcomes: Sequence[Outcome]) -> list[ChangeResult]:
    """One result for each change that was not blocked, in the plan's order. A step without an outcome was not tried."""
    found = {outcome.step: outcome for outcome in outcomes}
    return [_change_result(change, found) for change in plan.changes if change.mark != "blocked"]


def _change_result(change: Change, found: dict[str, Outcome]) -> ChangeResult:
    outcomes = [found[step] for step in change.steps if step in found]
    results = [outcome.result for outcome in outcomes]
    if "failed" in results:
        return ChangeResult(change, "failed", _reasons(outcomes, "failed"))
    if results.count("done") == len(change.steps):
        return ChangeResult(change, "applied")
    tried = any(result in ("done", "undone") for result in results)
    return ChangeResult(change, "unfinished" if tried else "not tried", _reasons(outcomes, "skipped"))


def _reasons(outcomes: Sequence[Outcome], result: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(outcome.reason for outcome in outcomes if outcome.result == result and outcome.reason))


def count_results(results: Sequence[ChangeResult]) -> ResultCounts:
    found = [entry.result for entry in results]
    return ResultCounts(
        changes=len(found),
        applied=found.count("applied"),
        failed=found.count("failed"),
        unfinished=found.count("unfinished"),
        not_tried=found.count("not tried"),
    )
