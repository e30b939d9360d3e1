"""What a figure is, and how it comes from runs of two programs in turn. Pure, but for the runs that are passed in."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Run = Callable[[], float]
Spread = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that the ratio has to keep."""

    bound: float
    at_most: bool

    def is_met(self, ratio: float) -> bool:
        return ratio <= self.bound if self.at_most else ratio >= self.bound

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.bound:g}"


def at_most(bound: float) -> Goal:
    return Goal(bound, at_most=True)


def at_least(bound: float) -> Goal:
    return Goal(bound, at_most=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One published line. `ratio` and `spread` are None when it could not be measured; `detail` then says why."""

    name: str
    ratio: float | None
    goal: Goal
    spread: Spread | None = None
    detail: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.ratio is None else self.goal.is_met(self.ratio)

    def document(self) -> Mapping[str, Any]:
        """The entry of results.json; nothing is rounded, so that nothing is met by rounding."""
        spread = None if self.spread is None else list(self.spread)
        return {"name": self.name, "ratio": self.ratio, "goal": str(self.goal), "met": self.met, "spread": spread}

    def line(self) -> str:
        """The line that is printed."""
        if self.ratio is None or self.spread is None:
            return f"{self.name:58} not measured: {self.detail}"
        verdict = "met" if self.met else "MISSED"
        spread = f"({self.spread[0]:.2f} to {self.spread[1]:.2f})"
        return f"{self.name:58} {self.ratio:7.3f} {spread:17} goal {self.goal!s:8} {verdict:7} {self.detail}".rstrip()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two series of one run, taken in turn: what stands above the line of the ratio, and what stands below it."""

    above: tuple[float, ...]
    below: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median by median: one slow moment of the machine does not decide."""
        return statistics.median(self.above) / statistics.median(self.below)

    @property
    def ratios(self) -> tuple[float, ...]:
        """Those of runs that followed each other."""
        return tuple(above / below for above, below in zip(self.above, self.below, strict=True))

    @property
    def spread(self) -> Spread:
        """The smallest and the largest ratio of runs that followed each other."""
        return min(self.ratios), max(self.ratios)

    @property
    def paired_ratio(self) -> float:
        """The median of the ratios: what changes slowly changes both runs of a pair."""
        return statistics.median(self.ratios)

    @property
    def paired_spread(self) -> Spread:
        """Where that median lies in 19 of 20 such series, whatever the ratios' distribution is."""
        ordered, cut = sorted(self.ratios), 0
        while 2 * _at_most_below(cut + 1, len(ordered)) <= UNSURE:
            cut += 1
        return ordered[max(cut - 1, 0)], ordered[-max(cut, 1)]


UNSURE = 1 / 20


def _at_most_below(count: int, of: int) -> float:
    """How likely it is that fewer than `count` of so many values lie below their true median."""
    return sum(math.comb(of, below) for below in range(count)) * 0.5**of


def in_turn(rounds: int, *runs: Callable[[], T]) -> tuple[tuple[T, ...], ...]:
    """Every run once per round, in the order given; what each returned, by run."""
    rows = [[run() for run in runs] for _ in range(rounds)]
    return tuple(zip(*rows, strict=True))


def figure_of(name: str, pairs: Pairs, goal: Goal, detail: str = "") -> Figure:
    return Figure(name, pairs.ratio, goal, pairs.spread, detail)


def absolute(name: str, values: Sequence[float], goal: Goal, detail: str = "") -> Figure:
    """A figure that is no comparison: its `ratio` is the median itself, in the unit that the name says."""
    return Figure(name, statistics.median(values), goal, (min(values), max(values)), detail)


def not_measured(name: str, goal: Goal, reason: str) -> Figure:
    return Figure(name, None, goal, None, reason)


def seconds(above: str, below: str, pairs: Pairs) -> str:
    """The two medians in seconds, for the end of a line."""
    return f"{above} {statistics.median(pairs.above):.3f} s, {below} {statistics.median(pairs.below):.3f} s"


Measure = Callable[["Options"], Iterator[Figure]]


@dataclass(frozen=True, slots=True)
class Options:
    """How much to measure. `rounds` None: each figure's own number; `count` None: each figure's own number of objects, where it has one."""

    rounds: int | None = None
    quick: bool = False
    count: int | None = None

    def rounds_or(self, usual: int) -> int:
        if self.rounds is not None:
            return self.rounds
        return max(2, usual // 4) if self.quick else usual

    def size(self, usual: int, quick: int) -> int:
        """How many objects a figure is made of: fewer in a quick run, whose figures are for trying the bench only."""
        return quick if self.quick else usual
