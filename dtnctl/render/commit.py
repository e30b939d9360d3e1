"""What a commit changed in the state, and the runs that applied it: as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from dtnctl.model.commit_changes import DeclaredChange
from dtnctl.model.runs import RunRecord
from dtnctl.printable import plural
from dtnctl.render.blocks import with_place
from dtnctl.render.columns import table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.history import RUNS, run_document, run_row
from dtnctl.render.json import Json, document_of
from dtnctl.render.text import Style, flow, look_of, printable

BODY = 4
NOT_APPLIED = "no recorded run applied it, or a later commit that contains it"
APPLIED_LATER = "no run applied it by itself; the first one of a commit that contains it:"
NOTHING = "-"  # in the place of a field that is not written


@dataclass(frozen=True, slots=True)
class CommitView:
    """`changes` are against the first parent. `runs` applied this very commit; `later` says whether they applied one that contains it."""

    commit: str
    author: str
    when: str
    subject: str
    changes: tuple[DeclaredChange, ...]
    runs: Mapping[str, RunRecord]
    later: bool = False


def render_commit(view: CommitView, context: RenderContext) -> str:
    """The commit, each object that differs with its fields, and the runs."""
    shown, look = printable(view, ascii_only=context.ascii), look_of(context)
    head = flow(["COMMIT", shown.commit, shown.when, shown.author], look.width)
    sections = [[look.paint("bold", head[0]), *head[1:], *_sentence(shown.subject, look)]]
    sections.append(_sentence(_verdict(shown.changes), look))
    sections += [_block(change, look) for change in shown.changes]
    sections += [_runs(shown, context)]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _verdict(changes: Sequence[DeclaredChange]) -> str:
    if not changes:
        return "changes nothing that the state declares"
    counts = [f"{mark} {count}" for mark in ("create", "update", "destroy") if (count := sum(item.mark == mark for item in changes))]
    return f"{plural(len(changes), 'object')} declared otherwise than in its parent: {', '.join(counts)}"


def _block(change: DeclaredChange, look: Style) -> list[str]:
    where = [f"@ {change.endpoint}"] if change.endpoint else []
    first = flow([look.signs[change.mark], look.paint("bold", change.mark), change.kind, change.name, *where], look.width)
    lines = with_place(first, change.place, look)
    for field in change.fields:
        text = f"{field.field}: {field.before or NOTHING} {look.arrow} {field.after or NOTHING}"
        place = [] if field.place == change.place else [f"({field.place})"]
        lines += [" " * BODY + line for line in flow([*text.split(" "), *place], look.width - BODY)]
    return lines


def _runs(view: CommitView, context: RenderContext) -> list[str]:
    look = look_of(context)
    if not view.runs:
        return _sentence(NOT_APPLIED, look)
    lines = table_lines(RUNS, [run_row(name, record, "") for name, record in view.runs.items()], look, fits=not context.wide)
    return [*(_sentence(APPLIED_LATER, look) if view.later else []), *lines]


def _sentence(text: str, look: Style) -> list[str]:
    return flow(text.split(" "), look.width)


def commit_document(view: CommitView) -> Json:
    """The same for programs."""
    return document_of(
        "commit",
        {
            "commit": view.commit,
            "author": view.author,
            "when": view.when,
            "subject": view.subject,
            "changes": [{**asdict(change), "fields": [asdict(field) for field in change.fields]} for change in view.changes],
            "runs": [run_document(name, record) for name, record in view.runs.items()],
            "later": view.later,
        },
    )
