"""The history of runs, and which commit made what stands now: as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from dtnctl.model.history import History, Standing, marks_of
from dtnctl.model.runs import RESULTS, RunRecord
from dtnctl.printable import plural
from dtnctl.render.columns import Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.json import Json, document_of
from dtnctl.render.text import flow, look_of, printable

RUNS = (
    Column("WHEN (UTC)"),
    Column("COMMIT"),
    Column("BY", least=8),
    Column("COMMAND", drop=2),
    Column("RESULT"),
    Column("PLAN", drop=3),
    Column("RUN", drop=1),
    Column("WHAT", least=20),
)
STANDING = (Column("SESSION", least=8), Column("ENDPOINT", least=8), Column("MADE BY"), Column("STATE"))
SHORT = 7  # characters of a commit


def render_history(history: History, context: RenderContext) -> str:
    """The runs, the newest first, then what stands on the endpoints."""
    shown, look = printable(history, ascii_only=context.ascii), look_of(context)
    fits = not context.wide
    if shown.runs:
        sections = [table_lines(RUNS, [run_row(name, record, shown.session) for name, record in shown.runs.items()], look, fits=fits)]
    else:
        about = f" about session {shown.session}" if shown.session else ""
        sections = [flow(f"no run{about} is recorded in this repository".split(" "), look.width)]
    if shown.standing:
        sections.append(table_lines(STANDING, [_standing_row(item) for item in shown.standing], look, fits=fits))
    sections.append([line for note in _notes(shown) for line in flow(["note:", *note.split(" ")], look.width)])
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def run_row(name: str, record: RunRecord, session: str) -> list[str]:
    """One run as a row of the table; of a session, what was done about it alone."""
    what = ", ".join(f"{word} {count}" for word, count in marks_of(record, session)) or "nothing to do"
    what += f"; freeze overridden: {record.override_freeze}" if record.override_freeze else ""
    when = record.began.replace("T", " ").removesuffix("Z")
    return [when, commit_text(record.commit, uncommitted=record.uncommitted), record.asked.text, *_columns(record), name, what]


def _columns(record: RunRecord) -> list[str]:
    return [record.command, record.result, record.plan]


def commit_text(commit: str, *, uncommitted: bool) -> str:
    """`4f2c1e9`, with `+` where files differed from the commit; `-` where none is known."""
    return f"{commit[:SHORT]}{'+' * uncommitted}" if commit else "-"


def _standing_row(item: Standing) -> list[str]:
    return [item.session, item.endpoint, commit_text(item.commit, uncommitted=item.uncommitted), item.state]


def _notes(history: History) -> Iterator[str]:
    if history.more:
        yield f"{plural(history.more, 'older run')} left out; --limit 0 shows all"
    for name, reason in history.silent:
        yield f"{name} does not answer, so what stands there is unknown: {reason}"
    if history.unreadable:
        yield f"{plural(history.unreadable, 'record')} cannot be read: a newer dtnctl wrote them"


def history_document(history: History) -> Json:
    """The same for programs."""
    return document_of(
        "history",
        {
            "session": history.session,
            "runs": [run_document(name, record) for name, record in history.runs.items()],
            "more": history.more,
            "standing": [asdict(item) for item in history.standing],
            "silent": [{"endpoint": name, "reason": reason} for name, reason in history.silent],
            "unreadable": history.unreadable,
        },
    )


def run_document(name: str, record: RunRecord) -> Json:
    """One run for programs."""
    counts = dict(record.steps)
    lists = {"endpoints": list(record.endpoints), "held": list(record.held), "changes": [asdict(change) for change in record.changes]}
    return {"run": name, **asdict(record), **lists, "steps": {result: counts.get(result, 0) for result in sorted(RESULTS)}}
