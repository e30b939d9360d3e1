"""The state of a declared generation, from its record, its container, and what the plan found out about both. Pure.

The states follow each other: pending, claimed, starting, running, verifying; then one of succeeded, partial, failed, cancelled. What
may have run, and cannot be looked up, is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dtnctl.model.ledger import Attempt
from dtnctl.model.plan import TransferNote
from dtnctl.planning.transfers.jobs import Job

if TYPE_CHECKING:
    from dtnctl.model.report import TransferState


@dataclass(frozen=True, slots=True)
class Stage:
    """How far a generation is. `since` is when that began, as a record or an engine writes it; empty where it is not known."""

    state: TransferState
    since: str = ""


def stage_of(claim: Attempt | None, job: Job | None, note: TransferNote | None, *, is_silent: bool, is_held: bool) -> Stage:
    """The stage of the newest attempt. `claim` is its record and `job` its container; None: there is none, or it cannot be seen.

    `note` is the plan's, if nothing is to be done. `is_silent`: the endpoint with the record does not answer. `is_held`: an apply holds
    that endpoint's lease, so that what is not started yet is presumably about to be.
    """
    if claim is not None and claim.verdict is not None and (job is None or job.attempt <= claim.attempt):
        return Stage(claim.verdict, claim.finished_at)
    if job is not None and job.is_active:
        return Stage("running", job.seen.started_at)
    if is_silent or (note is not None and note.state == "unknown"):
        return Stage("unknown")
    if job is not None and job.seen.started_at:
        return Stage("verifying", job.seen.finished_at)
    if claim is not None and claim.verdict is None:
        return _claimed(claim, job, is_held=is_held)
    return Stage("starting" if job is not None and is_held else "pending")


def _claimed(claim: Attempt, job: Job | None, *, is_held: bool) -> Stage:
    """A claim counts from the moment at which it is written: without the container that it names, it may have run."""
    if job is None or job.seen.id != claim.container:
        return Stage("unknown")
    return Stage("starting" if is_held else "claimed", claim.claimed_at)


def time_text(text: str) -> str:
    """A time as engines and records write it, as UTC to the second; empty if it is none, or has no zone."""
    moment = moment_of(text)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment is not None else ""


def moment_of(text: str) -> datetime | None:
    """A time as engines and records write it, with its zone; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
