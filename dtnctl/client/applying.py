"""Carries a plan out: the run's terms, and the mirror of its transfers' records."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dtnctl.client.receipts import mirroring
from dtnctl.client.workplace import Workplace, engines, path_services

if TYPE_CHECKING:
    from dtnctl.model.plan import Plan
    from dtnctl.planning.planner import Scope
    from dtnctl.providers.base import Engine
    from dtnctl.providers.paths.base import PathService
    from dtnctl.runtime.reconcile import Applied, Reports


@dataclass(frozen=True, slots=True)
class Clients:
    """What can write: the endpoints' engines, and the site's path providers."""

    engines: Mapping[str, Engine]
    paths: Mapping[str, PathService]


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a plan may be carried out. `lock_timeout`: seconds for each endpoint's lease. `parallel` 0: as the site says.

    `expect`: the hash of the only plan that may run, empty for any. `confirmed`: that of the plan which a person accepted, empty if no
    one was asked. `wait`: until transfers have ended. `stop` is set to begin no further step.
    """

    lock_timeout: float
    parallel: int = 0
    expect: str = ""
    confirmed: str = ""
    wait: bool = True
    stop: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def writing(workplace: Workplace, timeout: float) -> Iterator[Clients]:
    """Clients that can change what the site names, `timeout` seconds for an answer."""
    with engines(workplace, timeout) as clients, path_services(workplace, timeout) as paths:
        yield Clients(clients, paths)


def carry_out(workplace: Workplace, clients: Clients, plan: Plan, scope: Scope, conditions: Conditions, reports: Reports) -> Applied:
    """Make it so, as runtime.reconcile.apply_plan promises; records of transfers are mirrored into Git as they come."""
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.lease import this_process
    from dtnctl.runtime.reconcile import Terms, apply_plan

    terms = Terms(
        holder=this_process(),
        clock=SystemClock(),
        parallel=conditions.parallel or workplace.site.settings.value.limits.parallel,
        lock_timeout=conditions.lock_timeout,
        head=workplace.head.result(),
        expect=conditions.expect,
        confirmed=conditions.confirmed,
        wait=conditions.wait,
        stop=conditions.stop,
        look_up=workplace.secrets.line,
    )
    mirror = mirroring(workplace, clients.engines)
    shown = mirror.watching(reports)
    applied = apply_plan(workplace.site, clients.engines, plan, scope=scope, terms=terms, reports=shown, paths=clients.paths)
    mirror.end(applied.seen)
    return applied
