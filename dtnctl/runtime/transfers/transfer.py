"""Transfers as the rest of dtnctl sees them: start one, wait for its end and record it, cancel it, read its log and progress."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from dtnctl.errors import EngineError, LockError, TransferError, UnreachableError
from dtnctl.model.actions import FinishTransfer, StartTransfer
from dtnctl.model.ledger import Attempt, Requester
from dtnctl.model.report import TransferRow
from dtnctl.model.resources import ContainerSeen
from dtnctl.movers.verdict import cancellation
from dtnctl.planning.resolve import ResolvedTransfer
from dtnctl.providers.base import Engine, Observer
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.transfers.attempt import NOT_SAID, Task, is_running, task_of
from dtnctl.runtime.transfers.finish import (
    AttemptEnd,
    Progress,
    Waiting,
    end_attempt,
    finish_attempt,
    progress_of,
    watch_attempt,
)
from dtnctl.runtime.transfers.joint_calls import JointCalls
from dtnctl.runtime.transfers.latest import latest_attempt
from dtnctl.runtime.transfers.notes import read_notes
from dtnctl.runtime.transfers.notify import notice_text, notify_if_due, with_notice_due
from dtnctl.runtime.transfers.record import read_stored_log, write_record
from dtnctl.runtime.transfers.start import StartResult, start_attempt
from dtnctl.runtime.transfers.watch import STOP_SECONDS, InterruptedWaitError, Watched, read_tail

__all__ = [
    "Clock",
    "InterruptedWaitError",
    "Progress",
    "StartResult",
    "Waiting",
    "await_transfer",
    "cancel_transfer",
    "live_progress",
    "read_log",
    "record_transfer",
    "start_transfer",
    "with_live_progress",
]

Leased: TypeAlias = Callable[[], contextlib.AbstractContextManager[object]]

PAUSE_SLICE = 0.5  # a pause before a retry notices within this time that it is to end

# --- start and finish ---------------------------------------------------------------------------------------


def start_transfer(
    action: StartTransfer,
    engines: Mapping[str, Engine],
    site: str,
    clock: Clock,
    requester: Requester = NOT_SAID,
    calls: JointCalls | None = None,
) -> StartResult:
    """Start it unless it ever ran. TransferError says why it cannot be started; then nothing was. `calls` are those of the run."""
    task = task_of(action, engines, site, clock, requester, calls)
    return start_attempt(task, action.image)


def record_transfer(
    action: FinishTransfer, engines: Mapping[str, Engine], site: str, clock: Clock, calls: JointCalls | None = None
) -> Attempt:
    """Judge a job that has ended, record that, clean up; nothing is waited for and nothing is started.

    Returns the receipt of a transfer that succeeded, or one that was there before. TransferError has the cause of one that failed.
    """
    task = task_of(action, engines, site, clock, calls=calls)
    end = finish_attempt(task)
    receipt = notify_if_due(task, end.receipt)
    if receipt.verdict == "succeeded" or end.was_recorded:
        return receipt
    raise TransferError(_failure(task, receipt))


def _failure(task: Task, receipt: Attempt) -> str:
    return f"{task.title} {receipt.verdict}: {receipt.cause}{notice_text(receipt)}"


def await_transfer(
    action: FinishTransfer,
    engines: Mapping[str, Engine],
    site: str,
    clock: Clock,
    waiting: Waiting,
    leased: Leased,
    requester: Requester = NOT_SAID,
    calls: JointCalls | None = None,
) -> Attempt:
    """Wait for its end, judge, record, clean up; with tries left, start the next one and wait for that.

    While it waits it holds no lease: copies take hours, and others have work on the same endpoints. `leased` holds those of both
    ends for each moment that writes. Returns the receipt of a transfer that succeeded. TransferError has the cause of one that
    did not, LockError says that its result is still to be recorded, InterruptedWaitError that the copy goes on.
    """
    task = task_of(action, engines, site, clock, requester, calls)
    while True:
        watched = watch_attempt(task, waiting)
        with _again(task, leased):
            end = finish_attempt(task, watched, waiting.begun)
        receipt = end.receipt
        if receipt.verdict == "succeeded":
            rate = receipt.bytes / receipt.seconds if receipt.seconds else None
            waiting.on_progress(Progress(task.transfer, receipt.bytes, receipt.bytes, rate, None))
            return notify_if_due(task, receipt, _again(task, leased))
        pause = _pause_before_next(task, end)
        if pause is None:
            receipt = with_notice_due(task, receipt, is_last=True)
            raise TransferError(_failure(task, notify_if_due(task, receipt, _again(task, leased))))
        _sleep(task, pause, waiting.stop)
        task = task.next_try()
        with _again(task, leased):
            waiting = replace(waiting, begun=start_attempt(task, end.image).begun)


@contextlib.contextmanager
def _again(task: Task, leased: Leased) -> Iterator[None]:
    """The leases of both ends, for a moment."""
    try:
        with leased():
            yield
    except LockError as error:
        raise LockError(f"{task.title}: {error}; the next apply goes on from here") from error


def _pause_before_next(task: Task, end: AttemptEnd) -> float | None:
    """Seconds until the next try; None if there is none."""
    if not end.receipt.may_be_repeated(task.attempt, task.options.retries) or not end.image:
        return None
    pause: float = task.options.backoff * 2 ** (task.attempt - 1)
    return None if end.time_left is not None and pause >= end.time_left else pause


def _sleep(task: Task, seconds: float, stop: threading.Event) -> None:
    """Wait on the task's clock; TransferError if the caller wants to stop meanwhile."""
    until = task.clock.monotonic() + seconds
    while (left := until - task.clock.monotonic()) > 0:
        if stop.is_set():
            raise TransferError(f"{task.title} failed; the next apply starts its next try")
        task.clock.sleep(min(left, PAUSE_SLICE))


