"""Stand-ins for what the standard library has for threads, for a process in which a scheduler decides what happens next.

`install` must be called before dtnctl is imported. Work that dtnctl gives to a pool is then done by the thread that asks for its result,
in the order in which it was given or in the reverse one; a lease's thread does not run, but is kept, so that the scheduler lets it beat.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

BEATS = "lease"  # the name of the threads in which leases beat
REAL_THREAD = threading.Thread


class Local(threading.local):
    """Of the thread that is one client: the threads that it would have started for its leases, and the order of work in pools."""

    def __init__(self) -> None:
        self.beats: list[tuple[Any, tuple[Any, ...]]] = []
        self.is_reversed = False


LOCAL = Local()


class LateFuture(concurrent.futures.Future[Any]):
    """Work of a pool, done when somebody wants to know what came of it."""

    def __init__(self, pool: LatePool, work: Callable[[], Any]) -> None:
        super().__init__()
        self.pool = pool
        self.work = work

    def result(self, timeout: float | None = None) -> Any:
        self.pool.finish()
        return super().result(timeout)

    def carry_out(self) -> None:
        try:
            self.set_result(self.work())
        except BaseException as error:  # noqa: BLE001  # as pools do
            self.set_exception(error)


class LatePool(concurrent.futures.Executor):
    """A pool without threads."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.waiting: list[LateFuture] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> LateFuture:
        future = LateFuture(self, lambda: function(*arguments, **named))
        self.waiting.append(future)
        return future

    def finish(self) -> None:
        """Do all that is waiting."""
        while self.waiting:
            self.waiting.pop(-1 if LOCAL.is_reversed else 0).carry_out()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            self.waiting.clear()
        if wait:
            self.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.shutdown()


class KeptThread(REAL_THREAD):
    """A thread, but for those of leases, which are only kept."""

    def __init__(self, *_: Any, target: Any = None, args: Iterable[Any] = (), name: str | None = None, **more: Any) -> None:
        super().__init__(target=target, args=args, name=name, **more)
        self.kept = (target, tuple(args)) if name == BEATS else None

    def start(self) -> None:
        if self.kept is None:
            super().start()
        else:
            LOCAL.beats.append((self.kept[0].__self__, self.kept[1]))


def wait_for_all(futures: Iterable[concurrent.futures.Future[Any]], timeout: float | None = None, return_when: str = "") -> Any:
    """`concurrent.futures.wait`: all of it is done at once."""
    del timeout, return_when
    done = list(futures)
    for future in done:
        if isinstance(future, LateFuture):
            future.pool.finish()
    return set(done), set()


def install() -> None:
    """Put them in place of the real ones, in this process."""
    concurrent.futures.ThreadPoolExecutor = LatePool  # type: ignore[assignment,misc]  # in place of the real one
    concurrent.futures.wait = wait_for_all  # type: ignore[assignment]  # same
    threading.Thread = KeptThread  # type: ignore[misc]  # same
