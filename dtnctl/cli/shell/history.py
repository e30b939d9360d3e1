"""Which typed lines are kept, and where: none that may hold a secret, in a file that its user alone reads."""

from __future__ import annotations

import os
import re
import shlex
from itertools import pairwise
from pathlib import Path

from dtnctl.model.secret_words import is_hidden, shown_text

REFERENCE = re.compile(r"(env|file|sops):\S*")
MOST_LINES = 1000


def is_worth_keeping(line: str) -> bool:
    """Not a line with a blank before it, as in a shell, nor one with a value that stands where a secret may."""
    if not line.strip() or line[0].isspace() or shown_text(line) != line:
        return False
    try:
        words = shlex.split(line)
    except ValueError:
        return False
    options = [(word.lstrip("-"), after) for word, after in pairwise(words) if word.startswith("--")]
    options += [tuple(word.lstrip("-").split("=", 1)) for word in words if word.startswith("--") and "=" in word]  # type: ignore[misc]
    return not any(is_hidden((name.replace("-", "_"),)) and not REFERENCE.fullmatch(value) for name, value in options)


def read_history(file: Path) -> list[str]:
    """The kept lines, the oldest first. None where there is no file that can be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()[-MOST_LINES:]
    except OSError:
        return []


def append_history(file: Path, line: str) -> None:
    """Keep the line, if it may be kept. A machine that keeps nothing works all the same."""
    if not is_worth_keeping(line) or "\n" in line:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
            os.fchmod(descriptor, 0o600)
            stream.write(f"{line}\n")
    except OSError:
        return
