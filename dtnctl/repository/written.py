"""What a command writes, noted for the shell that started it: other programs write into the same folder meanwhile.

The shell names a file in the environment; it is the only way to reach a program of its own, and everything that it calls.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

NOTES = "DTNCTL_NOTES_OF_WRITTEN_FILES"


@dataclass(frozen=True, slots=True)
class Written:
    """The content of a file before the first and after the last time that it was written; None: there was no such file."""

    before: bytes | None
    after: bytes | None


@contextlib.contextmanager
def noted_writes() -> Iterator[dict[Path, Written]]:
    """What this process, and those that it starts within, write: it is known at the end."""
    found: dict[Path, Written] = {}
    with tempfile.NamedTemporaryFile(prefix="dtnctl-") as notes:  # only its user can read it
        os.environ[NOTES] = notes.name
        try:
            yield found
        finally:
            del os.environ[NOTES]
            found.update(_read(Path(notes.name)))


def known_content(path: Path) -> bytes | None:
    """What the file has before it is written, if that is to be noted."""
    if NOTES not in os.environ:
        return None
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return None


def note_written(path: Path, before: bytes | None, after: bytes | None) -> None:
    """Note it, if somebody wants to know."""
    if NOTES in os.environ:
        line = json.dumps([str(path.absolute()), _encoded(before), _encoded(after)])
        with contextlib.suppress(OSError), Path(os.environ[NOTES]).open("a", encoding="utf-8") as notes:
            notes.write(f"{line}\n")


def _read(notes: Path) -> Mapping[Path, Written]:
    found: dict[Path, Written] = {}
    for line in notes.read_text(encoding="utf-8").splitlines():
        name, *contents = json.loads(line)
        path, (before, after) = Path(name), map(_decoded, contents)
        earlier = found.get(path)
        is_ours = earlier is not None and earlier.after == before  # else somebody wrote between both times
        found[path] = Written(earlier.before if earlier is not None and is_ours else before, after)
    return {path: written for path, written in found.items() if written.before != written.after}


def _encoded(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
