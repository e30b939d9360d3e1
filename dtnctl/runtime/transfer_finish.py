"""Ends one attempt of a transfer: wait, judge by evidence, write the receipt, take the keys and the container away. In this order.

A kill between any two of these loses nothing: without a receipt the next run judges again, with one it only clears away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from dtnctl.errors import NotFoundError, TransferError, UnreachableError
from dtnctl.model.resources import Attempt, ContainerSeen
from dtnctl.movers.base import Judgement, Moved
from dtnctl.runtime import keys
from dtnctl.runtime.ledger import read_record, write_record
from dtnctl.runtime.transfer_evidence import gather
from dtnctl.runtime.transfer_notes import Notes, read_notes
from dtnctl.runtime.transfer_task import Task, find_job, is_running, seconds_between, time_left
from dtnctl.runtime.transfer_watch import InterruptedWaitError, Limits, Watch, Watched, read_tail


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is. Bytes are at least so many; `rate` in bytes per second, `eta` in seconds; None: not known."""

    transfer: str
    bytes: int
    total: int | None
    rate: float | None
    eta: float | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait for the end: not at all, or telling progress until `stop` is set."""

    wait: bool
    on_progress: Callable[[Progress], None]
    stop: threading.Event


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """`was_recorded`: the receipt was there before us. `image` is the job's; `time_left` is what the deadline leaves for further tries."""

    receipt: Attempt
    image: str
    was_recorded: bool
    time_left: float | None


def finish_attempt(task: Task, waiting: Waiting) -> AttemptEnd:
    """The attempt's receipt, written now or found. TransferError if there cannot be one now."""
    with ThreadPoolExecutor(2, thread_name_prefix="finish") as pool:
        reading = pool.submit(read_record, task.here, task.site, task.transfer, task.generation, task.attempt)
        finding = pool.submit(find_job, task.here, task.site, task.job_name)
        record, job = reading.result(), finding.result()
    if record is not None and record.verdict is not None:
        return _finish_recorded(task, record, job)
    if job is None:
        raise TransferError(f"{task.title} is unknown: its container and its result are gone; it may have run")
    if not job.started_at:
        raise TransferError(f"{task.title} was not started; apply again")
    claim = record or Attempt(task.transfer, task.generation, task.attempt, job.id, claimed_at=job.started_at)
    notes = read_notes(task.here, job)
    watched = _await_end(task, job, notes, time_left(task, claim), waiting)
    judgement = task.mover.judge(gather(task, notes, watched), task.settings)
    receipt = record_end(task, claim, watched, judgement)
    if receipt.verdict == "succeeded":
        rate = receipt.bytes / receipt.seconds if receipt.seconds else None
        waiting.on_progress(Progress(task.transfer, receipt.bytes, receipt.bytes, rate, None))
    return AttemptEnd(receipt, job.spec.image, was_recorded=False, time_left=time_left(task, claim))


def _finish_recorded(task: Task, record: Attempt, job: ContainerSeen | None) -> AttemptEnd:
    if job is not None and is_running(job):
        raise TransferError(
            f"{task.title} has the receipt {record.verdict!r} and still runs: {record.cause}; cancel it, or wait for its end"
        )
    clear_away(task, job, record)
    image = job.spec.image if job is not None else _service_image(task)
    return AttemptEnd(record, image, was_recorded=True, time_left=time_left(task, record))


def _service_image(task: Task) -> str:
    try:
        return task.here.inspect(task.source.container).spec.image
    except NotFoundError:
        return ""


def _await_end(task: Task, job: ContainerSeen, notes: Notes | None, left: float | None, waiting: Waiting) -> Watched:
    if not is_running(job):
        return Watched(job, read_tail(task.here, job.id), "")
    if not waiting.wait:
        raise TransferError(f"{task.title} still runs; its result is recorded by the apply after its end")
    sizes = notes.before.files if notes is not None else {}
    total = notes.before.bytes if notes is not None else None
    watch = Watch(
        engine=task.here,
        container=job.id,
        make_reader=lambda: task.mover.reader(task.source, task.settings, sizes),
        limits=Limits(task.settings.stall_timeout, left),
        clock=task.clock,
        stop=waiting.stop,
        report=lambda moved: waiting.on_progress(progress_of(task.transfer, moved, total)),
    )
    try:
        return watch.run()
    except InterruptedWaitError:
        follow = f"follow it with `dtnctl transfers logs -f {task.transfer}`"
        raise TransferError(f"{task.title} goes on; {follow}, the next apply records its result") from None
    except NotFoundError as error:
        raise TransferError(f"{task.title} is unknown: its container was removed while it ran") from error


def progress_of(transfer: str, moved: Moved, total: int | None) -> Progress:
    """What the output says, with the time that the rest takes at this rate."""
    eta = max(0, total - moved.bytes) / moved.rate if moved.rate and total is not None else None
    return Progress(transfer, moved.bytes, total, moved.rate, eta)


def record_end(task: Task, claim: Attempt, watched: Watched, judgement: Judgement) -> Attempt:
    """Write the receipt and the end of the log, then clear away; returns the receipt."""
    job = watched.job
    receipt = replace(
        claim,
        verdict=judgement.verdict,
        cause=judgement.cause,
        retryable=judgement.retryable,
        exit_code=job.exit_code,
        bytes=judgement.bytes,
        files=judgement.files,
        seconds=seconds_between(job.started_at, job.finished_at),
        finished_at=job.finished_at,
        checksum=judgement.checksum,
        verified=judgement.verified,
    )
    write_record(task.here, task.site, receipt, watched.log)
    clear_away(task, job, receipt)
    return receipt


def clear_away(task: Task, job: ContainerSeen | None, receipt: Attempt) -> None:
    """Take the keys away at both ends, then the job's container."""
    ends = {(end.endpoint, end.container): (engine, end) for engine, end in ((task.here, task.source), (task.there, task.destination))}
    try:
        with ThreadPoolExecutor(2, thread_name_prefix="revoke") as pool:
            revoking = [
                pool.submit(keys.revoke, engine, end.container, end.user, task.site, task.transfer) for engine, end in ends.values()
            ]
        for future in revoking:
            future.result()
        if job is not None:
            task.here.remove(job.id)
    except UnreachableError as error:
        raise UnreachableError(
            f"{task.title} {receipt.verdict}, but its keys are still there: {error}; the next apply clears them away"
        ) from error
