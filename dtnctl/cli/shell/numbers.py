"""Numbers of sessions and transfers, as the talk's client has them: a name keeps its number, and no number is given twice. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

NUMBERED = ("sessions", "transfers")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The number of each name of one kind."""

    by_name: Mapping[str, int] = field(default_factory=dict)

    def name(self, number: int) -> str | None:
        """Whose number it is."""
        return next((name for name, given in self.by_name.items() if given == number), None)

    def called(self, name: str) -> str:
        """The number as text; the name itself where it has none."""
        return str(self.by_name.get(name, name))


def assign(kept: Mapping[str, int], history: Sequence[str], present: Iterable[str]) -> Numbers:
    """Numbers for all names: those that are kept, else the place in the history, else the next free one.

    A place of the history whose number is taken gets the next free one, too: two clones may differ then, and no number changes.
    """
    numbers = dict(kept)
    taken = set(numbers.values())
    last = max([len(history), *taken])
    wanted = [(name, place) for place, name in enumerate(history, 1)] + [(name, 0) for name in sorted(set(present) - set(history))]
    for name, place in wanted:
        if name in numbers:
            continue
        if place == 0 or place in taken:
            last += 1
            place = last  # noqa: PLW2901  # the place that it gets
        numbers[name] = place
        taken.add(place)
    return Numbers(numbers)
