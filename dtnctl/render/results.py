"""What became of a plan's changes, read off the outcomes of their steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Change, Plan

Result = Literal["applied", "failed", "unfinished", "not tried"]


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """`unfinished`: some of its steps were done, none failed, and something else held back the others.

    `outcomes` are those of its steps, in the plan's order. A failed change whose container that was there is back has one that is "undone".
    """

    change: Change
    result: Result
    outcomes: tuple[Outcome, ...] = ()

    @property
    def failures(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.result in ("failed", "undone"))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not applied, each reason once."""
        held_back = self.failures or tuple(outcome for outcome in self.outcomes if outcome.result == "skipped")
        return tuple(dict.fromkeys(outcome.reason for outcome in held_back if outcome.reason))


@dataclass(frozen=True, slots=True)
class ResultCounts:
    """`put_back` counts those of the failed ones whose container that was there is back."""

    changes: int
    applied: int
    failed: int
    unfinished: int
    not_tried: int
    put_back: int


def change_results(plan: Plan, outcomes: Sequence[Outcome]) -> list[ChangeResult]:
    """One result for each change that was not blocked, in the plan's order. A step without an outcome was not tried."""
    found = {outcome.step: outcome for outcome in outcomes}
    return [_change_result(change, found) for change in plan.changes if change.mark != "blocked"]


def _change_result(change: Change, found: dict[str, Outcome]) -> ChangeResult:
    outcomes = tuple(found[step] for step in change.steps if step in found)
    return ChangeResult(change, _result([outcome.result for outcome in outcomes], len(change.steps)), outcomes)


def _result(results: Sequence[str], steps: int) -> Result:
    if "failed" in results or "undone" in results:
        return "failed"
    if results.count("done") == steps:
        return "applied"
    return "unfinished" if "done" in results else "not tried"


def count_results(results: Sequence[ChangeResult]) -> ResultCounts:
    found = [entry.result for entry in results]
    return ResultCounts(
        changes=len(found),
        applied=found.count("applied"),
        failed=found.count("failed"),
        unfinished=found.count("unfinished"),
        not_tried=found.count("not tried"),
        put_back=sum(any(outcome.result == "undone" for outcome in entry.outcomes) for entry in results),
    )
