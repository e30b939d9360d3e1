"""What Ctrl-C, SIGTERM and a closed terminal do. Imported before everything else, so it imports nothing slow."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

EXIT_NAMES = {signal.SIGHUP: "hangup", signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Interrupted(KeyboardInterrupt):
    """A signal asked the program to end. `exit_code` is what shells report for it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.exit_code = 128 + number


def write_now(text: str) -> None:
    """A line on stderr from within a handler: the signal may have come in the middle of a write of sys.stderr, which begins none then."""
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode())


def say_goodbye(number: int, last_words: str = "") -> None:
    """The last lines on stderr, below the terminal's ^C."""
    words = f"{last_words}\n" if last_words else ""
    write_now(f"{chr(10) * os.isatty(2)}{words}dtnctl: {EXIT_NAMES[signal.Signals(number)]} ({128 + number})")


@contextlib.contextmanager
def handling(react: Callable[[int], None]) -> Iterator[None]:
    """Within it, each signal that asks for an end calls `react`. A signal that the caller has us ignore (nohup) stays ignored.

    It may come at any moment, within `react` too: that writes by `write_now`, and notes the first signal before it takes a lock.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python takes handlers from the main thread only
        return

    def handler(number: int, frame: FrameType | None) -> None:
        del frame
        react(number)

    wanted = [number for number in EXIT_NAMES if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in wanted}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def exiting(last_words: str = "") -> contextlib.AbstractContextManager[None]:
    """Within it a signal ends the program at once: for whatever writes nothing and holds nothing. `last_words` are said before."""
    return handling(lambda number: _exit(number, last_words))


def _exit(number: int, last_words: str = "") -> None:
    say_goodbye(number, last_words)
    os._exit(128 + number)


def raising() -> contextlib.AbstractContextManager[None]:
    """Within it the first signal raises Interrupted, so that files and leases are closed; the second one ends the program at once."""
    seen: list[int] = []

    def react(number: int) -> None:
        if seen:
            _exit(number)
        seen.append(number)
        raise Interrupted(number)

    return handling(react)
