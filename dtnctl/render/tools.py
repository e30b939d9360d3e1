"""Tools of transfers, built in and declared: a table, one in full, and both as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from dtnctl.model.tools import COMMON_OPTIONS, Tool
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.render.columns import Column
from dtnctl.render.context import RenderContext
from dtnctl.render.json import document_of
from dtnctl.render.tables import fields_text, listing_text

COLUMNS = (
    Column("TOOL", least=12),
    Column("MOVES"),
    Column("PORTS"),
    Column("PROGRAMS", least=16, drop=3),
    Column("AT THE DESTINATION", least=12, drop=2),
    Column("OPTIONS", least=16, drop=1),
    Column("FILE", least=16, drop=4),
)
EVERY_TOOL = tuple(name for name in COMMON_OPTIONS if name != "own")


@dataclass(frozen=True, slots=True)
class ToolRow:
    """One tool. `file` declares it, from the repository's root; empty for one of dtnctl's own.

    `options` are the shared ones that it has, `own_options` those that it alone has.
    """

    name: str
    file: str
    moves: str
    ports: str
    stream_ports: bool
    logs_in_at: tuple[str, ...]
    programs: tuple[str, ...]
    server_programs: tuple[str, ...]
    options: tuple[str, ...]
    own_options: tuple[str, ...]


def tool_row(tool: Tool, file: str = "") -> ToolRow:
    """What is shown of a tool."""
    options = tuple(item.name for item in fields(TransferOptions) if item.name != "own" and tool.takes(item.name))
    return ToolRow(
        tool.name,
        file,
        tool.moves,
        tool.ports,
        tool.stream_ports,
        tool.logs_in_at,
        tool.programs,
        tool.server_programs,
        options,
        tuple(item.name for item in fields(tool.own)) if tool.own is not None else (),
    )


def tools_document(rows: Sequence[ToolRow]) -> dict[str, Any]:
    """The rows as JSON has them."""
    return document_of("tools", {"tools": [_data(row) for row in rows]})


def _data(row: ToolRow) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(row).items()}


def render_tools(rows: Sequence[ToolRow], context: RenderContext) -> str:
    """One line for each; of the options those that not every tool has."""
    cells = [
        [
            row.name,
            row.moves,
            row.ports,
            ", ".join(row.programs),
            ", ".join(row.server_programs),
            ", ".join(name for name in (*row.options, *row.own_options) if name not in EVERY_TOOL),
            row.file or "built in",
        ]
        for row in rows
    ]
    return listing_text(COLUMNS, cells, "tools", context)


def render_tool(row: ToolRow, context: RenderContext) -> str:
    """Everything of one tool, as `field: value`."""
    return fields_text(
        [
            ("tool", row.name),
            ("file", row.file or "built in"),
            ("moves", row.moves),
            ("logs in at", ", ".join(row.logs_in_at)),
            ("data ports", _ports_text(row)),
            ("programs at the source", ", ".join(row.programs)),
            ("programs at the destination", ", ".join(row.server_programs)),
            ("options", ", ".join(row.options)),
            ("own options", ", ".join(row.own_options)),
        ],
        context,
    )


def _ports_text(row: ToolRow) -> str:
    if row.ports == "none":
        return "none, the service's sshd is all"
    if row.ports == "each file":
        return "one for each file that is copied at the same time"
    return "one, and one for each parallel stream, in a row" if row.stream_ports else "one"
