"""What the agent changed on this host and how it found it: one file that survives kill -9 and reboots.

A change is written here before it is made. Whoever comes after a crash finds at worst a change that was not made yet, which
is made again, or put back to what it still is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from dtn_agent.protocol import Held

DEFAULT_PATH = Path("/var/lib/dtn-agent/ledger.json")


class Ledger:
    """The file, read and written as a whole. `now` of what it holds is never stored: the kernel tells that."""

    def __init__(self, path: Path = DEFAULT_PATH) -> None:
        self.path = path
        self.lock = threading.RLock()

    def read(self) -> Held:
        """What is held; nothing where there is no file yet. ValueError if the file is not one of ours: it is never overwritten then."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return Held()
        return Held.model_validate_json(text)

    def write(self, edit: Callable[[Held], Held]) -> Held:
        """Replace what is held by what `edit` makes of it, on disk before this returns; one writer at a time."""
        with self.lock:
            held = edit(self.read())
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self.path.with_suffix(".draft")
            with open(draft, "wb", opener=_private) as file:
                file.write(held.model_dump_json(indent=1).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
            _sync_folder(self.path.parent)
            return held


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(path: Path) -> None:
    """The new name is on disk, too."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
