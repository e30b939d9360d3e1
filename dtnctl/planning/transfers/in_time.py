"""Decides whether it is the time for a transfer: in its window, or at a firing of its schedule. Pure: the time is passed in.

With a schedule, each firing is a generation: the declared one and the firing's time. So two applies for one firing claim the same one, and
of firings that were missed only the newest has a generation that anything asks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from dtnctl.model.ledger import Attempt
from dtnctl.model.schedule import declared_generation, firing_of, firing_text, next_firing, next_opening
from dtnctl.planning.resolve import ResolvedTransfer, of_generation
from dtnctl.planning.transfers.declared import TransferPlan
from dtnctl.planning.transfers.jobs import History
from dtnctl.planning.transfers.order import delayed, waiting


def as_it_runs(resolved: ResolvedTransfer, history: History) -> ResolvedTransfer:
    """The transfer at the firing whose job is still there: that one is brought to its end before a newer one starts."""
    generation = resolved.transfer.value.generation
    started = (job.generation for job in history.jobs(resolved.source_endpoint, resolved.transfer.name) if job.seen.started_at)
    return _at_newest(resolved, (item for item in started if item < generation)) if firing_of(generation) else resolved


def as_it_ran(resolved: ResolvedTransfer, attempts: Iterable[Attempt]) -> ResolvedTransfer:
    """The transfer at the newest firing that was claimed: what there is to look at."""
    claimed = (item.generation for item in attempts if item.transfer == resolved.transfer.name and not item.released)
    return _at_newest(resolved, claimed) if firing_of(resolved.transfer.value.generation) else resolved


def _at_newest(resolved: ResolvedTransfer, generations: Iterable[int]) -> ResolvedTransfer:
    declared = declared_generation(resolved.transfer.value.generation)
    newest = max((item for item in generations if declared_generation(item) == declared), default=0)
    return of_generation(resolved, newest) if newest else resolved


def in_its_time(resolved: ResolvedTransfer, result: TransferPlan, now: datetime) -> TransferPlan:
    """The plan of a transfer that would start, as its `when` allows: as it is, or waiting for a time."""
    when = resolved.transfer.value.when
    if when is None or not result.starts:
        return result
    firing = firing_of(resolved.transfer.value.generation)
    if firing is None:
        opening = next_opening(when, now)
        if opening is None:
            return result
        return waiting(resolved, f"its window opens at {opening.isoformat(timespec='minutes')}; the first apply from then on starts it")
    if when.within is not None and now - firing > timedelta(seconds=when.within):
        following = firing_text(next_firing(when, now))
        text = f"its firing of {firing_text(firing)} was missed, which is longer ago than `within`"
        return waiting(resolved, f"{text}; the first apply after {following} starts the next one")
    return delayed(result, note=f"for the firing of {firing_text(firing)}")
