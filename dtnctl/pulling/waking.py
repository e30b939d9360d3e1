"""Waiting that ends early: by a trigger or by a signal. A pipe, because a signal's handler must not wait for a lock."""

from __future__ import annotations

import contextlib
import os
import select
from dataclasses import dataclass, field

TRIGGER, STOP = b"t", b"s"


@dataclass(slots=True)
class Waking:
    """`signal_number` is that of the signal which asked for the end, 0 before. Threads and handlers of signals may call what is here."""

    signal_number: int = 0
    _read: int = field(default=-1)
    _write: int = field(default=-1)

    def __post_init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def trigger(self) -> None:
        """End the waiting, now or as soon as somebody waits. Many triggers before that are one."""
        self._ring(TRIGGER)

    def stop(self, number: int) -> None:
        """Ask for the end."""
        self.signal_number = number
        self._ring(STOP)

    @property
    def is_stopped(self) -> bool:
        return self.signal_number != 0

    def wait(self, seconds: float) -> bool:
        """Wait that long at most, by the clock that does not jump; whether a trigger ended it. Returns at once if the end was asked for."""
        if self.is_stopped:
            return False
        readable, _, _ = select.select([self._read], [], [], max(seconds, 0.0))
        return bool(readable) and TRIGGER in self._drained()

    def _drained(self) -> bytes:
        found = b""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._read, 4096):
                found += piece
        return found

    def _ring(self, what: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # a pipe that is full has triggers enough
            os.write(self._write, what)

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._read)
        os.close(self._write)
