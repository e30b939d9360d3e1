"""What several endpoints of one run use together, such as the connections to a cluster whose nodes they are."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future
from threading import Lock, Thread
from typing import Any, Protocol, TypeVar, cast


class Closing(Protocol):
    def close(self) -> None:
        """End what it holds open."""


T = TypeVar("T")
Closable = TypeVar("Closable", bound=Closing)


class Shared:
    """Values by key: made when a member first needs one, closed when all members have left. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._members: Counter[Hashable] = Counter()
        self._made: dict[Hashable, Closing] = {}

    def join(self, key: Hashable) -> None:
        """Count one who will need the value. Nothing is made."""
        with self._lock:
            self._members[key] += 1

    def members(self, key: Hashable) -> int:
        with self._lock:
            return self._members[key]

    def get(self, key: Hashable, make: Callable[[], Closable]) -> Closable:
        """The value. `make` does no I/O, since all members wait for it."""
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            return cast(Closable, self._made[key])

    def leave(self, key: Hashable) -> None:
        """The last one closes the value."""
        with self._lock:
            self._members[key] -= 1
            last = self._made.pop(key, None) if self._members[key] <= 0 else None
        if last is not None:
            last.close()


class Once:
    """Answers by key, each asked for by who comes first, and kept. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: dict[str, Future[Any]] = {}

    def get(self, key: str, ask: Callable[[], T]) -> T:
        """The answer. Who waited for one that failed asks by itself, so that the words of the failure are its own; it is not kept."""
        with self._lock:
            known = self._asked.get(key)
            if known is None:
                first = self._asked[key] = Future()
        if known is None:
            return self._ask(key, first, ask)
        try:
            return cast(T, known.result())
        except CancelledError:
            return ask()

    def _ask(self, key: str, first: Future[Any], ask: Callable[[], T]) -> T:
        try:
            answer = ask()
        except BaseException:
            with self._lock:
                del self._asked[key]
            first.cancel()  # an error in it would be kept, with all that its traceback holds
            raise
        first.set_result(answer)
        return answer


def asked_meanwhile(ask: Callable[[], T]) -> Callable[[], T]:
    """Ask now, in a thread of its own; what is returned waits for the answer. Where that failed, each who waits asks again."""
    once = Once()

    def answer() -> T:
        return once.get("", ask)

    def begin() -> None:
        with contextlib.suppress(Exception):  # whoever needs the answer gets the words
            answer()

    Thread(target=begin, name="ask meanwhile", daemon=True).start()
    return answer
