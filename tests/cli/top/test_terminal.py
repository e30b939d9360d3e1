"""`dtnctl top` on a terminal of its own: it shows, ends by a key or by a signal, and says what to install."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.small_site import PROGRAM, environment, two_engines, write

WITHOUT_TEXTUAL = (sys.executable, "-c", "import sys; sys.modules['textual'] = None; from dtnctl.cli.main import run; run()")
SILENT = {"a": "unix:///nowhere/none.sock", "b": "unix:///nowhere/none.sock"}


class Terminal:
    """A program on a pseudo-terminal of 80 by 24."""

    def __init__(self, command: tuple[str, ...], folder: Path) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.program = subprocess.Popen(
            command, cwd=folder, env=environment(TERM="xterm-256color"), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.raw = b""

    def read(self, until: str = "") -> str:
        """What it wrote, up to these words or its end, without what moves the cursor."""
        while not until or until not in self.text:
            try:
                chunk = os.read(self._master, 65536)
            except OSError:  # the other side is closed
                chunk = b""
            if not chunk:
                break
            self.raw += chunk
        return self.text

    @property
    def text(self) -> str:
        return re.sub(r"\x1b(\[[0-9;?>=<$]*[A-Za-z]|[()=>][A-Z0-9]?)", "", self.raw.decode(errors="replace"))

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def close(self) -> int:
        self.read()
        code = self.program.wait()
        os.close(self._master)
        return code


@contextlib.contextmanager
def terminal(folder: Path, command: tuple[str, ...] = PROGRAM) -> Iterator[Terminal]:
    made = Terminal((*command, "top"), folder)
    try:
        yield made
    finally:
        if made.program.poll() is None:
            made.program.kill()
            made.program.wait()


def test_it_shows_the_site_and_q_ends_it(tmp_path: Path) -> None:
    with two_engines(tmp_path), terminal(tmp_path) as shown:
        assert "small · 2 endpoints" in shown.read("small · 2 endpoints")
        shown.type("q")
        assert shown.close() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_its_code_and_gives_the_terminal_back(tmp_path: Path, number: signal.Signals) -> None:
    write(tmp_path, SILENT)
    with terminal(tmp_path) as shown:
        shown.read("2 silent")
        shown.program.send_signal(number)
        assert shown.close() == 128 + number
        assert b"\x1b[?1049l" in shown.raw, "the terminal's own page is back"


def test_without_textual_one_line_says_what_to_install(tmp_path: Path) -> None:
    write(tmp_path, SILENT)
    with terminal(tmp_path, WITHOUT_TEXTUAL) as shown:
        assert "pip install 'dtnctl[top]'" in shown.read()
        assert shown.close() == 64
