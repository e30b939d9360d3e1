"""A plain table: aligned columns under a header, fitted to a width. Columns go before characters do; then long cells end in `…`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dtnctl.render.text import Role, Style, cells, clip, flow, pad

GAP = "  "
SHOW = "-o wide shows every column"


@dataclass(frozen=True, slots=True)
class Column:
    """`drop`: 0 stays always; of the others the highest leaves first. `least`: cells that it may be cut to; 0 is never cut.

    A column that may leave also leaves when all its cells are empty.
    """

    header: str
    right: bool = False
    drop: int = 0
    least: int = 0


def table_lines(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    look: Style,
    *,
    indent: int = 0,
    roles: Mapping[str, Role] | None = None,
    fits: bool = True,
) -> list[str]:
    """Header and rows as lines of at most the look's width, or without `fits` as wide as they are; last the columns that had no room.

    `roles` colours the cells that hold exactly that text.
    """
    natural = [max(cells(column.header), *(cells(row[index]) for row in rows), 0) for index, column in enumerate(columns)]
    widths = fit(columns, rows, natural, look.width - indent) if fits else natural
    shown = [index for index, width in enumerate(widths) if width]

    def line(texts: Sequence[str], role_of: Mapping[str, Role], default: Role) -> str:
        parts = []
        for index in shown:
            painted = look.paint(role_of.get(texts[index], default), clip(texts[index], widths[index], look.ellipsis))
            parts.append(pad(painted, widths[index], right=columns[index].right))
        return (" " * indent + GAP.join(parts)).rstrip()

    header = line([column.header for column in columns], {}, "dim")
    missing = [column.header for index, column in enumerate(columns) if not widths[index] and any(row[index] for row in rows)]
    note = [*(f"{name}," for name in missing[:-1]), *missing[-1:], "left out to save room;", SHOW] if missing else []
    more = [" " * indent + look.paint("dim", text) for text in flow(note, look.width - indent)] if missing else []
    return [header, *(line(row, roles or {}, "") for row in rows), *more]


def fit(columns: Sequence[Column], rows: Sequence[Sequence[str]], natural: Sequence[int], width: int) -> list[int]:
    """Width of each column; 0 for those that leave. Wider than `width` only if nothing more may leave or be cut."""
    widths = [0 if column.drop and rows and not any(row[index] for row in rows) else natural[index] for index, column in enumerate(columns)]
    while _total(widths) > width and (leaving := _leaving(columns, widths)) is not None:
        widths[leaving] = 0
    while (excess := _total(widths) - width) > 0 and (widest := _widest(columns, widths)) is not None:
        least = max(columns[widest].least, cells(columns[widest].header))
        others = [widths[index] for index in _cuttable(columns, widths) if index != widest]
        # Down to the next one, so that the long ones lose first and end up equal.
        level = max((other for other in others if other < widths[widest]), default=least)
        widths[widest] = max(least, min(widths[widest] - 1, max(level, widths[widest] - excess)))
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * max(0, sum(1 for width in widths if width) - 1)


def _leaving(columns: Sequence[Column], widths: Sequence[int]) -> int | None:
    candidates = [index for index, column in enumerate(columns) if column.drop and widths[index]]
    return max(candidates, key=lambda index: columns[index].drop, default=None)


def _cuttable(columns: Sequence[Column], widths: Sequence[int]) -> list[int]:
    return [index for index, column in enumerate(columns) if column.least and widths[index] > max(column.least, cells(column.header))]


def _widest(columns: Sequence[Column], widths: Sequence[int]) -> int | None:
    return max(_cuttable(columns, widths), key=lambda index: widths[index], default=None)
