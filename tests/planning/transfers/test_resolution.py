"""A person's decision on an unknown result: refused of anything that is not unknown, recorded with who and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.ledger import Attempt, LedgerSeen
from dtnctl.planning.resolve import ResolvedTransfer, resolve_transfers
from dtnctl.planning.transfers.jobs import read_history
from dtnctl.planning.transfers.resolution import Decision, decide, newest_claim, refuse_resolution
from tests.planning.building import NOW, site
from tests.planning.transfers.declared import DECLARED, end_job, idle, record, running
from tests.properties.host import MOMENT
from tests.properties.world import World

CLAIM = Attempt("t", 1, 1, "gone", MOMENT, verdict="unknown", cause="gone", retryable=True)


def resolved() -> ResolvedTransfer:
    return resolve_transfers(site(DECLARED), NOW)[0]


def refusal(made: World, *receipts: Attempt, trouble: str = "") -> str:
    endpoints = made.observe().endpoints
    seen = replace(endpoints["a"], ledger=LedgerSeen(trouble=trouble)) if trouble else endpoints["a"]
    return refuse_resolution(resolved(), seen, read_history(endpoints, receipts, ("a", "b")))


def test_an_unknown_result_may_be_decided_whether_it_is_recorded_or_only_a_claim_is_left() -> None:
    for verdict in (None, "unknown"):
        made = idle()
        record(made, verdict=verdict)
        assert refusal(made) == ""
    assert refusal(idle(), CLAIM) == ""


def test_nothing_is_decided_while_a_job_runs() -> None:
    assert refusal(running()) == "t (generation 1) runs: lab.t.g1a1 on a; wait for its end, or `dtnctl transfers cancel t`"


def test_a_job_that_ended_is_judged_by_apply_and_not_by_a_person() -> None:
    made = running()
    end_job(made)
    assert refusal(made) == "t (generation 1) has its container lab.t.g1a1; `dtnctl apply` records its result"
    made.hosts["a"].records.clear()
    assert "`dtnctl apply` records its result" in refusal(made)


def test_a_container_that_is_not_the_claimed_one_keeps_nothing_from_being_decided() -> None:
    made = running()
    end_job(made)
    record(made, attempt=1, container="another")
    assert refusal(made) == ""


@pytest.mark.parametrize("verdict", ["succeeded", "failed", "cancelled"])
def test_a_known_result_is_not_decided_again(verdict: str) -> None:
    made = idle()
    record(made, verdict=verdict)
    assert refusal(made) == f"t (generation 1) is {verdict}, not unknown; raise `generation` to run it again"


def test_what_was_never_started_and_what_was_released_has_no_result_to_decide() -> None:
    made = idle()
    assert refusal(made) == "t (generation 1) was not started: there is nothing to decide"
    record(made, released=True)
    assert refusal(made) == "t (generation 1) was not started: there is nothing to decide"


def test_records_that_cannot_be_read_are_not_overwritten() -> None:
    assert refusal(idle(), trouble="it is a file") == "the records on a cannot be read: it is a file"


def test_the_newest_try_is_the_one_that_is_decided() -> None:
    history = read_history({}, [replace(CLAIM, attempt=1), replace(CLAIM, attempt=2), replace(CLAIM, attempt=3, released=True)], ())
    found = newest_claim(resolved(), history)
    assert found is not None
    assert found.attempt == 2


def test_a_decision_is_recorded_with_who_when_and_why() -> None:
    for resolution in ("succeeded", "failed"):
        decided = decide(CLAIM, Decision(resolution, "ops@host", MOMENT, "sizes looked at"))
        assert (decided.verdict, decided.resolution, decided.released, decided.retryable) == (resolution, resolution, False, False)
        assert (decided.resolved_by, decided.resolved_at, decided.reason) == ("ops@host", MOMENT, "sizes looked at")


def test_a_try_that_is_to_run_again_counts_as_not_made() -> None:
    again = decide(CLAIM, Decision("run-again", "ops@host", MOMENT))
    assert (again.verdict, again.released, again.resolution) == (None, True, "run-again")


def test_no_decision_changes_nothing() -> None:
    assert decide(CLAIM, Decision("", "ops@host", MOMENT)) == CLAIM
