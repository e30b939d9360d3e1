"""One list of a namespace for all endpoints in it that look at the same moment: each would list the objects of all the others.

A list that has begun is given to none who comes later: what an endpoint gets is never older than its question.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from threading import Event, Lock

from dtnctl.providers.kubernetes.identity import Json

MOMENT = 0.02  # seconds that the first waits for the others of a look


@dataclass(slots=True)
class _Gathering:
    count: int = 0
    is_full: Event = field(default_factory=Event)
    answer: Future[list[Json]] = field(default_factory=Future)


class Gathered:
    """Lists by their path. May be used from several threads."""

    def __init__(self, moment: float = MOMENT) -> None:
        self._moment, self._lock = moment, Lock()
        self._open: dict[str, _Gathering] = {}

    def items(self, path: str, members: int, ask: Callable[[], list[Json]]) -> list[Json]:
        """What one of those who come together is answered; it asks when all `members` are there, or after a moment.

        Where that fails, each asks by itself, so that the words are its own.
        """
        with self._lock:
            is_first = path not in self._open
            gathering = self._open.setdefault(path, _Gathering())
            gathering.count += 1
            if gathering.count >= members:
                gathering.is_full.set()
        if is_first:
            return self._asked(path, gathering, ask)
        try:
            return gathering.answer.result()
        except CancelledError:
            return ask()

    def _asked(self, path: str, gathering: _Gathering, ask: Callable[[], list[Json]]) -> list[Json]:
        gathering.is_full.wait(self._moment)
        with self._lock:
            del self._open[path]
        try:
            answer = ask()
        except BaseException:
            gathering.answer.cancel()  # an error in it would be kept, with all that its traceback holds
            raise
        gathering.answer.set_result(answer)
        return answer
