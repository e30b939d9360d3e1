"""Text that others wrote, made harmless in GitHub's and GitLab's Markdown: it stays text, wherever it is put in a line.

Every function wants printable text (one line, no control characters). Code is where the forges look for no mentions,
links, references or emoji; so what is not plainly harmless becomes code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Letters of any script, digits, spaces, and punctuation that has no meaning inside a line of Markdown.
HARMLESS = re.compile(r"[\w ,.;:()/=%?+'→↔·…≈≤≥×±▶✖—–-]*", re.UNICODE)
# What is made of harmless characters and yet becomes a link, a reference or emphasis.
LINKING = re.compile(r"_|://|www\.|gh-\d|mailto:|xmpp:|:\w+:", re.IGNORECASE)
ENTITY = re.compile(r"[^\w .,;/=%+-]")


def prose(text: str) -> str:
    """The text for the middle of a sentence or a table cell: as it is if it cannot mean anything, else as code."""
    return text if HARMLESS.fullmatch(text) and not LINKING.search(text) and text.strip() else code(text)


def code(text: str) -> str:
    """The text as inline code, in a line or in a table cell. A pipe stands between two pieces of code: in one it would end the cell."""
    if not text.strip():
        return "(none)"
    return "&#124;".join(_span(part) for part in text.split("|"))


def _span(text: str) -> str:
    """One code span: more backticks around it than in it, and spaces where one of its own would be lost."""
    ticks = "`" * (_longest_run(text) + 1)
    is_edged = text.startswith("`") or text.endswith("`") or (text.startswith(" ") and text.endswith(" ") and text.strip())
    space = " " if is_edged else ""
    return f"{ticks}{space}{text}{space}{ticks}" if text else ""


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def html_code(text: str) -> str:
    """The text as inline code where Markdown is not read: in an HTML block, as the line with `<summary>` is."""
    return f"<code>{ENTITY.sub(lambda found: f'&#{ord(found[0])};', text)}</code>"


def fence(lines: Sequence[str], language: str) -> str:
    """The lines as a block of code that none of them can end."""
    ticks = "`" * max(3, 1 + max((_longest_run(line) for line in lines), default=0))
    return "\n".join([ticks + language, *lines, ticks])


def marker_word(text: str) -> str:
    """The text as one word for an HTML comment."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-") or "none"
