"""The leases of one run, shared by its threads: who needs an endpoint for a moment joins those that have its lease already.

Without that, threads of one run would wait for each other as for strangers, by asking every half second. Between runs nothing changes:
leases are taken in the order of names, and one that is shared is released after a while, so that other runs have their turn.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

from dtnctl.errors import LockError
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.lease import POLL_SECONDS, Leases

SHARED_SECONDS = 20.0  # after this time no thread joins
REFUSED_SECONDS = 2.0  # the same of an endpoint that gave no lease: it may have recovered, and each thread would ask for itself
TURN_SECONDS = 2 * POLL_SECONDS  # whoever waits for a lease asks for it in this time

Take: TypeAlias = Callable[[str], AbstractContextManager[Leases]]


@dataclass(slots=True)
class _Shared:
    """A lease that threads have; `release` gives it back when the last of its `users` has left."""

    leases: Leases
    release: contextlib.ExitStack
    since: float
    users: int = 1

    def is_refused(self, endpoint: str) -> bool:
        """Whether the endpoint gave no lease."""
        return endpoint in self.leases.refused

    def is_lost(self, endpoint: str) -> bool:
        """Whether it was ours and is not any more: who comes then takes another one, and does not fail with those before."""
        try:
            if not self.is_refused(endpoint):
                self.leases.check(endpoint)
        except LockError:
            return True
        return False


@dataclass(frozen=True, slots=True)
class Moment:
    """The leases that a thread has for a moment, by endpoint."""

    by_endpoint: Mapping[str, Leases]

    def check(self, endpoint: str) -> None:
        """As Leases.check."""
        self.by_endpoint[endpoint].check(endpoint)


@dataclass(slots=True)
class SharedLeases:
    """`take` holds the lease of an endpoint, as lease.hold_leases does."""

    take: Take
    clock: Clock
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _held: dict[str, _Shared | None] = field(default_factory=dict)
    """By endpoint; None while a thread takes or releases it."""

    @contextlib.contextmanager
    def hold(self, endpoints: Sequence[str]) -> Iterator[Moment]:
        """The leases of these endpoints; raises as `take` does."""
        with contextlib.ExitStack() as stack:
            by_endpoint: dict[str, Leases] = {}
            for endpoint in sorted(set(endpoints)):  # in the order that all runs keep, so that no two wait for each other
                shared = self._join(endpoint) or self._take(endpoint)
                stack.callback(self._leave, endpoint, shared)
                by_endpoint[endpoint] = shared.leases
            yield Moment(by_endpoint)

    def _join(self, endpoint: str) -> _Shared | None:
        """The lease that others have, with us among them; None if it is free, and is now ours to take."""
        with self._changed:
            while endpoint in self._held:
                shared = self._held[endpoint]
                if shared is not None and self._is_young(endpoint, shared) and not shared.is_lost(endpoint):
                    shared.users += 1
                    return shared
                self._changed.wait()
            self._held[endpoint] = None
            return None

    def _is_young(self, endpoint: str, shared: _Shared) -> bool:
        longest = REFUSED_SECONDS if shared.is_refused(endpoint) else SHARED_SECONDS
        return self.clock.monotonic() - shared.since < longest

    def _take(self, endpoint: str) -> _Shared:
        try:
            with contextlib.ExitStack() as stack:
                leases = stack.enter_context(self.take(endpoint))
                shared = _Shared(leases, stack.pop_all(), self.clock.monotonic())
        except BaseException:
            self._forget(endpoint)
            raise
        with self._changed:
            self._held[endpoint] = shared
            self._changed.notify_all()
        return shared

    def _leave(self, endpoint: str, shared: _Shared) -> None:
        with self._changed:
            shared.users -= 1
            if shared.users:
                return
            self._held[endpoint] = None
        try:
            shared.release.close()
            if not shared.is_refused(endpoint) and not self._is_young(endpoint, shared):
                self.clock.sleep(TURN_SECONDS)
        finally:
            self._forget(endpoint)

    def _forget(self, endpoint: str) -> None:
        with self._changed:
            del self._held[endpoint]
            self._changed.notify_all()


@dataclass(slots=True)
class CurrentMoment:
    """The leases under which a thread that waits for a job writes just now; between those moments it only ends the job at its limits."""

    leases: Leases | Moment | None = None

    def check(self, endpoint: str) -> None:
        if self.leases is not None:
            self.leases.check(endpoint)

    @contextlib.contextmanager
    def during(self, held: contextlib.AbstractContextManager[Leases | Moment]) -> Iterator[None]:
        with held as leases:
            self.leases = leases
            try:
                yield
            finally:
                self.leases = None
