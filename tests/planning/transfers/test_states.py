"""The state of a declared generation: one table from records, containers and the plan's note to the ten states."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.ledger import Attempt, Verdict
from dtnctl.model.plan import TransferNote
from dtnctl.model.resources import ContainerSeen, ContainerSpec, ContainerState
from dtnctl.planning.transfers.jobs import Job
from dtnctl.planning.transfers.states import Stage, stage_of, time_text

CLAIMED, STARTED, ENDED = "2026-06-01T00:00:00Z", "2026-06-01T00:00:02.5Z", "2026-06-01T00:10:00.25Z"
CLAIM = Attempt("t", 1, 1, "job1", CLAIMED)
UNKNOWN = TransferNote("t", 1, "unknown", "its record cannot be read", "state/transfers/t.yaml:1")
WAITING = replace(UNKNOWN, state="waiting")


def receipt(verdict: Verdict) -> Attempt:
    return replace(CLAIM, verdict=verdict, finished_at=ENDED)


def job(state: ContainerState, started: str = STARTED, finished: str = "", *, attempt: int = 1, name: str = "job1") -> Job:
    seen = ContainerSeen("lab.t", name, {}, ContainerSpec("dtn:1"), "sha256:1", state, started_at=started, finished_at=finished)
    return Job(seen, 1, attempt)


MADE, RUNNING, EXITED = job("created", ""), job("running"), job("exited", finished=ENDED)

TABLE: list[tuple[str, Attempt | None, Job | None, TransferNote | None, Stage]] = [
    ("nothing is there yet", None, None, None, Stage("pending")),
    ("it waits for another one", None, None, WAITING, Stage("pending")),
    ("its container was made and no claim written", None, MADE, None, Stage("pending")),
    ("its claim was written and its run was cut off", CLAIM, MADE, None, Stage("claimed", CLAIMED)),
    ("it runs", CLAIM, RUNNING, None, Stage("running", STARTED)),
    ("it is paused", CLAIM, job("paused"), None, Stage("running", STARTED)),
    ("it runs although its record cannot be read", None, RUNNING, UNKNOWN, Stage("running", STARTED)),
    ("it ended and is not judged", CLAIM, EXITED, None, Stage("verifying", ENDED)),
    ("it ended and the destination is silent", CLAIM, EXITED, WAITING, Stage("verifying", ENDED)),
    ("it succeeded", receipt("succeeded"), None, None, Stage("succeeded", ENDED)),
    ("it succeeded and its container is still there", receipt("succeeded"), EXITED, None, Stage("succeeded", ENDED)),
    ("it failed", receipt("failed"), None, None, Stage("failed", ENDED)),
    ("it failed and its next try runs", receipt("failed"), job("running", attempt=2), None, Stage("running", STARTED)),
    ("it was cancelled", receipt("cancelled"), None, None, Stage("cancelled", ENDED)),
    ("its record says that it is unknown", receipt("unknown"), None, None, Stage("unknown", ENDED)),
    ("its claim is there and its container gone", CLAIM, None, None, Stage("unknown")),
    ("its claim names another container", CLAIM, job("created", "", name="other"), None, Stage("unknown")),
    ("its record cannot be read", None, None, UNKNOWN, Stage("unknown")),
    ("its record cannot be read and its container has ended", None, EXITED, UNKNOWN, Stage("unknown")),
]


@pytest.mark.parametrize(("claim", "job_", "note", "stage"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_state_comes_from_the_record_the_container_and_the_note(
    claim: Attempt | None, job_: Job | None, note: TransferNote | None, stage: Stage
) -> None:
    assert stage_of(claim, job_, note, is_silent=False, is_held=False) == stage


@pytest.mark.parametrize(("claim", "since"), [(None, ""), (CLAIM, CLAIMED)])
def test_what_is_not_started_while_an_apply_holds_the_lease_is_starting(claim: Attempt | None, since: str) -> None:
    assert stage_of(claim, MADE, None, is_silent=False, is_held=True) == Stage("starting", since)


def test_a_lease_alone_starts_nothing() -> None:
    assert stage_of(None, None, None, is_silent=False, is_held=True) == Stage("pending")


def test_what_lies_on_a_silent_endpoint_is_unknown() -> None:
    assert stage_of(None, None, None, is_silent=True, is_held=False) == Stage("unknown")


TIMES = {ENDED: "2026-06-01T00:10:00Z", "2026-06-01T02:00:00+02:00": CLAIMED, "2026-06-01T00:00:00": "", "never": "", "": ""}


@pytest.mark.parametrize(("text", "shown"), TIMES.items())
def test_times_are_shown_as_utc_to_the_second_or_not_at_all(text: str, shown: str) -> None:
    assert time_text(text) == shown


SETTLED = {"failed": True, "partial": True, "unknown": True, "succeeded": False, "cancelled": False, "running": False, "waiting": False}


@pytest.mark.parametrize(("state", "unsettled"), SETTLED.items())
def test_a_person_has_to_decide_about_what_failed_and_about_nothing_else(state: str, unsettled: bool) -> None:
    assert replace(UNKNOWN, state=state).is_unsettled is unsettled
