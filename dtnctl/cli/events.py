"""Writes the lines of `-o jsonl` to stdout as things happen. Steps end in several threads, so that one line is written at a time."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from dtnctl.errors import DtnctlError
from dtnctl.render.events import document_data, ended_data, error_data, progress_data, render_event, started_data
from dtnctl.runtime.clock import Clock, SystemClock

if TYPE_CHECKING:
    from dtnctl.model.outcome import Outcome
    from dtnctl.model.plan import Step
    from dtnctl.model.progress import Measured

PROGRESS_SECONDS = 1.0  # between two progress events of one transfer


class Events:
    """What one run of the program says on stdout."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._progressed: dict[str, float] = {}

    def document(self, document: dict[str, Any]) -> None:
        """The plan, or the outcomes."""
        self._write(str(document["kind"]), document_data(document))

    def step_started(self, step: Step) -> None:
        self._write("step_started", started_data(step))

    def step_ended(self, outcome: Outcome, step: Step) -> None:
        self._write("step_ended", ended_data(outcome, step))

    def progress(self, measured: Measured) -> None:
        """At most one a second of each transfer, and the last one."""
        now = self._clock.monotonic()
        last = self._progressed.get(measured.transfer)
        if last is None or now - last >= PROGRESS_SECONDS or measured.bytes == measured.total:
            self._progressed[measured.transfer] = now
            self._write("progress", progress_data(measured))

    def error(self, error: DtnctlError) -> None:
        """Why the command fails."""
        self._write("error", error_data(error))

    def end(self, exit_code: int) -> None:
        """The last line."""
        self._write("end", {"exit_code": exit_code})

    def _write(self, event: str, content: dict[str, Any]) -> None:
        at = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        with self._lock:
            sys.stdout.write(render_event(event, at, content))
            sys.stdout.flush()
