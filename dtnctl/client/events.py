"""What happens while a plan is carried out, as values."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from dtnctl.model.actions import FinishTransfer
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Step
from dtnctl.model.progress import Measured
from dtnctl.runtime.reconcile import Reports
from dtnctl.runtime.transfers.meter import Meters

if TYPE_CHECKING:
    from dtnctl.runtime.transfers.transfer import Progress


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of the plan begins."""

    step: Step


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step has ended; the outcome says how, and why where it is not done."""

    step: Step
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """A running transfer reports: bytes, rates in bytes per second, seconds that are left."""

    measured: Measured


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that is no error and still worth a look, such as a lease that is waited for."""

    text: str


Event: TypeAlias = StepStarted | StepEnded | TransferProgress | Note
OnEvent: TypeAlias = Callable[[Event], None]


@dataclass(slots=True)
class EventReports:
    """Turns the reports of a run into events, one at a time, from whatever thread they come. `meters` measure its running transfers.

    A run goes on while its steps are half done, whatever `on_event` raises: that sets `stop`, so that the run ends in order, and stands
    in `failure` for whoever started it. No further event is given then.
    """

    on_event: OnEvent
    stop: threading.Event
    meters: Meters = field(default_factory=Meters)
    failure: Exception | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reports(self) -> Reports:
        """For whoever carries the plan out."""
        return Reports(say=self._said, outcome=self._ended, progress=self._progressed, started=self._started)

    def _tell(self, event: Event) -> None:
        with self._lock:
            if self.failure is not None:
                return
            try:
                self.on_event(event)
            except Exception as error:  # noqa: BLE001  # it is raised when the run has ended
                self.failure = error
                self.stop.set()

    def _said(self, text: str) -> None:
        self._tell(Note(text))

    def _started(self, step: Step) -> None:
        if isinstance(step.action, FinishTransfer) and step.action.wait:
            self.meters.begin(step.action.transfer, time.monotonic())
        self._tell(StepStarted(step))

    def _progressed(self, progress: Progress) -> None:
        self._tell(TransferProgress(self.meters.feed(progress, time.monotonic())))

    def _ended(self, outcome: Outcome, step: Step) -> None:
        if isinstance(step.action, FinishTransfer):
            self.meters.end(step.action.transfer)
        self._tell(StepEnded(step, outcome))
