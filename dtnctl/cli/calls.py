"""What -q, -v and --debug change on stderr: progress is left out, or the providers' records of their calls come with it."""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from collections.abc import Callable

from dtnctl.printable import plural

CALLS = logging.getLogger("dtnctl.calls")


class _Printed(logging.Handler):
    """Each call as a line, when its answer is there."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{record.getMessage()}\n")


class _Counted(logging.Handler):
    """At the end one line for each endpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple):
            self.seconds[str(record.args[0])].append(float(str(record.args[-1])))

    def close(self) -> None:
        """Prints what was counted, once: logging closes all handlers again at the end of the process."""
        counted, self.seconds = self.seconds, defaultdict(list)
        for address, seconds in sorted(counted.items()):
            sys.stderr.write(
                f"{address}: {plural(len(seconds), 'call')}, {sum(seconds):.3f} s together, the slowest {max(seconds):.3f} s\n"
            )
        super().close()


def print_calls() -> Callable[[], None]:
    """From now on each call is printed. Returns what ends it."""
    return _listen(_Printed())


def count_calls() -> Callable[[], None]:
    """From now on calls are counted. Returns what ends it, and prints the counts."""
    return _listen(_Counted())


def _listen(handler: logging.Handler) -> Callable[[], None]:
    CALLS.setLevel(logging.DEBUG)
    CALLS.propagate = False
    CALLS.addHandler(handler)

    def end() -> None:
        CALLS.removeHandler(handler)
        handler.close()
        if not CALLS.handlers:
            CALLS.setLevel(logging.NOTSET)

    return end
