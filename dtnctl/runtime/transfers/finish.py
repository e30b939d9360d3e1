"""Ends one attempt of a transfer: watch it, judge by evidence, write the receipt, take the keys and at last the container away.

A kill in between loses nothing: without a receipt the next run judges again, with one it only cleans up.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from dtnctl.errors import EngineError, NotFoundError, TransferError, UnreachableError
from dtnctl.model.actions import JobEnd
from dtnctl.model.ledger import Attempt
from dtnctl.model.resources import ContainerSeen
from dtnctl.movers.base import Evidence, Judgement, Moved
from dtnctl.movers.verdict import cancellation, with_incomplete_items
from dtnctl.providers.base import Engine
from dtnctl.runtime.transfers import keys
from dtnctl.runtime.transfers.attempt import Task, find_job, is_running, key_places, time_left, time_text
from dtnctl.runtime.transfers.claims import receipt_of
from dtnctl.runtime.transfers.evidence import gather, known_of, read_servers_log
from dtnctl.runtime.transfers.notes import Begun, Notes, as_started, read_notes
from dtnctl.runtime.transfers.notify import with_notice_due
from dtnctl.runtime.transfers.over_path import with_path_use
from dtnctl.runtime.transfers.questions import asked_after_end
from dtnctl.runtime.transfers.record import has_only_claim, read_record, write_record
from dtnctl.runtime.transfers.samples import sample_job
from dtnctl.runtime.transfers.server import end_server, remove_server
from dtnctl.runtime.transfers.times import with_times
from dtnctl.runtime.transfers.watch import InterruptedWaitError, Watch, Watched, WatchLimits, read_tail


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is. `bytes` is a lower bound; `rate` in bytes per second, `eta` in seconds; None: not known.

    `files` have arrived, of `total_files`.
    """

    transfer: str
    bytes: int
    total: int | None
    rate: float | None
    eta: float | None
    files: int | None = None
    total_files: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait for the end: reporting progress, until `stop` is set. `begun` is the attempt if this process has started it."""

    on_progress: Callable[[Progress], None]
    stop: threading.Event
    begun: Begun | None = None


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """`was_recorded`: the receipt was there before us. `image` is the job's; `time_left` is what the deadline leaves for further tries."""

    receipt: Attempt
    image: str
    was_recorded: bool
    time_left: float | None


def watch_attempt(task: Task, waiting: Waiting) -> Watched | None:
    """Wait until the running job has ended; None if none runs, or somebody removed it meanwhile.

    Needs no lease: all that it may do is end the job at its own limits.
    """
    begun = waiting.begun
    if begun is not None and begun.claim.key == (task.transfer, task.generation, task.attempt):
        return _await_end(as_started(task, begun.notes), begun.container, begun.notes, time_left(task, begun.claim), waiting)
    record, job = _record_and_job(task)
    if job is None or not is_running(job) or (record is not None and record.verdict is not None):
        return None
    claim = record or Attempt(task.transfer, task.generation, task.attempt, job.id, claimed_at=job.started_at)
    notes = read_notes(task.here, job)
    return _await_end(as_started(task, notes), job.id, notes, time_left(task, claim), waiting)


def finish_attempt(task: Task, watched: Watched | None = None, begun: Begun | None = None) -> AttemptEnd:
    """The attempt's receipt, written now or found. `watched` is what was seen of its end, `begun` what this process has started.

    TransferError if there cannot be one now.
    """
    record, job = _record_and_job(task, begun)
    if record is not None and record.verdict is not None:
        return _finish_recorded(task, record, job)
    if job is None:
        return _finish_unknown(task, record or Attempt(task.transfer, task.generation, task.attempt, "", claimed_at=""))
    if not job.started_at:
        raise TransferError(f"{task.title} was not started; apply again")
    if is_running(job):
        raise TransferError(f"{task.title} still runs; its result is recorded by the apply after its end")
    if watched is None or watched.job.id != job.id:
        watched = Watched(job, read_tail(task.here, job.id), "")
    claim = record or Attempt(task.transfer, task.generation, task.attempt, job.id, claimed_at=job.started_at)
    notes = begun.notes if begun is not None and begun.container == job.id else read_notes(task.here, job)
    started = as_started(task, notes)
    receipt = end_attempt(started, claim, notes, watched, lambda evidence: _judged(started, claim, evidence))
    return AttemptEnd(receipt, job.spec.image, was_recorded=False, time_left=time_left(task, claim))


def _judged(task: Task, claim: Attempt, evidence: Evidence) -> Judgement:
    """A job that was being cancelled when its run died was stopped by that, unless it ended well before."""
    if claim.is_being_cancelled and evidence.exit_code != 0:
        return cancellation(evidence)
    return with_incomplete_items(task.mover.judge(evidence, task.options), evidence, task.options)


def _record_and_job(task: Task, begun: Begun | None = None) -> tuple[Attempt | None, ContainerSeen | None]:
    with ThreadPoolExecutor(2, thread_name_prefix="finish") as pool:
        reading = pool.submit(_record, task, begun)
        finding = pool.submit(find_job, task.here, task.job_name)
        return reading.result(), finding.result()


def _record(task: Task, begun: Begun | None) -> Attempt | None:
    """The attempt's record; of what this process has begun it is asked only whether another run has written it meanwhile."""
    if begun is not None and begun.claim.key == (task.transfer, task.generation, task.attempt):
        with contextlib.suppress(EngineError):  # reading it says what is wrong
            if has_only_claim(task.here, task.site, begun.claim):
                return begun.claim
    return read_record(task.here, task.site, task.transfer, task.generation, task.attempt)


