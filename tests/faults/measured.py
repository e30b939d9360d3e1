"""What every row of `make faults` has in common: how much of it one process tries, and what came of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Self, TypeVar

Case = TypeVar("Case")
FAILURES_KEPT = 20


@dataclass(frozen=True)
class Task:
    """How many cases of a row are tried, from which seed, and which share of them this process tries."""

    size: int
    seed: int
    part: int = 0
    parts: int = 1

    def rng(self, *words: object) -> Random:
        """The same for the same seed and words."""
        return Random(" ".join(str(word) for word in (self.seed, *words)))

    def chosen(self, cases: Sequence[Case]) -> Sequence[Case]:
        """This process's share of `size` of the cases: all of them if there are no more, else a choice that the seed decides."""
        wanted = list(range(len(cases)))
        if self.size < len(cases):
            wanted = sorted(self.rng("choice").sample(wanted, self.size))
        return [cases[number] for place, number in enumerate(wanted) if place % self.parts == self.part]

    def numbers(self) -> range:
        """The numbers of this process's cases where each case is made from its number."""
        return range(self.part, self.size, self.parts)


@dataclass(frozen=True)
class Measured:
    """How many cases were tried, and a text for each that failed, with how to repeat it. `note`: what a reader should know beside that."""

    cases: int
    failures: tuple[str, ...] = ()
    note: str = ""

    def __add__(self, other: Measured) -> Self:
        notes = dict.fromkeys(note for note in (self.note, other.note) if note)
        return type(self)(self.cases + other.cases, self.failures + other.failures, "; ".join(notes))

    def document(self) -> dict[str, Any]:
        """As JSON. Of very many failures only the first have their text."""
        kept = self.failures[:FAILURES_KEPT]
        left = ("",) * (len(self.failures) - len(kept))
        return asdict(self) | {"failures": [*kept, *left]}


def measured(document: dict[str, Any]) -> Measured:
    """The value that `document` shows."""
    return Measured(document["cases"], tuple(document["failures"]), document["note"])