# --- cancel -------------------------------------------------------------------------------------------------


def cancel_transfer(
    resolved: ResolvedTransfer, engines: Mapping[str, Engine], site: str, clock: Clock, calls: JointCalls | None = None
) -> str:
    """Stop the running job of the transfer and record that; returns what came of it. What it copied so far stays."""
    here = engines[resolved.source_endpoint]
    name, generation = resolved.transfer.name, resolved.transfer.value.generation
    last, job = latest_attempt(here, site, name, generation)
    if job is None or not is_running(job):
        state = (last.verdict if last is not None else None) or "not running"
        return f"nothing to cancel: {name} (generation {generation}) is {state}"
    claim = last or Attempt(name, generation, 1, job.id, claimed_at=job.started_at)
    notes = read_notes(here, job)
    if notes is None:
        raise TransferError(f"{job.name} does not say what it copies; stop it on its engine")
    task = replace(notes.task(claim, site, engines, clock), calls=calls or JointCalls())
    with contextlib.suppress(TransferError):  # a full disk keeps no job running
        claim = replace(claim, cause="its cancellation was asked for")
        write_record(here, site, claim)
    here.stop(job.id, STOP_SECONDS)
    job = here.inspect(job.id)
    if job.exit_code == 0:
        return f"{task.title} ended by itself before it could be cancelled; the next apply records its result"
    watched = Watched(job, read_tail(here, job.id), "")
    receipt = notify_if_due(task, end_attempt(task, claim, notes, watched, cancellation))
    return f"{task.title}: {receipt.cause}{notice_text(receipt)}"


# --- looking ------------------------------------------------------------------------------------------------


def read_log(
    observer: Observer,
    site: str,
    transfer: str,
    generation: int,
    *,
    follow: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Iterator[bytes]:
    """What the latest attempt wrote: from its container as long as that is there, else what its record kept of it.

    With `follow` until a running job ends, with its progress where its output shows one.
    """
    last, job = latest_attempt(observer, site, transfer, generation)
    if job is not None and job.started_at:
        chunks = observer.logs(job.id, follow=follow)
        yield from _with_progress(observer, transfer, job, chunks, on_progress) if follow else chunks
        return
    if last is None:
        raise TransferError(f"{transfer} (generation {generation}) has not run: there is no log")
    yield read_stored_log(observer, site, last)


def _with_progress(
    observer: Observer, transfer: str, job: ContainerSeen, chunks: Iterator[bytes], on_progress: Callable[[Progress], None]
) -> Iterator[bytes]:
    notes = read_notes(observer, job)
    reader = notes.reader() if notes is not None else None
    for chunk in chunks:
        moved = reader.feed(chunk) if reader is not None else None
        if notes is not None and moved is not None:
            on_progress(progress_of(transfer, moved, notes.total, len(notes.before.files) or None))
        yield chunk


def with_live_progress(row: TransferRow, observer: Observer, site: str) -> TransferRow:
    """The row of a running transfer with what it has moved and how fast; as it was if its log does not say, or cannot be read."""
    with contextlib.suppress(EngineError, UnreachableError):
        progress = live_progress(observer, site, row.name, row.generation)
        if progress is not None:
            return replace(row, bytes=progress.bytes, bytes_per_second=progress.rate)
    return row


def live_progress(observer: Observer, site: str, transfer: str, generation: int) -> Progress | None:
    """How far the running attempt is; None if none runs or it has said nothing yet."""
    _, job = latest_attempt(observer, site, transfer, generation)
    notes = read_notes(observer, job) if job is not None and is_running(job) else None
    if job is None or notes is None:
        return None
    reader = notes.reader()
    reported = [moved for chunk in observer.logs(job.id) if (moved := reader.feed(chunk)) is not None]
    return progress_of(transfer, reported[-1], notes.total) if reported else None
