"""dtnctl in this process, its imports warm, with its engine calls noted: when the first began, when the last ended, how many."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from bench.place import Place
from dtnctl.cli.progress import watching
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Step
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope
from dtnctl.providers.base import EndpointAccess, Engine
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.providers.timeouts import Timeouts
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.lease import this_process
from dtnctl.runtime.reconcile import Applied, Terms, apply_plan, look_and_plan

OnOutcome = Callable[[Outcome, Step], None]


@dataclass(slots=True)
class Span:
    """From the beginning of the first call to the end of the last one, over all engines; and how many calls of each kind."""

    first: float = 0.0
    last: float = 0.0
    calls: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seconds(self) -> float:
        return self.last - self.first

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, noted in the span at every call."""

        def call(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self._note(name, began, time.perf_counter())

        return call

    def _note(self, name: str, began: float, ended: float) -> None:
        with self.lock:
            self.first = min(self.first or began, began)
            self.last = max(self.last, ended)
            self.calls[name] = self.calls.get(name, 0) + 1


class TimedEngine:
    """An engine whose calls are noted in a span."""

    def __init__(self, engine: Engine, span: Span) -> None:
        self.endpoint = engine.endpoint
        self._engine = engine
        self._span = span

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        return self._span.timed(name, found) if callable(found) else found  # what it only knows is no call


@contextlib.contextmanager
def timed_engines(here: Place, site: Site, span: Span) -> Iterator[Mapping[str, Engine]]:
    """New clients, so that connecting is in the time."""
    with contextlib.ExitStack() as stack:
        clients: dict[str, Engine] = {}
        for name, document in site.endpoints.items():
            engine = DockerEngine(EndpointAccess(name, document.value, site.name, {}, here.root, Timeouts()))
            stack.callback(engine.close)
            clients[name] = cast("Engine", TimedEngine(engine, span))
        yield clients


def apply(here: Place, on_outcome: OnOutcome | None = None) -> tuple[Applied, Span]:
    """What `dtnctl apply --yes` does (the calls of cli/apply.py, on the same terms), told into nowhere. Fails if a step fails."""
    site, span = here.site(), Span()
    with timed_engines(here, site, span) as engines, Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        done = _apply(site, engines, on_outcome)
    bad = [outcome for outcome in done.outcomes if outcome.result != "done"]
    if bad or (done.remaining is not None and done.remaining.steps):
        raise RuntimeError(f"the apply did not converge: {bad}")
    return done, span


def _apply(site: Site, engines: Mapping[str, Engine], on_outcome: OnOutcome | None) -> Applied:
    clock, scope = SystemClock(), Scope()
    terms = Terms(holder=this_process(), clock=clock, parallel=site.settings.value.limits.parallel, lock_timeout=60.0)
    plan, _ = look_and_plan(site, engines, clock.now(), scope)
    with watching(plan, threading.Event()) as watched:
        reports = watched.reports()
        heard = replace(reports, outcome=on_outcome) if on_outcome is not None else reports
        return apply_plan(site, engines, plan, scope=scope, terms=terms, reports=heard)
