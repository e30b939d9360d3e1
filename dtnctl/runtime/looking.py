"""A look with a plan for people: how far the running transfers are that it would cut off, or waits for, is part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from dtnctl.model.plan import Plan
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope
from dtnctl.providers.base import Observer
from dtnctl.providers.paths.base import PathObserver
from dtnctl.runtime.reconcile import NO_PATHS, look_and_plan, plan_from


def look_with_progress(
    site: Site, observers: Mapping[str, Observer], now: datetime, scope: Scope, paths: Mapping[str, PathObserver] = NO_PATHS
) -> tuple[Plan, Snapshot]:
    """As look_and_plan: the same steps and the same hash. Logs are read only where a running transfer is concerned."""
    plan, snapshot = look_and_plan(site, observers, now, scope, paths)
    if not any(change.cuts for change in plan.changes):
        return plan, snapshot
    from dtnctl.runtime.transfers.impact import read_progress

    snapshot = replace(snapshot, progress=read_progress(snapshot, observers, plan))
    return plan_from(site, snapshot, now, scope), snapshot
