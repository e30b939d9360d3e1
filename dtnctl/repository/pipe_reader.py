"""Reads from the pipe of a program that may fall silent: each piece has to come within a time."""

from __future__ import annotations

import os
import select
from dataclasses import dataclass, field
from typing import IO

PIECE = 1 << 20


class SilenceError(Exception):
    """Nothing came for as long as is waited."""


@dataclass(slots=True)
class PipeReader:
    """`file` is read by nothing else. `seconds`: how long the program may write nothing while it is waited for."""

    file: IO[bytes]
    seconds: float
    _ahead: bytearray = field(default_factory=bytearray)
    _poll: select.poll = field(default_factory=select.poll)

    def __post_init__(self) -> None:
        self._poll.register(self.file, select.POLLIN | select.POLLHUP)

    def line(self) -> bytes:
        """Up to the next newline, with it; what is left where the program has ended."""
        start = 0
        while (end := self._ahead.find(b"\n", start)) < 0:
            start = len(self._ahead)
            if not self._more():
                return self._cut(start)
        return self._cut(end + 1)

    def take(self, size: int) -> bytes:
        """This number of bytes; fewer where the program has ended."""
        while len(self._ahead) < size and self._more():
            pass
        return self._cut(size)

    def skip(self, size: int) -> None:
        """Pass over this number of bytes, which may be more than there is memory."""
        while size > 0 and (self._ahead or self._more()):
            size -= len(self._cut(size))

    def _cut(self, size: int) -> bytes:
        cut = bytes(self._ahead[:size])
        del self._ahead[:size]
        return cut

    def _more(self) -> bool:
        """Whether there was more. Raises SilenceError."""
        if not self._poll.poll(self.seconds * 1000):
            raise SilenceError(f"nothing for {self.seconds:.0f} s")
        piece = os.read(self.file.fileno(), PIECE)
        self._ahead += piece
        return bool(piece)
