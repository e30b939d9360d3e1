"""Sets of numbers as first and last of each unbroken row: ports, addresses, CPUs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from dtnctl.model.branches import Spans


def runs(numbers: Iterable[int]) -> Spans:
    """Single numbers as spans."""
    return joined((number, number) for number in numbers)


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """The same numbers, in order and in as few spans as possible."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def without(spans: Spans, taken: Iterable[tuple[int, int]]) -> Spans:
    """The spans less what is taken."""
    return tuple(_without(joined(spans), joined(taken)))


def _without(spans: Spans, taken: Spans) -> Iterator[tuple[int, int]]:
    for low, high in spans:
        start = low
        for first, last in taken:
            if first <= high and last >= start:
                if start < first:
                    yield start, first - 1
                start = last + 1
        if start <= high:
            yield start, high


def size(spans: Spans) -> int:
    """How many numbers there are."""
    return sum(high - low + 1 for low, high in spans)


def meet(one: Spans, other: Spans) -> bool:
    """Whether a number is in both."""
    return any(low <= last and first <= high for low, high in one for first, last in other)


def is_within(inner: Spans, outer: Spans) -> bool:
    """Whether every span lies in one of the others."""
    return inner == outer or all(any(first <= low and high <= last for first, last in outer) for low, high in inner)


def rows_of(spans: Spans, length: int, after: int, most: int) -> tuple[tuple[int, int], ...]:
    """`most` rows of that length: those above a number first, then the others from the lowest one."""
    above = without(spans, ((0, after),))
    below = without(spans, above)
    return tuple(islice((*_rows(above, length, most), *_rows(below, length, most)), most))


def _rows(spans: Spans, length: int, most: int) -> Iterator[tuple[int, int]]:
    for low, high in spans:
        for start in islice(range(low, high - length + 2, length), most):
            yield start, start + length - 1
