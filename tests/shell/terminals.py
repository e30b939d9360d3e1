"""A program on a pseudo-terminal: what it draws, and keys that are pressed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LINES, COLUMNS = 40, 160
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07")  # what moves, colours and titles
ASKS_PLACE = "\x1b[6n"  # where the cursor is: a terminal answers


@dataclass(slots=True)
class Terminal:
    """`shown` is all that was drawn so far, without colours; `drawn` with them."""

    pid: int
    descriptor: int
    drawn: str = ""
    place: int = 0
    _bytes: bytes = field(default=b"")

    @property
    def shown(self) -> str:
        return SEQUENCE.sub("", self.drawn)

    def press(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

    def wait_for(self, text: str, seconds: float = 120) -> str:
        """What was shown since the last wait, up to this text."""
        end = time.monotonic() + seconds
        while (found := self.shown.find(text, self.place)) < 0:
            assert time.monotonic() < end, f"no {text!r} in\n{self.shown[self.place :]}"
            self._read(end)
        since, self.place = self.shown[self.place : found + len(text)], found + len(text)
        return since

    def _read(self, end: float) -> None:
        if not select.select([self.descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
            return
        try:
            self._bytes += os.read(self.descriptor, 65536)
        except OSError as error:  # Linux's answer when the other side is closed
            raise AssertionError(f"the program has ended after\n{self.shown}") from error
        before = self.drawn
        self.drawn = self._bytes.decode("utf-8", "ignore")
        if ASKS_PLACE in self.drawn[len(before) :]:
            self.press("\x1b[1;1R")

    def end(self, seconds: float = 60) -> int:
        """Its exit code, when it has ended."""
        end = time.monotonic() + seconds
        with contextlib.suppress(AssertionError):
            while time.monotonic() < end:
                self._read(end)
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)


@contextlib.contextmanager
def terminal(program: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """The program, which does not outlive the block."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(program[0], list(program), dict(environment))
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    found = Terminal(pid, descriptor)
    try:
        yield found
    finally:
        if found.pid:
            os.kill(found.pid, signal.SIGKILL)
            os.waitpid(found.pid, 0)
        os.close(descriptor)
