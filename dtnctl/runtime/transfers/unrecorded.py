"""The record of a job that is removed before anything recorded its end: that it is stopped, and what its container shows then.

Nothing at its ends is compared.
"""

from __future__ import annotations

from dataclasses import replace

from dtnctl.errors import TransferError
from dtnctl.model.actions import RecordCancel, RecordEnd
from dtnctl.model.ledger import Attempt, Verdict
from dtnctl.providers.base import Engine
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.transfers.attempt import is_running, seconds_between, time_text
from dtnctl.runtime.transfers.record import read_record, write_record
from dtnctl.runtime.transfers.watch import read_tail


def record_cancel(action: RecordCancel, engine: Engine, site: str) -> None:
    """Write it into the claim, unless there is a receipt. TransferError if the endpoint does not take it."""
    key = (action.transfer, action.generation, action.attempt)
    record = read_record(engine, site, *key)
    if record is None or record.verdict is None:
        claim = record or Attempt(*key, action.id, claimed_at=engine.inspect(action.id).started_at, endpoint=engine.endpoint)
        write_record(engine, site, replace(claim, cause=f"it is stopped and removed, since {action.cause}"))


def record_end(action: RecordEnd, engine: Engine, site: str, clock: Clock) -> str:
    """Write it unless there is one; returns what it says. TransferError if the job runs again or the endpoint does not take it."""
    key = (action.transfer, action.generation, action.attempt)
    record = read_record(engine, site, *key)
    if record is not None and record.verdict is not None:
        return f"it is recorded as {record.verdict}"
    job = engine.inspect(action.id)
    if is_running(job):
        raise TransferError(f"{action.container} runs again; apply again")
    claim = record or Attempt(*key, job.id, claimed_at=job.started_at, endpoint=engine.endpoint)
    verdict = _verdict(job.exit_code, is_stopped=action.is_stopped or claim.is_being_cancelled)
    receipt = replace(
        claim,
        released=False,
        verdict=verdict,
        cause=f"removed before its result was recorded, since {action.cause}; exit code {job.exit_code}, nothing was compared",
        exit_code=job.exit_code,
        seconds=seconds_between(job.started_at, job.finished_at),
        started_at=job.started_at,
        finished_at=job.finished_at,
        recorded_at=time_text(clock.now()),
    )
    write_record(engine, site, receipt, read_tail(engine, job.id))
    return f"recorded as {verdict}"


def _verdict(exit_code: int | None, *, is_stopped: bool) -> Verdict:
    """Of a job that ended by itself with 0 it is not known whether all that was copied arrived."""
    if is_stopped and exit_code != 0:
        return "cancelled"
    return "failed" if exit_code else "unknown"
