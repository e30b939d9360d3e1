"""What a session would change in the place of another program's container, as text and JSON."""

from __future__ import annotations

from dtnctl.model.comparison import Comparison
from dtnctl.printable import plural
from dtnctl.render.columns import Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.json import Json, document_of
from dtnctl.render.text import flow, look_of, printable

COLUMNS = (Column("FIELD", least=10), Column("RUNS", least=16), Column("DECLARED", least=16))


def render_comparison(found: Comparison, context: RenderContext) -> str:
    """The verdict, each field that differs, and what else stands in the way."""
    shown, look = printable(found, ascii_only=context.ascii), look_of(context)
    place = f"container {shown.container} on {shown.endpoint} and session {shown.session}"
    verdict = (
        f"{place}: {plural(len(shown.fields), 'field')} differ{'s' * (len(shown.fields) == 1)}"
        if shown.fields
        else f"{place}: no field differs"
    )
    lines = flow([verdict], look.width)
    if shown.fields:
        lines += ["", *table_lines(COLUMNS, shown.fields, look, fits=not context.wide)]
    if shown.obstacles:
        lines += ["", *(f"{look.signs['blocked']} {text}" for text in shown.obstacles)]
    return "\n".join(lines) + "\n"


def comparison_document(found: Comparison) -> Json:
    """The same for programs."""
    return document_of(
        "comparison",
        {
            "session": found.session,
            "endpoint": found.endpoint,
            "container": found.container,
            "fields": [{"name": name, "runs": runs, "declared": declared} for name, runs, declared in found.fields],
            "obstacles": list(found.obstacles),
        },
    )
