"""Volumes over NVMe-oF: a table of both ends of each, and one in full."""

from __future__ import annotations

from collections.abc import Sequence

from dtnctl.model.volume_rows import VolumeRow
from dtnctl.render.columns import Column
from dtnctl.render.context import RenderContext
from dtnctl.render.tables import fields_text, listing_text
from dtnctl.render.text import printable

COLUMNS = (
    Column("VOLUME", least=12),
    Column("ROLE"),
    Column("ENDPOINT"),
    Column("STATE"),
    Column("TRANSPORT", drop=2),
    Column("PORTAL", drop=3),
    Column("MODE", drop=4),
    Column("SESSIONS", least=12),
    Column("PLACE", least=16, drop=5),
    Column("WORDS", least=16, drop=1),
)


def render_volumes(rows: Sequence[VolumeRow], context: RenderContext) -> str:
    """A line for each end."""
    return listing_text(COLUMNS, [_cells(row) for row in printable(tuple(rows), ascii_only=context.ascii)], "volumes", context)


def below_status(rows: Sequence[VolumeRow], context: RenderContext) -> str:
    """The same below other lists; nothing where there is no volume."""
    return "\n" + render_volumes(rows, context) if rows else ""


def _cells(row: VolumeRow) -> list[str]:
    sessions = ", ".join(row.sessions)
    return [row.name, row.role, row.endpoint, row.state, row.transport, row.portal, row.mode, sessions, row.place, row.words]


def render_volume(rows: Sequence[VolumeRow], context: RenderContext) -> str:
    """One in full: each end as `field: value`."""
    return "\n".join(_end_text(row, context) for row in printable(tuple(rows), ascii_only=context.ascii))


def _end_text(row: VolumeRow, context: RenderContext) -> str:
    names = ("volume", "role", "endpoint", "state", "transport", "portal", "mode", "sessions", "place", "words")
    return fields_text([(name, cell) for name, cell in zip(names, _cells(row), strict=True) if cell], context)
