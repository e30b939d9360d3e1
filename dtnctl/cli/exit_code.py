"""The exit code of what was applied: the error of the worst. Source: docs/exit-codes.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.cli.workplace import SHOWING
from dtnctl.errors import (
    BlockedError,
    HealthTimeoutError,
    LockError,
    PartialApplyError,
    StoppedError,
    TransferError,
    UnreachableError,
)
from dtnctl.printable import plural
from dtnctl.render.summary import NAMED, named

if TYPE_CHECKING:
    from dtnctl.model.plan import Outcome, Plan
    from dtnctl.render.context import Command
    from dtnctl.runtime.reconcile import Applied


def exit_code(applied: Applied, signal_number: int, command: Command, *, waited: bool) -> int:
    """0, or the error of the worst that happened: what failed, what could not be done, what is left, what does not work."""
    bad = [outcome for outcome in applied.outcomes if outcome.result in ("failed", "undone")]
    kinds = {outcome.error for outcome in bad}
    if signal_number:
        raise StoppedError(signal_number)
    if kinds == {"lock"}:
        raise LockError(bad[0].reason)
    if kinds == {"transfer"}:
        raise TransferError(failed_transfers(bad))
    if kinds == {"health"}:
        raise HealthTimeoutError(bad[0].reason)
    if bad:
        raise PartialApplyError(f"{len(bad)} of {plural(len(applied.outcomes), 'step')} failed; the next {command} continues")
    raise_for_plan(applied.plan, command, changed=True)
    # Without waiting, a quick transfer may have ended by the last look: its result is recorded by the next apply, as was said.
    left = [change for change in applied.remaining.changes if waited or change.kind != "transfer"] if applied.remaining is not None else []
    if any(change.steps for change in left):
        names = named(sorted({f"{change.kind}/{change.name} @ {change.endpoint}" for change in left}))
        raise PartialApplyError(
            f"everything was carried out, but a last look still finds changes: {names}; `{SHOWING[command]}` shows them"
        )
    if applied.remaining is not None and applied.remaining.unanswered:
        names = ", ".join(applied.remaining.unanswered)
        raise PartialApplyError(
            f"everything was carried out, but a last look got no answer from {names}; `{SHOWING[command]}` shows what is left"
        )
    raise_for_failing(applied.remaining if applied.remaining is not None else applied.plan)
    return 0


def raise_for_plan(plan: Plan, command: Command, *, changed: bool) -> None:
    """BlockedError for what the plan holds back, UnreachableError or PartialApplyError for endpoints that do not answer."""
    # what waits for an agent's answer is unknown rather than forbidden: the state needs no change for it
    blocked = [change for change in plan.blocked if change not in plan.waiting]
    if blocked:
        raise BlockedError(f"{len(blocked)} blocked, see the plan: {named(sorted({change.name for change in blocked}))}")
    if plan.unanswered:
        text = f"no answer from {', '.join(plan.unanswered)}; the next {command} does what is left there"
        raise PartialApplyError(text) if changed else UnreachableError(text)


def failed_transfers(bad: list[Outcome]) -> str:
    """How many, and why: each reason once."""
    reasons = list(dict.fromkeys(outcome.reason for outcome in bad))
    more = f"; and {plural(len(reasons) - 1, 'other reason')}, see above" if len(reasons) > 1 else ""
    return f"{plural(len(bad), 'transfer')} failed: {reasons[0]}{more}"


def raise_for_failing(plan: Plan) -> None:
    """HealthTimeoutError for services that are as declared and do not work: nothing is left to do, and yet all is not well."""
    if plan.failing:
        more = f"; and {plural(len(plan.failing) - NAMED, 'more service')}" * (len(plan.failing) > NAMED)
        found = f"{'; '.join(plan.failing[:NAMED])}{more}"
        raise HealthTimeoutError(f"{found}; `dtnctl sessions logs NAME` shows what it wrote, --failed what apply saw last")
