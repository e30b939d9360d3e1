"""What a person sees on stderr while apply runs, and what Ctrl-C does."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dtnctl.cli import signals
from dtnctl.cli.messages import announce, is_heard, say
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Plan, Step
from dtnctl.runtime.reconcile import Reports

if TYPE_CHECKING:
    from dtnctl.runtime.transfers.transfer import Progress

QUIET_SECONDS = 10.0  # between progress lines where stderr is no terminal


class Stop(threading.Event):
    """Set when somebody asks to stop; `signal_number` says by which signal, 0 before."""

    signal_number = 0


@contextlib.contextmanager
def interruptible() -> Iterator[Stop]:
    """The first SIGINT, SIGTERM or SIGHUP asks to stop: no new steps, calls in flight end, leases are released. The second one exits."""
    stop = Stop()

    def on_signal(number: int) -> None:
        if stop.is_set():
            announce("dtnctl: stopped at once; calls in flight may still take effect, the same command again continues from there")
            os._exit(128 + number)
        stop.signal_number = number
        stop.set()
        announce("dtnctl: stopping: no new steps, waiting for calls in flight; once more to stop at once (safe: the next run continues)")

    with signals.handling(on_signal):
        yield stop


def reports_for(plan: Plan) -> Reports:
    """Lines on stderr: one per finished step, and a transfer's progress (in place on a terminal, else now and then)."""
    from dtnctl.render.outcomes import render_progress
    from dtnctl.render.steps import step_words
    from dtnctl.render.summary import NAMED, nameless

    seen: Counter[tuple[str, str]] = Counter()  # each cause is said of the first few; the closing report counts the others

    def outcome(result: Outcome, step: Step) -> None:
        cause = result.result, nameless(result.reason, step_words(step.action)[1])
        seen[cause] += result.result != "done"
        if seen[cause] <= NAMED:
            say(render_progress(result, step, plan).rstrip("\n"))

    return Reports(say=say, outcome=outcome, progress=progress_printer(QUIET_SECONDS))


def progress_printer(quiet_seconds: float, *, in_place: bool = True) -> Callable[[Progress], None]:
    """Prints a transfer's progress on stderr: in place on a terminal, else a line now and then and one at the end."""
    from dtnctl.render.progress import render_transfer_progress

    last: dict[str, float] = {}

    def show(state: Progress) -> None:
        line = render_transfer_progress(state.transfer, state.bytes, state.total, state.rate, state.eta)
        if in_place and sys.stderr.isatty() and is_heard():
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
            return
        now = time.monotonic()
        if now - last.get(state.transfer, 0.0) >= quiet_seconds or state.bytes == state.total:
            last[state.transfer] = now
            say(line)

    return show
