"""A Plan as text for a terminal: verdict first, then by danger, each change with its cause. Reads well without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dtnctl.model.plan import Change, EndpointSummary, Mark, Plan
from dtnctl.model.policy import PolicyResult
from dtnctl.render.blocks import BODY, block_lines, fact_lines, label_width, with_place
from dtnctl.render.columns import Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.facts import transfer_fact
from dtnctl.render.paths import path_lines
from dtnctl.render.summary import (
    FINISHED,
    count_by_endpoint,
    exact_command,
    group_changes,
    hardware_cells,
    policy_verdict,
    risks,
    shown_hash,
    shown_notes,
    split_drift,
    transfer_order,
    verdict,
)
from dtnctl.render.text import Role, Style, cells, command_lines, dotted, flow, look_of, plural, printable

HEAD = 9  # cells of VERDICT, RISK and the words below them
FEW = 5  # finished transfers that are worth listing unasked

TABLE_MARKS: tuple[Mark, ...] = ("create", "update", "replace", "destroy", "transfer", "blocked")


def render_plan(plan: Plan, context: RenderContext) -> str:
    """The whole plan. Equal plans and contexts give equal bytes; nothing in it obeys or deceives a terminal."""
    look = look_of(context)
    whole = plan
    plan = replace(printable(replace(plan, steps=(), snapshot=None), ascii_only=context.ascii), steps=plan.steps)
    context = printable(context, ascii_only=context.ascii)
    sections = [_head(plan, context, look), _endpoint_table(plan, context, look), path_lines(plan, look)]
    if not context.brief:
        wanted, drifted = split_drift(plan.changes)
        sections += [block_lines(group, look) for group in group_changes(plan, wanted)]
        sections += _drift(plan, drifted, look)
        sections += [_transfers(plan, context, look), _unchanged(plan, context, look)]
    sections.append(_foot(whole, context, look))
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


# --- head and table -----------------------------------------------------------------------------------------


def _head(plan: Plan, context: RenderContext, look: Style) -> list[str]:
    lines = _headed("VERDICT", verdict(plan, context.command), look, "bold")
    if not plan.is_empty or plan.silent:
        lines += _headed("RISK", risks(plan), look, "bold")
    if context.policy is not None:
        lines += _policy(context.policy, look)
    lines += _headed("FROM", _source(plan, context), look, "dim")
    for note in shown_notes(plan):
        lines += _headed("NOTE", [note], look, "note")
    return lines


def _policy(found: PolicyResult, look: Style) -> list[str]:
    """What the policy says, a line for each reason and each warning."""
    first, *reasons = [policy_verdict(found), *found.reasons, *(f"warning: {text}" for text in found.warnings)]
    lines = _headed("POLICY", [first], look, "blocked" if found.refuses else "dim")
    start = " " * HEAD
    return [*lines, *(f"{start}{line}" for text in reasons for line in flow([f"- {text}"], look.width - HEAD))]


def _headed(word: str, items: Sequence[str], look: Style, role: Role) -> list[str]:
    first, *more = flow(dotted(items, look.dot), look.width - HEAD)
    return [look.paint(role, word) + " " * (HEAD - len(word)) + first, *(" " * HEAD + line for line in more)]


def _source(plan: Plan, context: RenderContext) -> list[str]:
    answered = sum(not row.silence for row in plan.endpoints)
    parts = (
        f"site {plan.site}",
        context.head.text,
        f"{answered} of {plural(len(plan.endpoints), 'endpoint')} answered",
        f"dtnctl {context.version}" if context.version else "",
        context.took,
    )
    return [part for part in parts if part]


ENDPOINT_COLUMNS = (
    Column("ENDPOINT", least=12),
    Column("SESSIONS"),
    *(Column("", right=True) for _ in TABLE_MARKS),
    Column("VF", drop=4),
    Column("PORTS", drop=2),
    Column("CPUS", drop=3),
    Column("LOCK", least=8, drop=1),
    Column("STATE"),
)


def _endpoint_table(plan: Plan, context: RenderContext, look: Style) -> list[str]:
    """One row for each endpoint; none of them if nothing changes and all answered."""
    if not plan.endpoints or (plan.is_empty and not plan.silent and not context.show_all):
        return []
    columns = [
        replace(column, header=look.signs[TABLE_MARKS[index - 2]]) if not column.header else column
        for index, column in enumerate(ENDPOINT_COLUMNS)
    ]
    counts = count_by_endpoint(plan)
    rows = [_endpoint_row(row, [str(counts[row.name, mark]) for mark in TABLE_MARKS], look) for row in plan.endpoints]
    return table_lines(columns, rows, look, indent=2, roles={"SILENT": "destroy"}, fits=not context.wide)


def _endpoint_row(row: EndpointSummary, marks: Sequence[str], look: Style) -> list[str]:
    if row.silence:
        return [row.name, "?", *(look.dot if mark == "0" else mark for mark in marks), "", "?", "", "?", "SILENT"]
    functions, processors = hardware_cells(row, look.arrow)
    return [
        row.name,
        _from_to(row.sessions_before, row.sessions_after, look),
        *marks,
        functions,
        _from_to(row.ports_before, row.ports_after, look),
        processors,
        row.lock or "free",
        "live",
    ]


def _from_to(before: int, after: int, look: Style) -> str:
    return str(after) if before == after else f"{before} {look.arrow} {after}"


# --- what follows the changes -------------------------------------------------------------------------------


def _drift(plan: Plan, changes: Sequence[Change], look: Style) -> list[list[str]]:
    if not changes:
        return []
    title = look.paint("bold", "drift") + f" ({len(changes):,})  Git did not change, the endpoint did; apply takes it back"
    return [flow([title], look.width), *(block_lines(group, look) for group in group_changes(plan, changes))]


def _transfers(plan: Plan, context: RenderContext, look: Style) -> list[str]:
    if not plan.transfers:
        return []
    notes = transfer_order(plan.transfers)
    done = sum(note.state == FINISHED for note in notes)
    hidden = done if done > FEW and not context.show_all else 0
    listed = notes[: len(notes) - hidden]
    lines = [look.paint("bold", "transfers") + f" ({len(notes):,})  nothing to do for them"]
    facts = [transfer_fact(note) for note in listed]
    label = label_width(facts)
    for note, fact in zip(listed, facts, strict=True):
        lines += with_place(fact_lines(fact, label, look), note.place, look)
    if hidden:
        lines.append(" " * BODY + f"{look.signs['kept']} {hidden:,} more succeeded (--all lists them)")
    return lines


def _unchanged(plan: Plan, context: RenderContext, look: Style) -> list[str]:
    if not plan.unchanged:
        return []
    title = look.paint("bold", "unchanged") + f" ({len(plan.unchanged):,})"
    if not context.show_all:
        return [f"{title}  --all lists them"]
    start = " " * BODY + f"{look.signs['kept']} "
    return [title, *(start + line for name in plan.unchanged for line in flow([name], look.width - len(start)))]


def _foot(plan: Plan, context: RenderContext, look: Style) -> list[str]:
    """`plan` as it was planned: its hash is that of what will be done, not of what can be printed."""
    if plan.is_empty:
        return []
    plan_hash = shown_hash(plan, context)
    lines = [f"plan hash {plan_hash}"] if plan_hash else []
    if command := exact_command(plan, context):
        lines += _command(f"{context.command.replace('plan', 'apply')} exactly this:", command, look)
    if context.command == "drift":
        lines += _command("what apply would do:", f"dtnctl plan {context.options}".rstrip(), look)
    if context.reproduce:
        lines += _command(
            f"show this {context.command.replace('destroy', 'plan').replace('apply', 'plan')} again:", context.reproduce, look
        )
    return lines


def _command(word: str, command: str, look: Style) -> list[str]:
    """The command beside the word, or below it if it is long."""
    if 23 + cells(command) <= look.width:
        return [f"{word:<23}{command}"]
    return [word, *(f"  {line}" for line in command_lines(command, look.width - 2))]
