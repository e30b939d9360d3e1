"""P1: an apply, from its first engine call to its last, against the same objects made by the fewest raw calls."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.figures import Figure, Options, Pairs, at_most, figure_of, in_turn, seconds
from bench.place import Place, place, write_tiny_sessions
from bench.raw import at_once
from bench.runs import Span, apply, timed_engines
from dtnctl.model.actions import CreateContainer
from dtnctl.planning.planner import Scope
from dtnctl.providers.docker.translate import create_body
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.reconcile import look_and_plan

WORKERS = (2, 4, 8, 16)


def measure(options: Options) -> Iterator[Figure]:
    sessions = options.size(25, 5)
    with place(2, "tiny") as here:
        write_tiny_sessions(here.root, here.names, sessions)
        applied(here)  # imports, caches, and the empty image of leases
        objects = planned_containers(here)
        workers = best_workers(here, objects)
        pairs = Pairs(*in_turn(options.rounds_or(7), lambda: applied(here), lambda: made_raw(here, objects, workers)))
    detail = seconds("dtnctl", f"raw calls ({workers} at once)", pairs)
    yield figure_of(f"P1 apply 2 x {sessions} sessions / raw engine calls", pairs, at_most(1.10), detail)


def applied(here: Place) -> float:
    """Seconds of an apply from its first to its last engine call, lease and last look included; everything is removed again."""
    _, span = apply(here)
    here.clear()
    return span.seconds


# --- the floor ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """A container to make: where, its name, and the body of the engine's create call."""

    endpoint: str
    name: str
    body: Mapping[str, Any]


def planned_containers(here: Place) -> tuple[Made, ...]:
    """The very containers that apply would make, with the same bodies; the endpoints in turn, so that all engines are busy."""
    site = here.site()
    with timed_engines(here, site, Span()) as engines:
        plan, _ = look_and_plan(site, engines, SystemClock().now(), Scope())
    made = [
        Made(step.endpoint, step.action.container, create_body(step.action.spec, step.action.labels))
        for step in plan.steps
        if isinstance(step.action, CreateContainer)
    ]
    return tuple(sorted(made, key=lambda item: (item.name, item.endpoint)))


def made_raw(here: Place, objects: tuple[Made, ...], workers: int) -> float:
    """Seconds to create and start them all, so many at a time over all endpoints; everything is removed again."""
    with contextlib.ExitStack() as stack:
        raws = {name: stack.enter_context(here.raw(name)) for name in here.names}

        def make(item: Made) -> None:
            raw = raws[item.endpoint]
            raw.start(raw.create(item.name, item.body))

        began = time.perf_counter()
        at_once(workers, make, objects)
        elapsed = time.perf_counter() - began
    here.clear()
    return elapsed


def best_workers(here: Place, objects: tuple[Made, ...]) -> int:
    """The number of workers that is fastest here, tried once each after a first run that does not count."""
    made_raw(here, objects, WORKERS[0])
    times = {workers: made_raw(here, objects, workers) for workers in WORKERS}
    sys.stderr.write("".join(f"  raw, {workers} at once: {elapsed:.2f} s\n" for workers, elapsed in times.items()))
    return min(times, key=lambda workers: times[workers])