def _finish_recorded(task: Task, record: Attempt, job: ContainerSeen | None) -> AttemptEnd:
    if job is not None and is_running(job):
        raise TransferError(
            f"{task.title} has the receipt {record.verdict!r} and still runs: {record.cause}; cancel it, or wait for its end"
        )
    notes = read_notes(task.here, job) if job is not None else None
    task = as_started(task, notes)
    with ThreadPoolExecutor(2, thread_name_prefix="revoke") as pool:
        revoking = _revoke_keys(task, notes, pool)
    _clear_away(task, job, record, revoking)
    image = job.spec.image if job is not None else _service_image(task)
    return AttemptEnd(record, image, was_recorded=True, time_left=time_left(task, record))


def _finish_unknown(task: Task, claim: Attempt) -> AttemptEnd:
    """A claim without container and result: its keys go first, then it gets the receipt that says how little is known.

    So does one that only the mirror has: its ledger was lost, and must not look as if nothing had been claimed.
    """
    with ThreadPoolExecutor(2, thread_name_prefix="revoke") as pool:
        revoking = _revoke_keys(task, None, pool)
    for done in revoking:
        done.result()
    remove_server(task)
    cause = "its container and its result are gone; it may have run"
    receipt = with_notice_due(task, replace(claim, verdict="unknown", cause=cause, recorded_at=time_text(task.clock.now())))
    write_record(task.here, task.site, receipt)
    return AttemptEnd(receipt, "", was_recorded=False, time_left=None)


def _service_image(task: Task) -> str:
    try:
        return task.here.inspect(task.source.container).spec.image
    except NotFoundError:
        return ""


def _await_end(task: Task, container: str, notes: Notes | None, left: float | None, waiting: Waiting) -> Watched | None:
    sizes = notes.before.files if notes is not None else {}
    total = notes.before.bytes if notes is not None and task.copies_files else None
    watch = Watch(
        engine=task.here,
        container=container,
        make_reader=lambda: task.mover.reader(task.request(), sizes),
        limits=WatchLimits(task.stall_timeout, left),
        clock=task.clock,
        stop=waiting.stop,
        report=lambda moved: waiting.on_progress(progress_of(task.transfer, moved, total, len(sizes) or None)),
    )
    try:
        return watch.run()
    except InterruptedWaitError:
        follow = f"follow it with `dtnctl transfers logs -f {task.transfer}`"
        raise InterruptedWaitError(f"{task.title} goes on; {follow}, the next apply records its result") from None
    except NotFoundError:
        return None


def progress_of(transfer: str, moved: Moved, total: int | None, total_files: int | None = None) -> Progress:
    """What the output says, with the time that the rest takes at this rate."""
    eta = max(0, total - moved.bytes) / moved.rate if moved.rate and total is not None else None
    return Progress(transfer, moved.bytes, total, moved.rate, eta, moved.files, total_files)


def end_attempt(task: Task, claim: Attempt, notes: Notes | None, watched: Watched, decide: Callable[[Evidence], Judgement]) -> Attempt:
    """Judge an ended job, write the receipt, the end of its log and its samples, then clean up; returns the receipt.

    The keys are no longer needed, so they are removed meanwhile; the whole log is read for the samples beside that.
    """
    with ThreadPoolExecutor(4, thread_name_prefix="revoke") as pool:
        logged = pool.submit(read_servers_log, task, watched.job.id)
        reader = task.mover.reader(task.request(), notes.before.files if notes is not None else {})
        sampling = pool.submit(sample_job, task.here, watched.job, reader)
        known = known_of(notes, watched, end_server(task, may_take=watched.job.exit_code == 0))
        task = asked_after_end(task, notes, known)
        revoking = _revoke_keys(task, notes, pool)
        evidence = gather(task, known)
        evidence = logged.result().added_to(evidence)
        judged = receipt_of(task, claim, watched.job, with_times(task, evidence, decide(evidence)))
        judged = with_path_use(task, judged, notes.counters if notes is not None else {})
        receipt = with_notice_due(task, replace(judged, verify_seconds=round(evidence.sums_seconds, 1)))
        write_record(task.here, task.site, receipt, watched.log, sampling.result(), task.calls)
    _clear_away(task, watched.job, receipt, revoking)
    return receipt


def _revoke_keys(task: Task, notes: Notes | None, pool: ThreadPoolExecutor) -> list[Future[None]]:
    if notes is not None:
        places = key_places(task, notes.accounts)
        return [pool.submit(keys.revoke, at.engine, at.end.container, at.account, task.site, task.transfer) for at in places]
    return [pool.submit(_find_and_revoke, task, engine, end) for _, engine, end in task.logins]


def _find_and_revoke(task: Task, engine: Engine, end: JobEnd) -> None:
    try:
        account = keys.find_account(engine, end.container, end.user)
    except (NotFoundError, TransferError):
        return  # no container or no account: no keys
    keys.revoke(engine, end.container, account, task.site, task.transfer)


def _clear_away(task: Task, job: ContainerSeen | None, receipt: Attempt, revoking: Sequence[Future[None]]) -> None:
    """The job's container goes last: as long as it is there, the next apply knows that something is left to clean up."""
    try:
        for done in revoking:
            done.result()
        remove_server(task)
        if job is not None:
            task.here.remove(job.id)
    except UnreachableError as error:
        text = f"{task.title} {receipt.verdict}, but its keys are still there: {error}"
        raise UnreachableError(f"{text}; the next apply clears them away") from error
