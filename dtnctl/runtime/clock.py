"""The one place where real time comes from; everything else gets the time as an argument."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

# Of Linux; where there is none, the clock that stands still while the machine sleeps.
BOOT_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Time and waiting, passed in so that tests need neither."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def now(self) -> datetime:
        """Now, with its time zone."""


class SystemClock:
    """Real time and real waiting."""

    def monotonic(self) -> float:
        """Seconds that never go back, those in which this machine slept included: a lease is not ours any more after them."""
        return time.clock_gettime(BOOT_CLOCK)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)
