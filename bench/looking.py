"""P3: a plan with nothing to do, from its first call to the printed plan, against one list and the inspections, raw."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime

from bench.figures import Figure, Options, Pairs, at_most, figure_of, in_turn, seconds
from bench.place import Place, place, write_tiny_sessions
from bench.raw import Raw, at_once
from bench.runs import apply
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope
from dtnctl.providers.base import EndpointAccess, Observer
from dtnctl.providers.docker.engine import DockerObserver
from dtnctl.providers.timeouts import Timeouts
from dtnctl.render.context import RenderContext
from dtnctl.render.terminal import render_plan
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.reconcile import look_and_plan

ENDPOINTS = 4
WORKERS = (1, 2, 4, 8, 16)


def measure(options: Options) -> Iterator[Figure]:
    sessions = options.size(50, 5)
    with place(ENDPOINTS, "tiny") as here:
        write_tiny_sessions(here.root, here.names, sessions)
        apply(here)
        site = here.site()
        plan_printed(here, site)
        workers = best_workers(here)
        pairs = Pairs(*in_turn(options.rounds_or(15), lambda: plan_printed(here, site), lambda: looked_raw(here, workers)))
    detail = seconds("dtnctl", f"raw calls ({workers} at once)", pairs)
    yield figure_of(f"P3 plan {ENDPOINTS} x {sessions}, nothing to do / raw reads", pairs, at_most(1.5), detail)


def plan_printed(here: Place, site: Site) -> float:
    """Seconds of `dtnctl plan` from its first engine call until the plan's text is there."""
    now = SystemClock().now()
    with contextlib.ExitStack() as stack:
        observers: dict[str, Observer] = {}
        for name, document in site.endpoints.items():
            observer = DockerObserver(EndpointAccess(name, document.value, site.name, {}, here.root, Timeouts()))
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


def looked_raw(here: Place, workers: int) -> float:
    """Seconds to list every endpoint's containers and to inspect each, decoded, so many calls at a time over all endpoints."""
    with contextlib.ExitStack() as stack:
        raws = [stack.enter_context(here.raw(name)) for name in here.names]
        began = time.perf_counter()
        lists = at_once(min(workers, len(raws)), Raw.containers, raws)
        asked = [(raw, item["Id"]) for raw, listed in zip(raws, lists, strict=True) for item in listed]
        at_once(workers, lambda pair: pair[0].inspect(pair[1]), sorted(asked, key=lambda pair: str(pair[1])))
        return time.perf_counter() - began


def best_workers(here: Place) -> int:
    """The number of workers that is fastest here, the best of three for each."""
    times = {workers: min(looked_raw(here, workers) for _ in range(3)) for workers in WORKERS}
    sys.stderr.write("".join(f"  raw, {workers} at once: {elapsed:.3f} s\n" for workers, elapsed in times.items()))
    return min(times, key=lambda workers: times[workers])
