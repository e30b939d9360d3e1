"""One call for what several threads want of one place at the same time.

What arrives while a call is under way goes into the next one, together. Where others are expected, who comes first waits for them a part of
the time that the last call took. A call that takes long holds up only those that are in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from dtnctl.errors import DtnctlError

Wanted = TypeVar("Wanted")
Answer = TypeVar("Answer")

PATIENCE = 1.0  # seconds; who has waited for so long for another's call makes one of its own
MOST = 16  # in one call
WAITED = 0.5  # of the time of the last call, for others
LONGEST_WAIT = 0.25  # seconds


@dataclass(slots=True, eq=False)
class _Place(Generic[Wanted, Answer]):
    """What one thread wants. `is_taken` by a call that is under way; `answers` has one answer when that has ended, or it raised `error`."""

    wanted: Wanted
    is_taken: bool = False
    answers: tuple[Answer, ...] = ()
    error: DtnctlError | None = None

    @property
    def is_done(self) -> bool:
        return bool(self.answers) or self.error is not None

    def answer(self) -> Answer:
        if self.error is not None:
            raise self.error
        return self.answers[0]


class Gathering(Generic[Wanted, Answer]):
    """Threads that come with a key and what they want; those with one key are served together.

    `expects`: others may come at the same time, and are waited for.
    """

    def __init__(self, patience: float = PATIENCE, longest_wait: float = LONGEST_WAIT) -> None:
        self.expects = False
        self._patience, self._longest_wait = patience, longest_wait
        self._took: dict[Hashable, float] = {}
        self._changed = threading.Condition()
        self._waiting: dict[Hashable, list[_Place[Wanted, Answer]]] = {}
        self._under_way: dict[Hashable, list[_Place[Wanted, Answer]]] = {}
        """By key, the newest call."""

    def call(self, key: Hashable, wanted: Wanted, serve: Callable[[Sequence[Wanted]], Sequence[Answer]]) -> Answer:
        """What `serve`, ours or another thread's, answers to this; it gets all that wait, and has an answer for each, in their order.

        A DtnctlError that it raises is raised in all threads that it served.
        """
        mine: _Place[Wanted, Answer] = _Place(wanted)
        with self._changed:
            waiting = self._waiting.setdefault(key, [])
            waiting.append(mine)
            if len(waiting) == MOST:
                self._changed.notify_all()  # no one is waited for any more
        while together := self._turn(key, mine):
            began = time.monotonic()
            try:
                _serve(together, serve)
            finally:
                self._took[key] = time.monotonic() - began
                self._end(key, mine, together)
        return mine.answer()

    def _turn(self, key: Hashable, mine: _Place[Wanted, Answer]) -> list[_Place[Wanted, Answer]]:
        """Wait until what we want was done, or until it is our turn: those that are served with us then."""
        with self._changed:
            while not mine.is_done:
                self._changed.wait_for(lambda: mine.is_done or not (mine.is_taken or key in self._under_way), self._patience)
                self._wait_for_others(key, mine)
                if not (mine.is_done or mine.is_taken):
                    return self._take(key)
        return []

    def _wait_for_others(self, key: Hashable, mine: _Place[Wanted, Answer]) -> None:
        """Before a call of ours, unless one is under way that we have waited for long enough."""
        seconds = min(self._longest_wait, WAITED * self._took.get(key, self._longest_wait / WAITED))
        if not self.expects or mine.is_done or mine.is_taken or key in self._under_way:
            return
        self._under_way[key] = [mine]
        self._changed.wait_for(lambda: mine.is_taken or len(self._waiting[key]) >= MOST, seconds)

    def _take(self, key: Hashable) -> list[_Place[Wanted, Answer]]:
        waiting = self._waiting.pop(key)
        together, rest = waiting[:MOST], waiting[MOST:]
        if rest:
            self._waiting[key] = rest
        for place in together:
            place.is_taken = True
        self._under_way[key] = together
        return together

    def _end(self, key: Hashable, mine: _Place[Wanted, Answer], together: list[_Place[Wanted, Answer]]) -> None:
        """Those that were not served, because of an error that is none of ours, wait again."""
        left = [place for place in together if not place.is_done and place is not mine]
        with self._changed:
            for place in left:
                place.is_taken = False
            if left:
                self._waiting[key] = left + self._waiting.get(key, [])
            if self._under_way.get(key) is together:
                del self._under_way[key]
            self._changed.notify_all()


def _serve(together: list[_Place[Wanted, Answer]], serve: Callable[[Sequence[Wanted]], Sequence[Answer]]) -> None:
    try:
        for place, answer in zip(together, serve([place.wanted for place in together]), strict=True):
            place.answers = (answer,)
    except DtnctlError as error:
        for place in together:
            place.error = error
