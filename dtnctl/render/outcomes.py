"""What apply says: one line for each finished step, and at the end what was done, what failed and why, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dtnctl.errors import DtnctlError, HealthTimeoutError, TransferError, UnreachableError
from dtnctl.model.actions import ReplaceContainer, RestoreContainer
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Plan, Step
from dtnctl.render.blocks import BODY, fact_rows, with_place
from dtnctl.render.context import RenderContext
from dtnctl.render.facts import Fact
from dtnctl.render.quantities import duration_text
from dtnctl.render.results import ChangeResult, ResultCounts, change_results, count_results
from dtnctl.render.steps import step_words
from dtnctl.render.summary import MORE_FAILING, NAMED, few, named, nameless, object_at, object_name, starting_steps, verb_of
from dtnctl.render.text import Sign, Style, cells, command_lines, dotted, flow, look_of, pad, plural, printable, printable_text

VERB_CELLS = 10  # of the longest verb of a step


def render_progress(outcome: Outcome, step: Step, plan: Plan) -> str:
    """A finished step on one line: `dtn1  create      scinet.climate  0.12 s`. Columns are the same for all steps of a plan."""
    verb, name = step_words(step.action)
    width = max((len(row.name) for row in plan.endpoints), default=0)
    words = [pad(step.endpoint, width), pad(verb, VERB_CELLS), name]
    if outcome.result == "done":
        words.append(duration_text(outcome.seconds))
        if outcome.detail:
            words.append(outcome.detail)
    else:
        words.append(f"{outcome.result}: {outcome.reason}" if outcome.reason else outcome.result)
    return printable_text("  ".join(words), ascii_only=False)


# --- the closing report -------------------------------------------------------------------------------------

RESULT = 13  # cells of sign and result
NAMED_COMMANDS = 3  # as many objects get a suggested command of their own


def render_outcomes(plan: Plan, outcomes: Sequence[Outcome], context: RenderContext, remaining: Plan | None = None) -> str:
    """Verdict first, then what failed and why, what was restored, what is left, and the next command.

    `remaining` is the plan of a last look after the apply, if there was one.
    """
    look = look_of(context)
    done = printable(plan.steps, ascii_only=context.ascii)
    plan = replace(printable(replace(plan, steps=(), snapshot=None), ascii_only=context.ascii), steps=done)
    outcomes = printable(tuple(outcomes), ascii_only=context.ascii)
    context = printable(context, ascii_only=context.ascii)
    remaining = printable(replace(remaining, steps=(), snapshot=None), ascii_only=context.ascii) if remaining else None
    results = change_results(plan, outcomes)
    steps = {step.id: step for step in plan.steps}
    starting = starting_steps(plan)
    sections = [
        _verdict(plan, count_results(results), remaining, look),
        *(_result_lines(same, verb_of(same[0].change, starting), steps, look) for same in _by_cause(results)),
        *_other_failures(results, outcomes, steps, look),
        _details(outcomes, steps, look),
        _left(plan, remaining, look),
        _next(results, outcomes, steps, context, look),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _verdict(plan: Plan, counts: ResultCounts, remaining: Plan | None, look: Style) -> list[str]:
    if counts.applied == counts.changes:
        parts = [f"Applied {counts.applied:,} of {plural(counts.changes, 'change')}." if counts.changes else "Nothing to apply."]
    else:
        restored = f" ({counts.put_back:,} restored)" if counts.put_back else ""
        found = (
            f"{counts.applied:,} of {plural(counts.changes, 'change')} applied",
            f"{counts.failed:,} failed{restored}" if counts.failed else "",
            f"{counts.unfinished:,} unfinished" if counts.unfinished else "",
            f"{counts.not_tried:,} not tried" if counts.not_tried else "",
        )
        parts = [", ".join(text for text in found if text)]
    if plan.blocked:
        parts.append(f"{plan.count('blocked'):,} blocked")
    if remaining is not None and remaining.is_empty and not (remaining.failing or remaining.unanswered):
        parts.append("a last look found nothing left to do")
    return [look.paint("bold", line) for line in flow(dotted(parts, look.dot), look.width)]


def _by_cause(results: Sequence[ChangeResult]) -> list[list[ChangeResult]]:
    """Those that are not applied; many that ended in the same way for one reason on one endpoint are together."""
    found: dict[object, list[ChangeResult]] = {}
    for entry in results:
        if entry.result != "applied":
            reasons = tuple(nameless(reason, entry.change.name) for reason in entry.reasons)
            found.setdefault((entry.result, reasons, entry.change.kind, entry.change.endpoint), []).append(entry)
    return [part for same in found.values() for part in ([same] if len(same) > NAMED else [[entry] for entry in same])]


def _result_lines(same: Sequence[ChangeResult], verb: str, steps: dict[str, Step], look: Style) -> list[str]:
    entry = same[0]
    change = entry.change
    sign: Sign = "blocked" if entry.result == "failed" else "note"
    heading = _heading(sign, entry.result, f"{verb} {object_name(change)}", change.endpoint, look)
    facts = [_failure(outcome, steps.get(outcome.step)) for outcome in entry.failures]
    facts = facts or [Fact(None, "why", (reason,)) for reason in entry.reasons]
    facts += [fact for outcome in entry.failures for fact in _last_words(outcome)]
    facts += [fact for outcome in entry.failures for fact in _undone(outcome, steps.get(outcome.step))]
    if done := sum(outcome.result == "done" for outcome in entry.outcomes):
        facts.append(Fact("kept", "done", (f"{done} of {plural(len(change.steps), 'step')}",)))
    if len(same) > 1:
        facts.append(Fact(None, "also", (f"{named([object_name(other.change) for other in same[1:]])}: the same",)))
    return [*with_place(heading, change.cause.place, look), *fact_rows(facts, look)]


def _heading(sign: Sign, result: str, what: str, endpoint: str, look: Style) -> list[str]:
    start = pad(look.paint(sign, f"{look.signs[sign]} {result}"), RESULT)
    first, *more = flow([look.paint("bold", what), f"@ {endpoint}"], look.width - RESULT)
    return [start + first, *(" " * RESULT + line for line in more)]


def _failure(outcome: Outcome, step: Step | None) -> Fact:
    verb, name = step_words(step.action) if step else ("step", outcome.step)
    return Fact("blocked", verb, (f"{name}:", outcome.reason or "no reason was given"))


def _last_words(outcome: Outcome) -> list[Fact]:
    """What a container that did not become ready wrote last, a line each."""
    found = [("its check", outcome.check_output), ("its log", outcome.log)]
    return [Fact(None, label if number == 0 else "", (line,)) for label, lines in found for number, line in enumerate(lines)]


def _undone(outcome: Outcome, step: Step | None) -> list[Fact]:
    """What is as it was before, and whether it runs again."""
    if outcome.result != "undone" or step is None or not isinstance(step.undo, (RestoreContainer, ReplaceContainer)):
        return []
    state = "and started again" if step.undo.start else "it did not run before and does not run now"
    return [Fact("kept", "restored", (f"{step.undo.container} as it was before,", state))]


def _other_failures(results: Sequence[ChangeResult], outcomes: Sequence[Outcome], steps: dict[str, Step], look: Style) -> list[list[str]]:
    """Failed steps that serve several changes and belong to none, such as the pull of an image."""
    owned = {step for entry in results for step in entry.change.steps}
    failed = [outcome for outcome in outcomes if outcome.result in ("failed", "undone") and outcome.step not in owned]
    return [_other_failure(outcome, steps.get(outcome.step), look) for outcome in failed]


def _other_failure(outcome: Outcome, step: Step | None, look: Style) -> list[str]:
    what = " ".join(step_words(step.action)) if step else outcome.step
    heading = _heading("blocked", "failed", what, step.endpoint if step else "?", look)
    return [*heading, *fact_rows([Fact("blocked", "why", (outcome.reason or "no reason was given",))], look)]


def _details(outcomes: Sequence[Outcome], steps: dict[str, Step], look: Style) -> list[str]:
    """What finished steps report, such as the bytes of a transfer."""
    detailed = [(steps[outcome.step], outcome) for outcome in outcomes if outcome.detail and outcome.step in steps]
    return fact_rows([Fact("kept", step_words(step.action)[1], (outcome.detail,)) for step, outcome in detailed], look)


def _left(plan: Plan, remaining: Plan | None, look: Style) -> list[str]:
    """Blocked changes, what a last look still found, endpoints of which nothing is known."""
    facts = _together("blocked", "blocked", [(object_at(change), (change.code, change.cause.text)) for change in plan.blocked])
    if remaining is not None:
        blocked = {object_at(change) for change in plan.blocked}
        left = [change for change in remaining.changes if object_at(change) not in blocked]
        facts += _together("note", "left", [(f"{change.mark} {object_at(change)}", (change.cause.text,)) for change in left])
    facts += [Fact("blocked", "failing", (text,)) for text in few((remaining or plan).failing, MORE_FAILING)]
    facts += [
        Fact("note", "silent", (f"{row.name}:", f"{row.silence};", "nothing is known of it")) for row in plan.endpoints if row.silence
    ]
    return fact_rows(facts, look)


def _together(sign: Sign, label: str, entries: Sequence[tuple[str, tuple[str, ...]]]) -> list[Fact]:
    """A row for each object and its cause; many with one cause have one row."""
    objects: dict[tuple[str, ...], list[str]] = {}
    for name, cause in entries:
        objects.setdefault(cause, []).append(name)
    return [
        Fact(sign, label, (f"{name}:", *cause))
        for cause, names in objects.items()
        for name in ([named(names)] if len(names) > NAMED else names)
    ]


# --- what to do next ----------------------------------------------------------------------------------------


def _next(
    results: Sequence[ChangeResult], outcomes: Sequence[Outcome], steps: dict[str, Step], context: RenderContext, look: Style
) -> list[str]:
    """Commands to copy: first those that show more about what failed, last the one that goes on."""
    commands = _looks(results)
    failed = [outcome for outcome in outcomes if outcome.result in ("failed", "undone")]
    silent = {steps[outcome.step].endpoint for outcome in failed if outcome.error == UnreachableError.exit_name and outcome.step in steps}
    commands += [(f"dtnctl endpoints show {name}", "what is known of it") for name in sorted(silent)[:NAMED_COMMANDS]]
    if any(entry.result != "applied" for entry in results) or failed:
        verb = "destroy" if context.command == "destroy" else "apply"
        options = f" {context.options}" if context.options else ""
        commands.append((f"dtnctl {verb}{options}", "continues with what is left"))
    width = max((cells(command) for command, _ in commands), default=0)
    lines = [piece for command, why in commands for piece in _next_line(command, why, width, look)]
    return [look.paint("bold", "next"), *lines] if lines else []


def _looks(results: Sequence[ChangeResult]) -> list[tuple[str, str]]:
    named: dict[str, list[str]] = {"failed": [], "sessions": [], "transfers": []}
    for entry in results:
        for outcome in entry.failures:
            if outcome.error == HealthTimeoutError.exit_name and entry.change.kind == "session":
                named["failed"].append(entry.change.name)
            if outcome.error == DtnctlError.exit_name and entry.change.kind == "session":
                named["sessions"].append(entry.change.name)
            if outcome.error == TransferError.exit_name:
                named["transfers"].append(entry.change.name)
    return [
        (f"dtnctl sessions logs {name} --failed" if kind == "failed" else f"dtnctl {kind} logs {name}", "what it wrote")
        for kind, names in named.items()
        for name in list(dict.fromkeys(names))[:NAMED_COMMANDS]
    ]


def _next_line(command: str, why: str, width: int, look: Style) -> list[str]:
    start = " " * BODY
    if BODY + width + 2 + cells(why) <= look.width:
        return [start + pad(command, width) + "  " + look.paint("dim", why)]
    return [start + line for line in command_lines(command, look.width - BODY)]
