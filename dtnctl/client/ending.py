"""The exit code of a writing command: the first row of one table that finds something. Source: docs/exit-codes.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dtnctl.client.workplace import SHOWING
from dtnctl.errors import (
    BlockedError,
    DtnctlError,
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
    from dtnctl.model.outcome import Outcome
    from dtnctl.model.plan import Plan
    from dtnctl.render.context import Command


@dataclass(frozen=True, slots=True)
class Ending:
    """How a writing command ended: the plan that ran, what became of its steps, and the changes that a last look still found.

    `signal_number` is that of the signal which stopped it, or 0. `waited`: whether it waited for the ends of transfers.
    `changed`: whether anything was carried out at all. `allowed`: transfers that may have failed earlier, by name.
    `deferring`: what waits for running transfers was asked to wait.
    """

    command: Command
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    remaining: Plan | None = None
    signal_number: int = 0
    waited: bool = True
    changed: bool = True
    allowed: frozenset[str] = frozenset()
    deferring: bool = False


def worst(ending: Ending) -> DtnctlError | None:
    """The error of the worst that happened; None if all is well."""
    return next((error for find in PRECEDENCE if (error := find(ending)) is not None), None)


def raise_for_worst(ending: Ending) -> None:
    """Raises that error, if there is one."""
    if (error := worst(ending)) is not None:
        raise error


def _stopped(ending: Ending) -> DtnctlError | None:
    return StoppedError(ending.signal_number) if ending.signal_number else None


def _failed(ending: Ending) -> DtnctlError | None:
    """Where all that failed has one error that says more than that something failed, that one."""
    bad = [outcome for outcome in ending.outcomes if outcome.result in ("failed", "undone")]
    names = {outcome.error for outcome in bad}
    if len(names) == 1 and (error := _ALONE.get(min(names))) is not None:
        return error(bad)
    return (
        PartialApplyError(f"{len(bad)} of {plural(len(ending.outcomes), 'step')} failed; the next {ending.command} continues")
        if bad
        else None
    )


def _blocked(ending: Ending) -> DtnctlError | None:
    # what waits for an agent's answer is unknown rather than forbidden: the state needs no change for it
    blocked = [change for change in ending.plan.blocked if change not in ending.plan.waiting and not (ending.deferring and change.held)]
    held = [outcome for outcome in ending.outcomes if (outcome.result, outcome.error) == ("skipped", BlockedError.exit_name)]
    if not blocked:
        return BlockedError(f"{plural(len(held), 'step')} not begun, since a freeze began meanwhile: {held[0].reason}") if held else None
    return BlockedError(f"{len(blocked)} blocked, see the plan: {named(sorted({change.name for change in blocked}))}")


def _silent(ending: Ending) -> DtnctlError | None:
    if not ending.plan.unanswered:
        return None
    text = f"no answer from {', '.join(ending.plan.unanswered)}; the next {ending.command} does what is left there"
    return PartialApplyError(text) if ending.changed else UnreachableError(text)


def _left(ending: Ending) -> DtnctlError | None:
    """Without waiting, a quick transfer may have ended by the last look: its result is recorded by the next apply, as was said."""
    changes = ending.remaining.changes if ending.remaining is not None else ()
    left = [change for change in changes if ending.waited or change.kind != "transfer"]
    if not any(change.steps for change in left):
        return None
    names = named(sorted({f"{change.kind}/{change.name} @ {change.endpoint}" for change in left}))
    return PartialApplyError(
        f"everything was carried out, but a last look still finds changes: {names}; `{SHOWING[ending.command]}` shows them"
    )


def _unseen(ending: Ending) -> DtnctlError | None:
    if ending.remaining is None or not ending.remaining.unanswered:
        return None
    names = ", ".join(ending.remaining.unanswered)
    text = f"everything was carried out, but a last look got no answer from {names}; `{SHOWING[ending.command]}` shows what is left"
    return PartialApplyError(text)


def _failing(ending: Ending) -> DtnctlError | None:
    """Services that are as declared and do not work: nothing is left to do, and yet all is not well."""
    failing = (ending.remaining or ending.plan).failing
    if not failing:
        return None
    more = f"; and {plural(len(failing) - NAMED, 'more service')}" * (len(failing) > NAMED)
    found = f"{'; '.join(failing[:NAMED])}{more}"
    return HealthTimeoutError(f"{found}; `dtnctl sessions logs NAME` shows what it wrote, --failed what apply saw last")


def _unsettled(ending: Ending) -> DtnctlError | None:
    """Transfers that did not succeed, in this run or an earlier one: nothing is left to do, and yet the data is not there."""
    notes = [note for note in (ending.remaining or ending.plan).unsettled if note.name not in ending.allowed]
    if not notes or ending.command != "apply":
        return None
    found = "; ".join(f"transfer {note.name} (generation {note.generation}) {_WORDS[note.state]}: {note.text}" for note in notes[:NAMED])
    more = f"; and {plural(len(notes) - NAMED, 'more transfer')}" if len(notes) > NAMED else ""
    return TransferError(f"{found}{more}", f"--allow-failed {notes[0].name} accepts that for one run")


def _transfers_failed(bad: Sequence[Outcome]) -> TransferError:
    """How many, and why: each reason once."""
    reasons = list(dict.fromkeys(outcome.reason for outcome in bad))
    more = f"; and {plural(len(reasons) - 1, 'other reason')}, see above" if len(reasons) > 1 else ""
    return TransferError(f"{plural(len(bad), 'transfer')} failed: {reasons[0]}{more}")


_WORDS = {"failed": "failed", "partial": "arrived in part", "unknown": "is unknown"}
_ALONE: Mapping[str, Callable[[Sequence[Outcome]], DtnctlError]] = {
    LockError.exit_name: lambda bad: LockError(bad[0].reason),
    TransferError.exit_name: _transfers_failed,
    HealthTimeoutError.exit_name: lambda bad: HealthTimeoutError(bad[0].reason),
}
PRECEDENCE: tuple[Callable[[Ending], DtnctlError | None], ...] = (
    _stopped,  # 129, 130, 143
    _failed,  # 6, 8 or 9 if nothing else failed, otherwise 3
    _blocked,  # 4
    _silent,  # 3, or 7 if nothing was changed
    _left,  # 3
    _unseen,  # 3
    _failing,  # 8
    _unsettled,  # 9
)
