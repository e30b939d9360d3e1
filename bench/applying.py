"""P1: an apply, from its first engine call to its last, against the same objects made by the fewest raw calls."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bench.figures import Figure, Options, Pairs, at_most, figure_of, in_turn, seconds
from bench.place import Place, place, write_tiny_sessions
from bench.raw import at_once
from dtnctl.cli.progress import reports_for
from dtnctl.model.plan import CreateContainer, Plan
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope
from dtnctl.providers.base import Engine
from dtnctl.providers.docker import connect
from dtnctl.providers.translate import create_body
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.lease import this_process
from dtnctl.runtime.reconcile import Applied, Terms, apply_plan, look_and_plan

WORKERS = (2, 4, 8, 16)


def measure(options: Options) -> Iterator[Figure]:
    sessions = options.size(25, 5)
    with place(2, "tiny") as here:
        write_tiny_sessions(here.root, here.names, sessions)
        applied(here)  # imports, caches, and the empty image of leases
        objects = planned_containers(here)
        workers = best_workers(here, objects)
        pairs = Pairs(*in_turn(options.rounds_or(5), lambda: applied(here), lambda: made_raw(here, objects, workers)))
    detail = seconds("dtnctl", f"raw calls ({workers} at once)", pairs)
    yield figure_of(f"P1 apply 2 x {sessions} sessions / raw engine calls", pairs, at_most(1.10), detail)


# --- ours ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Span:
    """From the beginning of the first call to the end of the last one, over all engines; and how many calls there were."""

    first: float = 0.0
    last: float = 0.0
    calls: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seconds(self) -> float:
        return self.last - self.first

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
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
        return self._span.timed(name, getattr(self._engine, name))


@contextlib.contextmanager
def timed_engines(here: Place, site: Site, span: Span) -> Iterator[Mapping[str, Engine]]:
    """New clients, so that connecting is in the time."""
    with contextlib.ExitStack() as stack:
        clients: dict[str, Engine] = {}
        for name, document in site.endpoints.items():
            engine = connect(name, document.value, site=site.name, registries={}, read_only=False, root=here.root)
            stack.callback(engine.close)
            clients[name] = cast("Engine", TimedEngine(engine, span))
        yield clients


def applied(here: Place) -> float:
    """Seconds of what `dtnctl apply --yes` does between its first and its last engine call; everything is removed again."""
    site, span = here.site(), Span()
    with timed_engines(here, site, span) as engines:
        done = run_apply(site, engines)
    if done.remaining is None or done.remaining.steps or any(outcome.result != "done" for outcome in done.outcomes):
        raise RuntimeError(f"the apply did not converge: {[outcome for outcome in done.outcomes if outcome.result != 'done']}")
    here.clear()
    return span.seconds


def run_apply(site: Site, engines: Mapping[str, Engine]) -> Applied:
    """The calls of cli/loop.py with the same terms; what it tells meanwhile is written, and goes nowhere."""
    clock, scope = SystemClock(), Scope()
    now = clock.now()
    terms = Terms(holder=this_process(), clock=clock, parallel=site.settings.value.limits.parallel, lock_timeout=60.0)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        plan, _ = look_and_plan(site, engines, now, scope)
        return apply_plan(site, engines, plan, now=now, scope=scope, terms=terms, reports=reports_for(plan))


# --- the floor ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """A container to make: where, its name, and the body of the engine's create call."""

    endpoint: str
    name: str
    body: Mapping[str, Any]


def planned_containers(here: Place) -> tuple[Made, ...]:
    """The very containers that apply would make, with the same bodies."""
    site = here.site()
    with timed_engines(here, site, Span()) as engines:
        plan: Plan = look_and_plan(site, engines, SystemClock().now(), Scope())[0]
    return tuple(
        Made(step.endpoint, step.action.container, create_body(step.action.spec, step.action.labels))
        for step in plan.steps
        if isinstance(step.action, CreateContainer)
    )


def made_raw(here: Place, objects: tuple[Made, ...], workers: int) -> float:
    """Seconds to create and start them all, so many at a time over all endpoints; everything is removed again."""
    with contextlib.ExitStack() as stack:
        raws = {name: stack.enter_context(here.raw(name)) for name in here.names}

        def make(item: Made) -> None:
            raw = raws[item.endpoint]
            raw.start(raw.create(item.name, item.body))

        began = time.perf_counter()
        at_once(workers, make, _mixed(objects))
        elapsed = time.perf_counter() - began
    here.clear()
    return elapsed


def _mixed(objects: tuple[Made, ...]) -> list[Made]:
    """The endpoints in turn, so that all engines are busy all the time."""
    return sorted(objects, key=lambda item: (item.name, item.endpoint))


def best_workers(here: Place, objects: tuple[Made, ...]) -> int:
    """The number of workers that is fastest here, tried once each after a first run that does not count."""
    made_raw(here, objects, WORKERS[0])
    times = {workers: made_raw(here, objects, workers) for workers in WORKERS}
    sys.stderr.write("".join(f"  raw, {workers} at once: {elapsed:.2f} s\n" for workers, elapsed in times.items()))
    return min(times, key=lambda workers: times[workers])
