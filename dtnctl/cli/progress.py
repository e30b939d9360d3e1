"""What a person sees on stderr while apply runs, and what Ctrl-C does."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from dtnctl.cli import signals
from dtnctl.cli.boards import Board, LineBoard, NoBoard, TerminalBoard
from dtnctl.cli.messages import is_heard, say
from dtnctl.client.events import Event, EventReports, Note, StepEnded, StepStarted, TransferProgress
from dtnctl.model.actions import FinishTransfer
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Plan, Step
from dtnctl.runtime.transfers.meter import Meters

if TYPE_CHECKING:
    from dtnctl.cli.events import Events
    from dtnctl.runtime.transfers.transfer import Progress


class Stop(threading.Event):
    """Set when somebody asks to stop; `signal_number` says by which signal, 0 before."""

    signal_number = 0


@contextlib.contextmanager
def interruptible() -> Iterator[Stop]:
    """The first SIGINT, SIGTERM or SIGHUP asks to stop: no new steps, calls in flight end, leases are released. The second one exits."""
    stop = Stop()

    def on_signal(number: int) -> None:
        if stop.signal_number:
            signals.write_now("dtnctl: stopped at once; calls in flight may still take effect, the same command again continues from there")
            os._exit(128 + number)
        stop.signal_number = number
        stop.set()
        signals.write_now(
            "dtnctl: stopping: no new steps, waiting for calls in flight; once more to stop at once (safe: the next run continues)"
        )

    with signals.handling(on_signal):
        yield stop


@dataclass(slots=True)
class Watching:
    """What a person and a program see of a run: finished steps as lines on stderr, running transfers on a board, all as events."""

    plan: Plan
    board: Board
    events: Events | None
    _said: Counter[tuple[str, str]] = field(default_factory=Counter)

    def show(self, event: Event) -> None:
        """Something happened."""
        match event:
            case StepStarted(step):
                self._started(step)
            case StepEnded(step, outcome):
                self._ended(outcome, step)
            case TransferProgress(measured):
                self.board.refresh(measured)
                if self.events is not None:
                    self.events.progress(measured)
            case Note(text):
                say(text)
            case _:
                assert_never(event)

    def _started(self, step: Step) -> None:
        if self.events is not None:
            self.events.step_started(step)
        if isinstance(step.action, FinishTransfer) and step.action.wait:
            self.board.open()

    def _ended(self, outcome: Outcome, step: Step) -> None:
        if self.events is not None:
            self.events.step_ended(outcome, step)
        self._say_outcome(outcome, step)

    def _say_outcome(self, outcome: Outcome, step: Step) -> None:
        """Each cause is said of the first few; the closing report counts the others."""
        from dtnctl.render.outcomes import render_progress
        from dtnctl.render.steps import step_words
        from dtnctl.render.summary import NAMED, nameless

        cause = outcome.result, nameless(outcome.reason, step_words(step.action)[1])
        self._said[cause] += outcome.result != "done"
        if self._said[cause] <= NAMED:
            say(render_progress(outcome, step, self.plan).rstrip("\n"))


@contextlib.contextmanager
def watching(plan: Plan, stop: threading.Event, events: Events | None = None) -> Iterator[EventReports]:
    """Where a run reports to: steps and transfers are shown as long as it lasts. What cannot be shown to a reader that is gone stops it."""
    meters = Meters()
    board: Board = NoBoard()
    if is_heard():
        board = TerminalBoard(meters) if sys.stderr.isatty() else LineBoard(meters)
    try:
        yield EventReports(Watching(plan, board, events).show, stop, meters)
    finally:
        board.close()


def progress_printer(seconds: float) -> Callable[[Progress], None]:
    """Prints a transfer's progress as lines on stderr, at most one every `seconds`, and one at the end."""
    meters, last = Meters(), dict[str, float]()

    def show(progress: Progress) -> None:
        from dtnctl.render.progress import render_transfer_progress

        now = time.monotonic()
        measured = meters.feed(progress, now)
        if now - last.get(progress.transfer, 0.0) >= seconds or progress.bytes == progress.total:
            last[progress.transfer] = now
            say(render_transfer_progress(measured))

    return show
