"""Follows a container's output by asking for what is new: for engines behind something that holds back what it has not got much of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from dtnctl.errors import NotFoundError

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0  # seconds between two questions, as long as nothing new comes

Messages = Callable[[dict[str, str]], Iterator[bytes]]


@dataclass(slots=True)
class _Place:
    """How far was read: the latest time of a message, and how many messages have that time. An engine's `since` gives those again.

    Engines stamp the messages of two streams out of order: one with an earlier time does not go back.
    """

    stamp: bytes = b""
    with_it: int = 0

    def query(self) -> dict[str, str]:
        return {"since": _since(self.stamp.decode())} if self.stamp else {}

    def new(self, messages: Iterator[bytes]) -> Iterator[bytes]:
        """The messages that were not read yet."""
        known = self.with_it
        for message in messages:
            stamp = message.partition(b" ")[0]
            if stamp == self.stamp and known:
                known -= 1
                continue
            if stamp >= self.stamp:
                self.with_it = self.with_it + 1 if stamp == self.stamp else 1
                self.stamp = stamp
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
            if not place.stamp:
                raise
            return
        yield from (message if timestamps else message.partition(b" ")[2] for message in found)
        if ends:
            return
        query = {}
        pause = FIRST_PAUSE if found else min(2 * pause, LONGEST_PAUSE)
        time.sleep(pause)


def _since(stamp: str) -> str:
    """`2026-11-30T02:30:00.123456789Z` as seconds with their fraction, which engines read in full."""
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    return f"{round(datetime.fromisoformat(f'{whole}+00:00').timestamp())}.{fraction or '0'}"
