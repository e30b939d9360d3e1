"""Statistics of a few repeated measurements: the median, and how far the rounds are apart. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Repeated measurements of one thing, in one unit: `count` of them, their median, the lowest and the highest."""

    count: int
    median: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """How far the highest is above the lowest, as a share of the median; 0 where the median is 0."""
        return (self.high - self.low) / self.median if self.median else 0.0


def spread_of(values: Sequence[float]) -> Spread | None:
    """The spread of the values; None without any."""
    if not values:
        return None
    return Spread(len(values), statistics.median(values), min(values), max(values))


def ratio(value: Spread | None, base: Spread | None) -> float | None:
    """Median by median; None where one of them is missing or the base is 0."""
    if value is None or base is None or not base.median:
        return None
    return value.median / base.median
