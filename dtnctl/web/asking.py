"""Asks every endpoint of one loaded site by clients that cannot write, each in its own time: one that is slow keeps no other waiting."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from dtnctl.client.workplace import Workplace, observers, path_observers
from dtnctl.errors import DtnctlError
from dtnctl.model.paths import PathProviderSeen
from dtnctl.model.resources import EndpointSeen, Wanted
from dtnctl.planning.paths.wanted import ports_by_provider
from dtnctl.providers.base import Observer
from dtnctl.runtime.clock import Clock

T = TypeVar("T")
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """Questions that are not answered yet, by the name of who was asked; `begun` is when that was."""

    pool: ThreadPoolExecutor
    clock: Clock
    pending: dict[str, Future[T]] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)

    def ask(self, name: str, question: Callable[[], T]) -> None:
        """Ask, unless an earlier question is still open."""
        if name not in self.pending:
            self.begun[name] = self.clock.monotonic()
            self.pending[name] = self.pool.submit(question)

    def answered(self) -> dict[str, T]:
        """Those that have been answered since, once."""
        return {name: self.pending.pop(name).result() for name, future in list(self.pending.items()) if future.done()}

    def open_for(self, seconds: float) -> list[str]:
        """Those that have owed an answer for so long."""
        return [name for name in self.pending if self.clock.monotonic() - self.begun[name] >= seconds]


class Asking:
    """The clients of one loaded site while they are open. ConfigError for what this machine lacks to make them."""

    def __init__(self, workplace: Workplace, timeout: float, clock: Clock) -> None:
        self.workplace, self._timeout = workplace, timeout
        self._stack = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            self.clients: Mapping[str, Observer] = stack.enter_context(observers(workplace, timeout))
            self._paths = stack.enter_context(path_observers(workplace, timeout))
            self._stack = stack.pop_all()
        pool = ThreadPoolExecutor(max(1, len(self.clients) + len(self._paths)), thread_name_prefix="ask")
        self._stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        self._endpoints: Asked[EndpointSeen] = Asked(pool, clock)
        self._providers: Asked[PathProviderSeen] = Asked(pool, clock)

    def ask(self, wanted: Mapping[str, Wanted], patience: float) -> tuple[dict[str, EndpointSeen], dict[str, PathProviderSeen]]:
        """What was answered within `patience` seconds. What comes later is in what a later call returns.

        An engine that has answered before and hangs now is waited for longer than one that never did; here it is silent meanwhile.
        """
        for name, client in self.clients.items():
            self._endpoints.ask(name, partial(seen_by, client, name, wanted.get(name, Wanted())))
        ports = ports_by_provider(self.workplace.site)
        for name, provider in self._paths.items():
            self._providers.ask(name, partial(provider.observe, ports.get(name, NOTHING)))
        open_: list[Future[Any]] = [*self._endpoints.pending.values(), *self._providers.pending.values()]
        wait(open_, timeout=patience)
        seen = self._endpoints.answered()
        late = self._endpoints.open_for(self._timeout)
        return seen | {name: EndpointSeen(name, silence=f"no answer for {self._timeout:g} s") for name in late}, self._providers.answered()

    def close(self) -> None:
        """Close the clients; who is still asked answers no one."""
        self._stack.close()


def seen_by(client: Observer, name: str, wanted: Wanted) -> EndpointSeen:
    """What the endpoint shows. A refusal is a silence with a reason: the other endpoints are shown all the same."""
    try:
        return client.observe(wanted)
    except DtnctlError as error:
        return EndpointSeen(name, silence=str(error))
