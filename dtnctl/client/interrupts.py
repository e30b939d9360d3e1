"""What Ctrl-C does to a run of the library: it ends in order."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def interrupts_set(stop: threading.Event) -> Iterator[None]:
    """Within it the first Ctrl-C sets `stop`, and the next one is KeyboardInterrupt. Only in the main thread: others get no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def react(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.default_int_handler(number, frame)
        stop.set()

    former = signal.signal(signal.SIGINT, react)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
