"""Measures a running transfer from what its output reports: its rate now and on average, how long the rest takes, and stalls. No clock."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dtnctl.model.progress import Measured

if TYPE_CHECKING:
    from dtnctl.runtime.transfers.finish import Progress

WINDOW = 15.0  # seconds over which a rate is taken where the tool reports none: three reports of globus-url-copy
SHORTEST = 1.0  # seconds between two reports below which their difference says nothing about a rate
STILL = 12.0  # seconds without movement that are called so; globus-url-copy reports every five


class Meter:
    """One transfer, from `began` on. Times are of one monotonic clock, in seconds."""

    def __init__(self, transfer: str, began: float) -> None:
        self.transfer = transfer
        self._last: Progress | None = None
        self._moved_at = began
        self._reports: deque[tuple[float, int]] = deque([(began, 0)])
        self._first: tuple[float, int] = (began, 0)

    def feed(self, progress: Progress, now: float) -> None:
        """Take a report that came `now`. A job that ran before we watched has moved a part already: its average starts here."""
        if self._last is None and progress.bytes and now - self._first[0] < SHORTEST:
            self._first = (now, progress.bytes)
            self._reports = deque([self._first])
        if self._last is None or progress.bytes > self._last.bytes:
            self._moved_at = now
        self._last = progress
        self._reports.append((now, progress.bytes))
        while now - self._reports[0][0] > WINDOW and len(self._reports) > 2:
            self._reports.popleft()

    def measured(self, now: float) -> Measured:
        """What is known of it `now`."""
        last = self._last
        if last is None:
            return Measured(self.transfer, still=self._still(now))
        average = _rate(self._first, self._reports[-1])
        still = self._still(now)
        rate = last.rate if last.rate is not None else _rate(self._reports[0], self._reports[-1])
        eta = last.eta if last.eta is not None else _left(last, average)
        return Measured(
            self.transfer,
            bytes=last.bytes,
            total=last.total,
            rate=0.0 if still else rate,
            average=average,
            eta=None if still or last.bytes == last.total else eta,
            files=last.files,
            total_files=last.total_files,
            still=still,
        )

    def _still(self, now: float) -> float:
        return now - self._moved_at if now - self._moved_at >= STILL else 0.0


def _rate(first: tuple[float, int], last: tuple[float, int]) -> float | None:
    seconds = last[0] - first[0]
    return (last[1] - first[1]) / seconds if seconds >= SHORTEST else None


def _left(last: Progress, average: float | None) -> float | None:
    """Seconds that the rest takes as fast as what was moved so far."""
    return max(0, last.total - last.bytes) / average if last.total is not None and average else None


class Meters:
    """Those of all running transfers, in the order in which they began."""

    def __init__(self) -> None:
        self._meters: dict[str, Meter] = {}

    def begin(self, transfer: str, now: float) -> None:
        """It was started, or is waited for."""
        self._meters.setdefault(transfer, Meter(transfer, now))

    def feed(self, progress: Progress, now: float) -> Measured:
        """Take a report; returns what is known with it."""
        self.begin(progress.transfer, now)
        meter = self._meters[progress.transfer]
        meter.feed(progress, now)
        return meter.measured(now)

    def end(self, transfer: str) -> None:
        self._meters.pop(transfer, None)

    def measured(self, now: float) -> list[Measured]:
        return [meter.measured(now) for meter in tuple(self._meters.values())]
