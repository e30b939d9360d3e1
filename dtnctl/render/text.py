"""Characters, cells and lines: what may be printed, how wide it is, where it breaks, how it is coloured."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, TypeVar

from dtnctl.model.plan import Mark
from dtnctl.printable import plural as plural
from dtnctl.printable import printable_text as one_line
from dtnctl.render.context import RenderContext

T = TypeVar("T")

# --- what may be printed ------------------------------------------------------------------------------------

ASCII_FORMS = str.maketrans({"→": "->", "↔": "<->", "·": "|", "…": "...", "—": "-", "–": "-", "−": "-", "×": "x", "≤": "<=", "≥": ">="})


def printable_text(text: str, *, ascii_only: bool) -> str:
    """The text on one line, with nothing in it that a terminal obeys, and in ASCII alone where that is asked for."""
    text = one_line(text)
    if ascii_only and not text.isascii():
        text = text.translate(ASCII_FORMS).encode("ascii", "backslashreplace").decode("ascii")
    return text


def printable(value: T, *, ascii_only: bool) -> T:
    """The same value of the model with each text in it made printable, so that no renderer can forget one."""
    return _printable_value(value, ascii_only)  # type: ignore[no-any-return]  # rebuilt type by type below


def _printable_value(value: Any, ascii_only: bool) -> Any:
    if isinstance(value, str):
        return printable_text(value, ascii_only=ascii_only)
    if isinstance(value, tuple):
        return tuple(_printable_value(item, ascii_only) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        texts = {item.name: _printable_value(getattr(value, item.name), ascii_only) for item in fields(value)}
        return replace(value, **texts)
    return value


# --- how wide it is, where it breaks ------------------------------------------------------------------------


PAINT = re.compile(r"\x1b\[[0-9;]*m")
_COLOUR_AT_END = re.compile(r"\x1b\[[0-9;]*m\Z")


def cells(text: str) -> int:
    """Character cells that a terminal needs for the text; our own colours take none."""
    if "\x1b" in text:
        text = PAINT.sub("", text)
    if text.isascii():
        return len(text)
    return sum(_character_cells(character) for character in text)


def _character_cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text filled up with spaces to `width` cells; on the left side with `right`."""
    space = " " * max(0, width - cells(text))
    return space + text if right else text + space


def clip(text: str, width: int, ellipsis: str) -> str:
    """The text without colours, cut to `width` cells with an ellipsis at its end if it is longer."""
    if cells(text) <= width:
        return text
    kept, room = "", width - cells(ellipsis)
    for character in text:
        room -= _character_cells(character)
        if room < 0:
            break
        kept += character
    return kept + ellipsis


def flow(pieces: Sequence[str], width: int) -> list[str]:
    """Lines of at most `width` cells. A piece stays whole if it fits into one line; else it breaks at its spaces.

    Only what has no space is longer than a line.
    """
    lines, line = [], ""
    for piece in pieces:
        for part in [piece] if cells(piece) <= width else piece.split(" "):
            longer = f"{line} {part}" if line else part
            if line and cells(longer) > width:
                lines.append(_trimmed(line))
                longer = part
            line = longer
    return [*lines, _trimmed(line)]


def _trimmed(line: str) -> str:
    """Without blanks at its end, also where the end of a colour comes after them."""
    bare = line.rstrip()
    colours = ""
    while (end := _COLOUR_AT_END.search(bare)) is not None:
        bare, colours = bare[: end.start()].rstrip(), end[0] + colours
    return bare + colours


def dotted(items: Sequence[str], dot: str) -> list[str]:
    """Pieces for `flow`: the items with a dot between them that stays at the line's end when the line breaks."""
    return [*(f"{item} {dot}" for item in items[:-1]), *items[-1:]]


def command_lines(command: str, width: int) -> list[str]:
    """A command to copy: if it needs several lines, they end in the backslashes that a shell wants."""
    if cells(command) <= width:
        return [command]
    *lines, last = flow(command.split(" "), width - 2)
    return [*(f"{line} \\" for line in lines), last]


# --- signs and colours --------------------------------------------------------------------------------------

Role = Literal["", "blocked", "destroy", "replace", "transfer", "update", "create", "kept", "note", "power", "dim", "bold"]

CODES: dict[Role, str] = {
    "blocked": "1;31",
    "destroy": "31",
    "replace": "35",
    "transfer": "36",
    "update": "33",
    "create": "32",
    "kept": "2",
    "note": "33",
    "power": "1;33",
    "dim": "2",
    "bold": "1",
}

Sign = Mark | Literal["kept", "note", "power"]

UNICODE_SIGNS: dict[Sign, str] = {
    "blocked": "✖",
    "destroy": "-",
    "replace": "±",
    "transfer": "▶",
    "update": "~",
    "create": "+",
    "kept": "=",
    "note": "!",
    "power": "!",
}
ASCII_SIGNS: dict[Sign, str] = UNICODE_SIGNS | {"blocked": "X", "replace": "R", "transfer": ">"}

LEAST_WIDTH = 40


@dataclass(frozen=True, slots=True)
class Style:
    """How things look to one reader: room, colour and the signs that the reader's terminal can show."""

    width: int
    color: bool
    signs: dict[Sign, str]
    arrow: str
    both: str
    dot: str
    ellipsis: str

    def paint(self, role: Role, text: str) -> str:
        """The text in the colour of its role. Colour only repeats what a sign or a word says already."""
        return f"\x1b[{CODES[role]}m{text}\x1b[0m" if self.color and role and text else text


def look_of(context: RenderContext) -> Style:
    width = max(LEAST_WIDTH, context.width)
    if context.ascii:
        return Style(width, context.color, ASCII_SIGNS, "->", "<->", "|", "...")
    return Style(width, context.color, UNICODE_SIGNS, "→", "↔", "·", "…")
