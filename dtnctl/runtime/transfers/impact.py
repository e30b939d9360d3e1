"""Reads how far running transfers are that a plan would cut off, or waits for. Nothing is read for any other plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from dtnctl.errors import EngineError, NotFoundError, UnreachableError
from dtnctl.model.impact import Progress
from dtnctl.model.plan import Plan
from dtnctl.model.resources import ContainerSeen, Snapshot
from dtnctl.movers.base import ProgressReader
from dtnctl.providers.base import Observer
from dtnctl.runtime.transfers.attempt import is_running
from dtnctl.runtime.transfers.notes import read_notes
from dtnctl.runtime.transfers.samples import LOG_READ

AT_ONCE = 8  # logs that are read at the same time


def read_progress(snapshot: Snapshot, observers: Mapping[str, Observer], plan: Plan) -> Mapping[str, Progress]:
    """By transfer, as far as the output of its job says it. What cannot be read is left out: no plan fails for it."""
    jobs = list(_jobs(snapshot, plan))
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="progress") as pool:
        found = pool.map(lambda item: _progress(observers[item[0]], item[1]), jobs)
        return {job.owner: progress for (_, job), progress in zip(jobs, found, strict=True) if progress is not None}


def _jobs(snapshot: Snapshot, plan: Plan) -> Iterator[tuple[str, ContainerSeen]]:
    """(endpoint, container) of each running transfer that a change of the plan is about."""
    cuts = {(cut.endpoint, cut.transfer) for change in plan.changes for cut in change.cuts}
    for endpoint, transfer in sorted(cuts):
        for item in snapshot.endpoints[endpoint].containers:
            if (item.kind, item.owner) == ("transfer", transfer) and is_running(item):
                yield endpoint, item


def _progress(observer: Observer, job: ContainerSeen) -> Progress | None:
    try:
        notes = read_notes(observer, job)
        if notes is None:
            return None
        return Progress(_moved(observer, job, notes.reader()), notes.total)
    except (EngineError, NotFoundError, UnreachableError):
        return None


def _moved(observer: Observer, job: ContainerSeen, reader: ProgressReader) -> int:
    """Bytes by what the job has written so far, as far as that is read."""
    moved, read = 0, 0
    for chunk in observer.logs(job.id):
        progress = reader.feed(chunk)
        moved = moved if progress is None else max(moved, progress.bytes)
        read += len(chunk)
        if read > LOG_READ:
            break
    return moved
