"""A job that is removed without a receipt gets one before: of a transfer whose file is gone, of an earlier generation, by destroy."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from dtnctl.model.actions import RecordEnd
from dtnctl.model.ledger import LedgerSeen
from dtnctl.model.resources import ledger_name
from tests.planning.building import change, plan, site
from tests.planning.listing import steps
from tests.planning.transfers.declared import SESSION, end_job, job, record, running, transfer
from tests.planning.transfers.test_servers import measured
from tests.planning.transfers.test_servers import running as running_servers
from tests.properties.world import KilledError, World

REMOVAL = "a/remove/lab.t.g1a1"
RECORDED = ["a/record/lab.t.g1a1", f"{REMOVAL} <- a/record/lab.t.g1a1"]


def ended(exit_code: int = 0) -> World:
    made = running()
    end_job(made, exit_code)
    return made


def test_the_end_of_a_transfer_whose_file_is_gone_is_recorded_before_its_job_is_removed() -> None:
    made = ended()
    found = plan(site(SESSION), made)
    assert steps(found) == RECORDED
    seen = job(made)
    assert seen is not None
    action = RecordEnd("t", 1, 1, seen.name, seen.id, "no file state/transfers/t.yaml any more", is_stopped=False)
    assert found.steps[0].action == action
    assert found.changes[0].steps == (found.steps[0].id, REMOVAL)
    made.apply(found)
    assert made.hosts["a"].records["t", 1, 1].verdict == "unknown"
    assert plan(site(SESSION), made).is_empty


def test_one_that_is_stopped_for_it_is_recorded_as_stopped() -> None:
    made = running()
    made.apply(plan(site(SESSION), made, interrupt=("t",)))
    assert made.hosts["a"].records["t", 1, 1].verdict == "cancelled"


def test_whoever_finds_a_job_that_a_killed_run_had_stopped_records_it_as_stopped() -> None:
    verdicts = []
    for effects in range(4):
        made = running()
        made.budget = effects
        with suppress(KilledError):
            made.apply(plan(site(SESSION), made, interrupt=("t",)))
        made.budget = None
        made.apply(plan(site(SESSION), made, interrupt=("t",)))
        assert job(made) is None
        verdicts.append(made.hosts["a"].records["t", 1, 1].verdict)
    assert verdicts == ["cancelled"] * 4


def test_a_job_that_is_stopped_is_announced_in_its_claim_before() -> None:
    found = plan(site(SESSION), running(), interrupt=("t",))
    assert steps(found) == [
        "a/cancel/lab.t.g1a1",
        "a/stop/lab.t.g1a1 <- a/cancel/lab.t.g1a1",
        "a/record/lab.t.g1a1 <- a/stop/lab.t.g1a1",
        "a/remove/lab.t.g1a1 <- a/stop/lab.t.g1a1, a/record/lab.t.g1a1",
    ]


def test_a_try_of_an_earlier_generation_says_which_line_has_raised_it() -> None:
    found = plan(site(SESSION + transfer(generation=2)), ended())
    (action,) = (step.action for step in found.steps if isinstance(step.action, RecordEnd))
    assert action.cause == "it was try 1 of generation 1 (state/transfers/t.yaml:4)"


def test_a_receipt_that_is_there_stays() -> None:
    made = ended()
    record(made, verdict="succeeded")
    assert steps(plan(site(SESSION), made)) == [REMOVAL]


def test_a_job_that_never_ran_has_no_end() -> None:
    made = ended()
    change(made, "a", "lab.t.g1a1", state="created", started_at="")
    assert steps(plan(site(SESSION), made)) == [REMOVAL]


def test_a_server_has_no_receipt() -> None:
    made = running_servers(measured())
    found = plan(site(SESSION), made, interrupt=("t",))
    assert [step.action.container for step in found.steps if isinstance(step.action, RecordEnd)] == ["lab.t.g1a1"]
    assert any(step.endpoint == "b" for step in found.steps)


@pytest.mark.parametrize("ledger", [LedgerSeen(), LedgerSeen(readable=True, trouble="it is a file")], ids=["gone", "unreadable"])
def test_where_no_record_can_be_written_the_job_is_removed_all_the_same(ledger: LedgerSeen) -> None:
    snapshot = ended().observe()
    seen = replace(snapshot.endpoints["a"], ledger=ledger)
    assert steps(plan(site(SESSION), replace(snapshot, endpoints={**snapshot.endpoints, "a": seen}))) == [REMOVAL]


def test_destroy_removes_the_ledgers_container_after_what_is_written_through_it() -> None:
    made = ended()
    found = plan(site(SESSION + transfer()), made, destroy=True, prune="100%")
    (removal,) = (step for step in found.steps if step.id == f"a/remove/{ledger_name('lab')}")
    assert removal.needs == ("a/record/lab.t.g1a1",)
    made.apply(found)
    assert made.hosts["a"].records["t", 1, 1].verdict == "unknown"


def test_a_record_that_is_lost_is_made_of_what_the_job_shows() -> None:
    made = ended()
    made.hosts["a"].records.clear()
    made.apply(plan(site(SESSION), made))
    assert made.hosts["a"].records["t", 1, 1].verdict == "unknown"
