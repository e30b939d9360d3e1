"""A text of parts that must not be too long: what is dropped, in which order, and a line that says exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Part:
    """`items` between `head` and `tail`, all of them on lines of their own; without items there is no part.

    `rank`: 0 is never dropped; else the lowest is dropped first, its last items first. `name` completes "12 of 40 …".
    """

    name: str
    items: tuple[str, ...]
    rank: int = 0
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return _size(self.text) + 1 if self.items else 0

    @property
    def text(self) -> str:
        return "\n".join([*self.head, *self.items, *self.tail]) if self.items else ""


def shorten(parts: Sequence[Part], limit: int, where: str) -> str:
    """The parts' text, at most `limit` bytes: no way of counting characters finds more. `where` says where all of it is."""
    total = sum(part.size for part in parts)
    if total <= limit:
        return _joined(parts)
    longest_notice = _size(_notice([(part, len(part.items)) for part in parts if part.rank], where)) + 2
    excess = total + longest_notice - limit
    kept = dict(enumerate(parts))
    dropped: list[tuple[Part, int]] = []
    for index, part in sorted(enumerate(parts), key=lambda entry: entry[1].rank):
        if part.rank and part.items and excess > 0:
            kept[index] = _cut(part, excess)
            excess -= part.size - kept[index].size
            dropped.append((part, len(part.items) - len(kept[index].items)))
    notice = Part("", (_notice(dropped, where), ""))
    first, *others = kept.values()
    return _joined([first, notice, *others])


def _cut(part: Part, excess: int) -> Part:
    """The part without as many of its last items as make up for `excess` bytes."""
    count, saved = len(part.items), 0
    while count > 1 and saved < excess:
        count -= 1
        saved += _size(part.items[count]) + 1
    return replace(part, items=part.items[:count] if saved >= excess else ())


def _notice(dropped: Sequence[tuple[Part, int]], where: str) -> str:
    what = ", ".join(f"{count:,} of {len(part.items):,} {part.name}" for part, count in dropped)
    return f"> **Shortened to fit.** Left out: {what}. {where}"


def _joined(parts: Sequence[Part]) -> str:
    return "".join(f"{part.text}\n" for part in parts if part.items)


def _size(text: str) -> int:
    return len(text.encode())
