"""What engines and registries say, made fit for one line of ours."""

from __future__ import annotations

LONGEST_MESSAGE = 400


def shortened(message: str) -> str:
    """The message on one line, without the tail of a very long one."""
    line = " ".join(message.split())
    return line if len(line) <= LONGEST_MESSAGE else line[:LONGEST_MESSAGE].rstrip() + " …"
