"""Makes the samples of a transfer from its job's log and the times at which the engine took each line: no run has to watch it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from dtnctl.errors import EngineError, NotFoundError, TransferError, UnreachableError
from dtnctl.model.ledger import Attempt
from dtnctl.model.resources import ContainerSeen, ledger_name
from dtnctl.model.samples import Collector, Sample, decode_samples, samples_path
from dtnctl.movers.base import Moved, ProgressReader
from dtnctl.providers.base import Observer
from dtnctl.runtime.transfers.latest import latest_attempt
from dtnctl.runtime.transfers.notes import read_notes

LOG_READ = 64 * 1024**2  # bytes of a log that are read for it: a million files have names, and the receipt does not wait for all of them


def sample_job(observer: Observer, job: ContainerSeen, reader: ProgressReader) -> tuple[Sample, ...]:
    """What the job's output says, over time; nothing where the engine cannot show it."""
    collected = Collector()
    with contextlib.suppress(EngineError, UnreachableError):
        for seconds, moved in progress_over_time(observer, job, reader):
            collected.add(seconds, moved.bytes)
    return collected.samples()


def progress_over_time(
    observer: Observer, job: ContainerSeen, reader: ProgressReader, *, follow: bool = False
) -> Iterator[tuple[float, Moved]]:
    """What the job's output says with the seconds since its start, as far as it is written; with `follow` until it ends."""
    for at, line in _stamped_lines(observer, job.id, follow=follow):
        moved = reader.feed(line)
        seconds = _seconds(job.started_at, at)
        if moved is not None and seconds is not None:
            yield seconds, moved


def samples_of(observer: Observer, site: str, transfer: str, generation: int) -> tuple[Attempt, tuple[Sample, ...]]:
    """The newest attempt with its samples: of a job that is there from its log, else those that its record kept.

    TransferError if the generation has not run.
    """
    last, job = latest_attempt(observer, site, transfer, generation)
    if job is not None and job.started_at:
        attempt = last or Attempt(transfer, generation, 1, job.id, claimed_at=job.started_at)
        notes = read_notes(observer, job)
        if notes is not None:
            return replace(attempt, started_at=job.started_at), sample_job(observer, job, notes.reader())
    if last is None:
        raise TransferError(f"{transfer} (generation {generation}) has not run: there are no samples")
    return last, read_samples(observer, site, last)


def read_samples(observer: Observer, site: str, attempt: Attempt) -> tuple[Sample, ...]:
    """Those that the ledger keeps; nothing if it keeps none that can be read."""
    path = samples_path(attempt.key)
    try:
        found = observer.store.read(ledger_name(site), path).get(path)
        return decode_samples(found if isinstance(found, bytes) else b"")
    except (NotFoundError, ValueError):
        return ()


def _stamped_lines(observer: Observer, container: str, *, follow: bool) -> Iterator[tuple[str, bytes]]:
    """(time, line with its end) of the log, as far as it is read."""
    rest, read = b"", 0
    for chunk in observer.logs(container, follow=follow, timestamps=True):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            at, _, text = line.partition(b" ")
            yield at.decode("ascii", "replace"), text + b"\n"
        read += len(chunk)
        if read > LOG_READ:
            return


def _seconds(start: str, at: str) -> float | None:
    """From one time of an engine to another; None if one of them is none. They have nine digits behind the point; Python reads six."""
    try:
        return (datetime.fromisoformat(at) - datetime.fromisoformat(start)).total_seconds()
    except (TypeError, ValueError):
        return None
