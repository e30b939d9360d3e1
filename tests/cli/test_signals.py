"""A signal that comes in the middle of a write: what its handler says is said, and the write ends."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import pytest

from dtnctl.cli import signals
from dtnctl.cli.messages import announce
from dtnctl.cli.progress import interruptible
from dtnctl.cli.reconcile import _on_signal
from dtnctl.pulling.waking import Waking


class Struck(io.RawIOBase):
    """A terminal whose first write is struck by SIGTERM."""

    def __init__(self) -> None:
        self.written, self.is_struck = b"", False

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        if not self.is_struck:
            self.is_struck = True
            os.kill(os.getpid(), signal.SIGTERM)
        self.written += bytes(data)
        return len(data)


@contextmanager
def of_the_loop() -> Iterator[None]:
    with closing(Waking()) as waking, signals.handling(lambda number: _on_signal(waking, number)):
        yield


@pytest.mark.parametrize("handling", [interruptible, of_the_loop])
def test_a_signal_in_the_middle_of_a_write_is_answered(
    handling: Callable[[], AbstractContextManager[object]], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    terminal = Struck()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(terminal)))
    with handling():
        announce("dtn1  create      demo.climate")
    assert terminal.written == b"dtn1  create      demo.climate\n"
    assert capfd.readouterr().err.startswith("dtnctl: stopping: no new steps, waiting for calls in flight")
