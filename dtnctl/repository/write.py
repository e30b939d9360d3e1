"""Writes one file so that a reader, or a crash, sees either the old text or the new one."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from dtnctl.errors import UsageError

NEW_FILE_MODE = 0o644


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replaces the file's content and keeps its mode; a symbolic link stays one. Raises UsageError if it cannot be written."""
    target = path.resolve()
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else NEW_FILE_MODE
        target.parent.mkdir(parents=True, exist_ok=True)
        # Hidden and in the same folder: loading ignores it, and a rename does not cross file systems.
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        Path(temporary).replace(target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
