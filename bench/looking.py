"""P3: a plan with nothing to do, from its first call to the printed plan, against one list and the inspections, raw, by backend."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime

from bench.backends import BACKENDS, MISSING, Reached
from bench.figures import Figure, Options, Pairs, at_most, figure_of, in_turn, not_measured, seconds
from bench.place import Place, place, write_tiny_sessions
from bench.raw import at_once
from bench.runs import apply
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope
from dtnctl.providers.base import EndpointAccess, Observer
from dtnctl.providers.endpoint import observer_of
from dtnctl.providers.local.descriptors import reads_of_each
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.shared import Shared
from dtnctl.providers.timeouts import Timeouts
from dtnctl.render.context import RenderContext
from dtnctl.render.terminal import render_plan
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.reconcile import look_and_plan

ENDPOINTS = 4
GOAL = at_most(1.5)
WORKERS = (1, 2, 4, 8, 16)


def measure(options: Options) -> Iterator[Figure]:
    sessions = options.size(50, 5)
    with place(options.count or ENDPOINTS, "tiny") as here:
        write_tiny_sessions(here.root, here.names, sessions)
        apply(here)
        for name, by in BACKENDS.items():
            title = f"P3 plan {len(here.names)} x {sessions} by {name}, nothing to do / raw reads"
            if reason := MISSING.get(name, lambda: None)():
                yield not_measured(title, GOAL, reason)
                continue
            with by(here) as reached:
                yield _figure(title, here, reached, options)


def _figure(title: str, here: Place, reached: Reached, options: Options) -> Figure:
    plan_printed(here, reached.site)
    workers = best_workers(reached)
    pairs = Pairs(*in_turn(options.rounds_or(15), lambda: plan_printed(here, reached.site), lambda: looked_raw(reached, workers)))
    detail = seconds("dtnctl", f"raw calls ({workers} at once)", pairs)
    return figure_of(title, pairs, GOAL, detail)


def plan_printed(here: Place, site: Site) -> float:
    """Seconds of `dtnctl plan` from its first engine call until the plan's text is there."""
    now, reads = SystemClock().now(), reads_of_each(len(site.endpoints))
    secrets, shared = SecretSource(here.root, os.environ, site.name, ""), Shared()
    with contextlib.ExitStack() as stack:
        observers: dict[str, Observer] = {}
        for name, document in site.endpoints.items():
            asked = EndpointAccess(name, document.value, site.name, {}, here.root, Timeouts(), secrets=secrets, reads=reads, shared=shared)
            observer = observer_of(asked)
            stack.callback(observer.close)
            observers[name] = observer
        return _time_of_plan(site, observers, now)


def _time_of_plan(site: Site, observers: Mapping[str, Observer], now: datetime) -> float:
    began = time.perf_counter()
    plan, _ = look_and_plan(site, observers, now, Scope())
    text = render_plan(plan, RenderContext(command="plan", version="", width=120))
    elapsed = time.perf_counter() - began
    if plan.changes or plan.silent or not text:
        raise RuntimeError(f"there is something to do:\n{text}")
    return elapsed


def looked_raw(reached: Reached, workers: int) -> float:
    """Seconds to list every endpoint's containers and to inspect each, decoded, so many calls at a time over all endpoints."""
    with contextlib.ExitStack() as stack:
        raws = [stack.enter_context(raw) for raw in reached.raws()]
        began = time.perf_counter()
        lists = at_once(min(workers, len(raws)), lambda raw: raw.containers(), raws)
        asked = [(raw, item["Id"]) for raw, listed in zip(raws, lists, strict=True) for item in listed]
        at_once(workers, lambda pair: pair[0].inspect(pair[1]), sorted(asked, key=lambda pair: str(pair[1])))
        return time.perf_counter() - began


def best_workers(reached: Reached) -> int:
    """The number of workers that is fastest here, the best of three for each."""
    times = {workers: min(looked_raw(reached, workers) for _ in range(3)) for workers in WORKERS}
    sys.stderr.write("".join(f"  raw, {workers} at once: {elapsed:.3f} s\n" for workers, elapsed in times.items()))
    return min(times, key=lambda workers: times[workers])
