"""One frame of the live view as plain text: `dtnctl top --once`."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.cli.top.tables import Frame, Table
from dtnctl.render.columns import table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.text import Role, Style, look_of, printable_text

ROLES: dict[str, Role] = {
    "answers": "create",
    "silent": "destroy",
    "STARTED": "create",
    "MIXED": "update",
    "UNKNOWN": "destroy",
    "ABSENT": "destroy",
    "running": "create",
    "failed": "destroy",
    "partial": "destroy",
    "down": "destroy",
    "unknown": "dim",
}


def render_frame(frame: Frame, context: RenderContext) -> str:
    """The line of what it is, then each table that has lines."""
    look = look_of(context)
    parts = [[printable_text(frame.head, ascii_only=context.ascii)]]
    parts += [_lines(table, context, look) for table in frame.tables if table.lines]
    return "\n".join("".join(f"{line}\n" for line in lines) for lines in parts)


def _lines(table: Table, context: RenderContext, look: Style) -> list[str]:
    columns = [replace(column, header=printable_text(column.header, ascii_only=context.ascii)) for column in table.columns]
    rows = [[printable_text(cell.text, ascii_only=context.ascii) for cell in line.cells] for line in table.lines]
    return table_lines(columns, rows, look, roles=ROLES)[: 1 + len(rows)]  # without the advice to make it wide
