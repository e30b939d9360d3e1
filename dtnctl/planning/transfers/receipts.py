"""Receipts of jobs that are removed before anything recorded their end: the record would say for ever that they were claimed. Pure."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.actions import RecordCancel, RecordEnd
from dtnctl.model.plan import Cause, Change, Step
from dtnctl.model.resources import EndpointSeen
from dtnctl.planning.step_ids import record_cancel_id, record_end_id
from dtnctl.planning.transfers.jobs import History, Job


def with_receipt(
    seen: EndpointSeen, history: History, job: Job, removal: tuple[Change, tuple[Step, ...]]
) -> tuple[Change, tuple[Step, ...]]:
    """The removal of a job, and before it its receipt, if it ran and has none, and the endpoint's record can be read.

    Before a job is stopped its claim says so: a run that dies after the stop would leave a job that looks as if it had failed.
    """
    change, (*stops, last) = removal
    if not _lacks_receipt(seen, history, job):
        return removal
    key = (job.seen.owner, job.generation, job.attempt)
    what = (*key, job.seen.name, job.seen.id, _cause_text(change.cause))
    cancel = Step(record_cancel_id(seen.name, job.seen.name), seen.name, RecordCancel(*what))
    before = (cancel, *(replace(step, needs=(*step.needs, cancel.id)) for step in stops)) if stops else ()
    action = RecordEnd(*what, is_stopped=job.is_active)
    record = Step(record_end_id(seen.name, job.seen.name), seen.name, action, tuple(step.id for step in stops))
    steps = (*before, record, replace(last, needs=(*last.needs, record.id)))
    return replace(change, steps=tuple(step.id for step in steps)), steps


def _lacks_receipt(seen: EndpointSeen, history: History, job: Job) -> bool:
    if job.seen.kind != "transfer" or not job.seen.started_at or not seen.ledger.readable or seen.ledger.trouble:
        return False
    key = (job.seen.owner, job.generation, job.attempt)
    return not any(item.key == key and item.verdict is not None for item in history.records.get((seen.name, job.seen.owner), ()))


def _cause_text(cause: Cause) -> str:
    return f"{cause.text} ({cause.place})" if cause.place else cause.text
