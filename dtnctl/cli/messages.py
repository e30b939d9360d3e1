"""What people see on stderr besides errors: progress, which --quiet leaves out, and what they must see in any case."""

from __future__ import annotations

import logging
import sys

from dtnctl.printable import printable_text

PROGRESS = logging.getLogger("dtnctl.progress")  # its level is --quiet


def is_heard() -> bool:
    """Whether progress is wanted."""
    return PROGRESS.level < logging.WARNING


def say(text: str) -> None:
    """Progress and warnings go to stderr; stdout carries the result only. Nothing with --quiet."""
    if is_heard():
        announce(text)


def announce(text: str) -> None:
    """Questions, and answers to a signal: also with --quiet."""
    sys.stderr.write(f"{printable_text(text)}\n")
    sys.stderr.flush()


def be_quiet(wanted: bool) -> None:
    """Whether `say` says nothing."""
    PROGRESS.setLevel(logging.WARNING if wanted else logging.INFO)
