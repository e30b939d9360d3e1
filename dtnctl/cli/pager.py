"""Text that is longer than a screen: through the reader's own pager on a terminal, as it is into a pipe or a file."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping

FOR_LESS = {"LESS": "FRX"}  # as Git sets it: end at once if it fits, show colours, leave the text on the screen


def show_text(text: str) -> None:
    """Show it, and come back when the reader is done."""
    command = pager(os.environ) if sys.stdout.isatty() else []
    if not command:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    with contextlib.suppress(BrokenPipeError):  # the reader left before the end
        subprocess.run(command, input=text, text=True, encoding="utf-8", env={**FOR_LESS, **os.environ}, check=False)


def pager(environment: Mapping[str, str]) -> list[str]:
    """The words of the command, or none: `PAGER` is empty or `cat`, the terminal cannot, the program is not there."""
    words = shlex.split(environment.get("PAGER", "less"))
    is_plain = not words or words == ["cat"] or environment.get("TERM") == "dumb"
    return [] if is_plain or shutil.which(words[0]) is None else words
