"""Follows a container's output by asking for what is new: for engines behind something that holds back what it has not got much of."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from dtnctl.errors import NotFoundError

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0  # seconds between two questions, as long as nothing new comes
LATE = 2  # seconds that a message may be written after others that have a later time

Messages = Callable[[dict[str, str]], Iterator[bytes]]


@dataclass(slots=True)
class _Place:
    """How far was read: the latest time of a message, and the messages that the next answer gives again. `earliest`: that of a tail.

    Engines stamp the messages of two streams out of order: so each question goes back a little, and what was read is counted.
    """

    latest: bytes = b""
    earliest: bytes = b""
    read: Counter[bytes] = field(default_factory=Counter)

    def query(self) -> dict[str, str]:
        return {"since": _since(self.latest.decode())} if self.latest else {}

    def new(self, messages: Iterator[bytes]) -> Iterator[bytes]:
        """The messages that were not read yet. Those before the earliest are not of the tail that was asked for."""
        known, self.read = self.read, Counter()
        for message in messages:
            stamp = message.partition(b" ")[0]
            self.latest = max(self.latest, stamp)
            self.read[message] += 1
            if known[message]:
                known[message] -= 1
            elif stamp >= self.earliest:
                yield message


def follow_by_polling(messages: Messages, is_running: Callable[[], bool], tail: int | None, *, timestamps: bool) -> Iterator[bytes]:
    """Output until the container has ended or is removed. `messages`: those of a query, each with its time and a blank before it."""
    place, query = _Place(), {"tail": "all" if tail is None else str(tail)}
    pause = FIRST_PAUSE
    while True:
        try:
            ends = not is_running()
            found = list(place.new(messages(query | place.query())))
        except NotFoundError:
            if not place.latest:
                raise
            return
        if "tail" in query and tail is not None:
            place.earliest = min((message.partition(b" ")[0] for message in found), default=b"")
        yield from (message if timestamps else message.partition(b" ")[2] for message in found)
        if ends:
            return
        query = {}
        pause = FIRST_PAUSE if found else min(2 * pause, LONGEST_PAUSE)
        time.sleep(pause)


def _since(stamp: str) -> str:
    """`2026-11-30T02:30:00.123456789Z` as seconds with their fraction, which engines read in full; a little before it."""
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    return f"{round(datetime.fromisoformat(f'{whole}+00:00').timestamp()) - LATE}.{fraction or '0'}"
