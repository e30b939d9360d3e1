"""A plan in few words, for tests: one line for each change and each step."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from dtnctl.model.actions import DiscardContainer, ReplaceContainer, RestoreContainer
from dtnctl.model.plan import Change, FieldChange, Plan, Step


def changes(plan: Plan) -> list[str]:
    """`mark kind/name @ endpoint: summary` of each change, in the plan's order."""
    return [_head(change) for change in plan.changes]


def _head(change: Change) -> str:
    drift = "drift: " if change.is_drift else ""
    what = change.code or change.summary  # what is blocked has its cause only
    return f"{drift}{change.mark} {change.kind}/{change.name} @ {change.endpoint}: {what}"


def details(plan: Plan) -> list[str]:
    """The changes with all that a reader learns of them, a fact a line."""
    lines = []
    for change in plan.changes:
        lines.append(_head(change))
        place = f" ({change.cause.place})" if change.cause.place else ""
        lines.append(f"  because {change.cause.text}{place}")
        lines += [f"  {_field(item)}" for item in change.fields]
        lines += [f"  {label} = {value}" for label, value in (*change.allocations, *change.kept)]
        lines += [f"  note {note}" for note in change.notes]
        lines += [f"  interrupts: {change.interrupts}"] * bool(change.interrupts)
        lines += [f"  fix: {change.fix}"] * bool(change.fix)
    return _folded(lines)


def _folded(lines: Sequence[str]) -> list[str]:
    """Long lines go on below, further in."""
    return [part for line in lines for part in textwrap.wrap(line, 120, subsequent_indent=" " * 6, break_on_hyphens=False)]


def _field(item: FieldChange) -> str:
    place = f" ({item.cause.place})" if item.cause.place else ""
    return f"{item.field}: {item.before} -> {item.after}{' !' if item.forces_replace else ''}{place}"


def steps(plan: Plan) -> list[str]:
    """`id <- needs` of each step, in the plan's order."""
    return [_step(step) for step in plan.steps]


def _step(step: Step) -> str:
    needs = f" <- {', '.join(step.needs)}" if step.needs else ""
    undo = (
        {RestoreContainer: " (or back)", ReplaceContainer: " (or back)", DiscardContainer: " (or discard)"}[type(step.undo)]
        if step.undo is not None
        else ""
    )
    return f"{step.id}{needs}{undo}"


def notes(plan: Plan) -> list[str]:
    """What is said beside the changes: notes, and transfers that need nothing."""
    return _folded([*plan.notes, *(f"{note.name} generation {note.generation} {note.state}: {note.text}" for note in plan.transfers)])


def says(lines: Sequence[str], text: str) -> None:
    """The lines are those of the text, which may be indented as the test around it is."""
    said = "\n".join(lines)
    assert said == textwrap.dedent(text).strip("\n"), f"it says\n{said}"
