"""Writes one file so that a reader, or a crash, sees either the old text or the new one."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from dtnctl.errors import UsageError
from dtnctl.repository.written import known_content, note_written

NEW_FILE_MODE = 0o644


def put(path: Path, content: str | bytes | None) -> None:
    """Writes the file; None removes it. Raises UsageError if that cannot be."""
    if content is not None:
        write_atomically(path, content)
        return
    before = known_content(path)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot remove {path}: {error.strerror}") from error
    note_written(path, before, None)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replaces the file's content and keeps its mode; a symbolic link stays one. Raises UsageError if it cannot be written."""
    target, before = path.resolve(), known_content(path)
    data = content.encode() if isinstance(content, str) else content
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else NEW_FILE_MODE
        target.parent.mkdir(parents=True, exist_ok=True)
        # Hidden and in the same folder: loading ignores it, and a rename does not cross file systems.
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        Path(temporary).replace(target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    note_written(path, before, data)
