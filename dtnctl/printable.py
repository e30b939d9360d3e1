"""Which characters people see, and how any text becomes one line in which nothing is obeyed. Pure.

What is good is listed: letters, marks, numbers, punctuation and symbols of any script, and the plain space. Everything else
(controls, line and paragraph separators, direction and zero-width characters, other spaces, private and unassigned ones)
is something that a reviewer does not see, or sees as something else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_SEEN = frozenset("LMNPS")  # the first letters of Unicode's general categories
# Letters, marks and symbols without ink: Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), and two blanks.
_INKLESS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159\U000e0100-\U000e01ef]")
_EMOJI_STYLES = "\N{VARIATION SELECTOR-15}\N{VARIATION SELECTOR-16}"  # after a pictogram: black and white, or in colour
_CONTROLS = {
    "\x00": "NULL",
    "\x08": "BACKSPACE",
    "\t": "TAB",
    "\n": "LINE FEED",
    "\x0b": "LINE TABULATION",
    "\x0c": "FORM FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
}
_UNNAMED = {"Cn": "not assigned", "Co": "a private character", "Cs": "half a character"}
_LINE_END = re.compile(r"\r?\n")
# GitHub's runner obeys `::name` at the start of a line, after any spaces, and `##[name]` anywhere (actions/runner, ActionCommand.cs);
# Azure Pipelines and TeamCity obey `##vso[…]` and `##teamcity[…]`.
_COMMAND = re.compile(r"(^|(?<=\s)):(?=:[A-Za-z-]+(?:\s|::|$))")
_MARKED = re.compile(r"##(?=[A-Za-z]*\[)")
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")  # "select graphic rendition" (ECMA-48, 8.3.117): they change how text looks and move nothing


def is_visible(character: str, before: str = "") -> bool:
    """Whether people see the character as what it is. `before` is the one before it."""
    if character in _EMOJI_STYLES:
        return bool(before) and unicodedata.category(before) == "So"
    return character == " " or (unicodedata.category(character)[0] in _SEEN and not _INKLESS.match(character))


def unseen(text: str) -> Iterator[int]:
    """The places of all characters in a text of several lines that people do not see; LF, CRLF and tabs are none of them."""
    if text.isascii() and text.replace("\r\n", "").replace("\n", "").replace("\t", "").isprintable():
        return
    ends = {place for end in _LINE_END.finditer(text) for place in range(*end.span())}
    good = {character for character in set(text) if character == "\t" or is_visible(character)}
    for place, character in enumerate(text):
        if character not in good and place not in ends and not is_visible(character, text[place - 1 : place]):
            yield place


def name_of(character: str) -> str:
    """`U+202E RIGHT-TO-LEFT OVERRIDE`."""
    name = _CONTROLS.get(character) or unicodedata.name(character, "") or _UNNAMED.get(unicodedata.category(character), "")
    return f"U+{ord(character):04X} {name}".rstrip()


def printable_text(text: str) -> str:
    """The text on one line, with nothing in it that a terminal or a CI system obeys: what people do not see shows as an escape."""
    if not (text.isascii() and text.isprintable()):
        pairs = zip(text, f" {text}", strict=False)
        text = "".join(character if is_visible(character, before) else _escape(character) for character, before in pairs)
    return without_commands(text) if "::" in text or "##" in text else text


def printable_log_line(line: bytes) -> str:
    """A line that a program wrote, without its end and its colours, with nothing in it that a terminal or a CI system obeys."""
    text = line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
    return printable_text(_COLOURS.sub("", text))


def without_commands(line: str) -> str:
    """The line with a space inside whatever a CI system would take for a command."""
    return _MARKED.sub("## ", _COMMAND.sub(": ", line))


def _escape(character: str) -> str:
    return " " if character == "\t" else character.encode("unicode_escape").decode("ascii")


def plural(count: int, word: str) -> str:
    """`1 change`, `2 changes`. For words that take an s."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
