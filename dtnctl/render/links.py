"""Links from a comment to lines of state files, where it is known how a forge addresses the files of one commit."""

from __future__ import annotations

from urllib.parse import quote

from dtnctl.model.plan import Cause
from dtnctl.render.escape import prose
from dtnctl.render.text import clip

LONGEST = 300  # characters of one text above the folds; the folds have all of it


def short(text: str) -> str:
    """The text as an entry of a list may have it."""
    return clip(text, LONGEST, "…")


def linked(text: str, address: str) -> str:
    """The text as a link, or as it is without an address. The address is ours; the text may be anybody's."""
    return f"[{prose(short(text))}](<{address}>)" if address else prose(short(text))


def place_link(cause: Cause, source: str) -> str:
    """`file:line`, as a link if `source` is the address of the repository's files; empty if no file decides."""
    if not cause.file:
        return ""
    line = f"#L{cause.line}" if cause.line else ""
    return linked(cause.place, f"{source}{quote(cause.file, safe='/', errors='replace')}{line}" if source else "")
