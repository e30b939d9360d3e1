"""The loop's folder: one loop at a time works in it, and its journal is whole at every moment, whenever the machine stops."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dtnctl.errors import LockError, UsageError
from dtnctl.pulling.journal import BrokenJournalError, Journal, decode_journal, encode_journal
from dtnctl.runtime.clock import Clock

LOCK_SECONDS = 10.0  # for the last calls of a loop that has just ended
PAUSE = 0.2
PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class LoopFolder:
    """`lock` is an open file. Programs that the loop starts inherit it: the folder is held until the last of them has ended, so that
    after a crash a new loop waits for a run that still goes on."""

    path: Path
    lock: int

    @property
    def clone(self) -> Path:
        return self.path / "clone"

    @property
    def events(self) -> Path:
        """What the run that goes on, or the last one, reports."""
        return self.path / "run.jsonl"

    @property
    def log(self) -> Path:
        """What a run wrote for people, while it is not known whether that is news."""
        return self.path / "run.log"

    @property
    def reviewed(self) -> Path:
        return self.path / "reviewed.json"

    @property
    def _journal(self) -> Path:
        return self.path / "journal.json"

    def read_journal(self) -> tuple[Journal, str]:
        """The journal, and what is wrong with the file: then it was renamed, and an empty one is returned."""
        try:
            return decode_journal(self._journal.read_bytes()), ""
        except FileNotFoundError:
            return Journal(), ""
        except BrokenJournalError as error:
            broken = self._journal.with_suffix(".broken")
            self._journal.replace(broken)
            return Journal(), f"the journal cannot be read ({error}); it is kept as {broken}, and a new one begins"

    def write_journal(self, journal: Journal) -> None:
        """All of it or nothing, on the disk when this returns."""
        part = self.path / "journal.part"
        with part.open("wb") as file:
            file.write(encode_journal(journal))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._journal)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextlib.contextmanager
def held_folder(path: Path, clock: Clock, patience: float = LOCK_SECONDS) -> Iterator[LoopFolder]:
    """The folder, made if it is not there, for this process alone. LockError if another loop works in it."""
    try:
        path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be used: {error.strerror}; --state-dir names another folder") from error
    try:
        _take(lock, path, clock, patience)
        yield LoopFolder(path.resolve(), lock)
    finally:
        os.close(lock)


def _take(lock: int, path: Path, clock: Clock, patience: float) -> None:
    end = clock.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock.monotonic() >= end:
                holder = os.pread(lock, 100, 0).decode("ascii", "replace").strip() or "unknown"
                raise LockError(
                    f"another dtnctl reconcile works in {path} (process {holder}, or a run that it started); "
                    "--state-dir names another folder"
                ) from None
            clock.sleep(PAUSE)
        else:
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            return
