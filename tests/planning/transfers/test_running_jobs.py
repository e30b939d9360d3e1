"""Jobs of transfers that run or ended unseen: judged, never started twice, and nothing that they go through is stopped."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from dtnctl.model.actions import FinishTransfer, StartTransfer
from dtnctl.model.resources import LABEL_ATTEMPT, LABEL_GENERATION, ledger_name
from tests.planning.building import NOW, applied, change, drop, endpoint, plan, site, world
from tests.planning.listing import details, notes, says, steps
from tests.planning.transfers.declared import DECLARED, SESSION, end_job, idle, job, record, running, transfer
from tests.properties.world import KilledError

# --- the job ------------------------------------------------------------------------------------------------


def test_a_running_job_is_left_running() -> None:
    made = running()
    assert notes(plan(site(DECLARED), made)) == [
        "t generation 1 running: since 2026-06-01T00:00:00Z; follow it with: dtnctl transfers logs -f t"
    ]
    assert not plan(site(DECLARED), made).steps


def test_a_job_that_ended_unseen_is_judged_and_not_started_again() -> None:
    made = running()
    end_job(made, exit_code=1)
    finish = plan(site(DECLARED), made)
    says(
        details(finish),
        """
        transfer transfer/t @ a: generation 1 judges and records its result; starts nothing: a:/data/x → b:/data/x by gridftp
          because it ended with exit code 1 and has no receipt (state/transfers/t.yaml:1)
          session = s
          streams = 4
          verify = checksum by md5, from 1 GiB on by sha256 where both ends compute that faster
        """,
    )
    assert steps(finish) == ["a/finish/t"]
    made.apply(finish)
    assert plan(site(DECLARED), made).is_empty


def test_a_job_that_has_its_receipt_is_only_cleared_away() -> None:
    made = running()
    end_job(made)
    host = made.hosts["a"]
    host.records["t", 1, 1] = replace(host.records["t", 1, 1], verdict="succeeded")
    assert [item.summary for item in plan(site(DECLARED), made).changes] == [
        "generation 1 clears its container and keys away; starts nothing: a:/data/x → b:/data/x by gridftp"
    ]


def test_a_job_is_not_judged_while_the_other_end_does_not_answer() -> None:
    made = running()
    end_job(made)
    made.hosts["b"].silence = "no answer within 10 s"
    assert "t generation 1 waiting: it ended with exit code 0, but b does not answer" in notes(plan(site(DECLARED), made))
    assert not plan(site(DECLARED), made).steps


def test_an_unseen_end_is_judged_after_its_services_are_ready() -> None:
    """The judgement looks at files through them."""
    made = running()
    end_job(made)
    declared = site(DECLARED.replace("user: dtn", "user: dtn\nsettings: {init: true}"))
    finish = next(step for step in plan(declared, made).steps if isinstance(step.action, FinishTransfer))
    assert finish.needs == ("a/wait/lab.s", "b/wait/lab.s")


def test_a_job_of_a_ledger_that_is_gone_is_judged_once_it_is_back() -> None:
    made = running()
    end_job(made)
    drop(made, "a", ledger_name("lab"))
    assert steps(plan(site(DECLARED), made)) == ["a/ledger/ensure", "a/finish/t <- a/ledger/ensure"]


def test_a_later_try_is_seen_without_its_record() -> None:
    """The ledger cannot be read, and the second try runs; a dtnctl without labels for it made its container."""
    made = running()
    found = job(made)
    assert found is not None
    before = {key: value for key, value in found.labels.items() if key not in (LABEL_GENERATION, LABEL_ATTEMPT)}
    change(made, "a", "lab.t.g1a1", name="lab.t.g1a2", labels=before)
    drop(made, "a", ledger_name("lab"))
    assert notes(plan(site(DECLARED), made))[0].startswith("t generation 1 running")


def test_a_job_that_was_made_and_not_claimed_is_that_very_try() -> None:
    made = idle()
    made.budget = 1
    with pytest.raises(KilledError):
        made.apply(plan(site(DECLARED), made))
    made.budget = None
    assert job(made) is not None
    assert made.hosts["a"].records == {}
    assert [step.action.attempt for step in plan(site(DECLARED), made).steps if isinstance(step.action, StartTransfer)] == [1]


def test_a_job_that_was_claimed_and_not_started_is_started() -> None:
    made = idle()
    made.budget = 2
    with pytest.raises(KilledError):
        made.apply(plan(site(DECLARED), made))
    made.budget = None
    assert list(made.hosts["a"].records) == [("t", 1, 1)]
    made.apply(plan(site(DECLARED), made))
    assert made.starts == {("a", "t", 1, 1): 1}


@pytest.mark.parametrize("effects", range(8))
def test_wherever_a_run_is_killed_the_transfer_starts_once(effects: int) -> None:
    declared = site(DECLARED)
    made = idle()
    made.budget = effects
    with suppress(KilledError):
        made.apply(plan(declared, made))
    made.budget = None
    for item in list(made.hosts["a"].containers.values()):
        if item.kind == "transfer" and item.state == "running":
            end_job(made)
    made.apply(plan(declared, made))
    assert made.starts == {("a", "t", 1, 1): 1}
    assert plan(declared, made).is_empty


def test_a_raised_generation_waits_for_the_one_that_runs() -> None:
    made = running()
    raised = site(SESSION + transfer(generation=2))
    assert notes(plan(raised, made)) == ["t generation 2 waiting: generation 1 is still running"]
    end_job(made)
    says(
        details(plan(raised, made))[:4],
        """
        destroy transfer/t @ a: removes job lab.t.g1a1, exited (exit code 0)
          because it was try 1 of generation 1 (state/transfers/t.yaml:4)
        transfer transfer/t @ a: generation 2 starts once: a:/data/x → b:/data/x by gridftp
          because no record of it (state/transfers/t.yaml:4)
        """,
    )
    made.apply(plan(raised, made))
    assert made.starts == {("a", "t", 1, 1): 1, ("a", "t", 2, 1): 1}
    assert plan(raised, made).is_empty


def test_a_retry_waits_for_a_generation_that_runs() -> None:
    made = running()
    record(made, generation=2, verdict="failed", retryable=True, cause="reset")
    assert notes(plan(site(SESSION + transfer(generation=2, retries=1)), made)) == ["t generation 2 waiting: generation 1 is still running"]


def test_the_container_of_an_earlier_try_is_cleared_away() -> None:
    made = running()
    end_job(made)
    record(made, attempt=2, verdict="succeeded")
    assert steps(plan(site(DECLARED), made)) == ["a/record/lab.t.g1a1", "a/remove/lab.t.g1a1 <- a/record/lab.t.g1a1"]


def test_the_job_of_a_transfer_goes_with_its_expired_session() -> None:
    made = running()
    expired = site(DECLARED.replace("user: dtn", f"user: dtn\nexpires: {NOW.isoformat()}"))
    job_change = next(item for item in plan(expired, made, prune="100%", interrupt=("t",)).changes if item.kind == "transfer")
    assert (job_change.cause.text, job_change.cause.place) == ("the session that carries it has expired", "state/transfers/t.yaml:1")


def test_a_container_that_copied_the_labels_of_a_job_is_no_job() -> None:
    made = idle()
    odd = made._owned(made.hosts["a"], "odd", "transfer", "t", next(iter(made.hosts["a"].containers.values())).spec)
    made.hosts["a"].containers[odd.id] = odd
    assert not any("odd" in step.id for step in plan(site(SESSION), made).steps)


def test_a_transfer_that_is_not_targeted_is_not_started() -> None:
    assert not plan(site(DECLARED), idle(), targets=("session/s",)).steps
    assert not plan(site(DECLARED), idle(), excludes=("transfer/t",)).steps
    assert not plan(site(SESSION), running(), excludes=("transfer/t",)).steps


def test_of_a_transfer_without_session_the_started_one_carries_it() -> None:
    other_ports = "user: dtn\nstate: stopped\nsettings: {data_port_range: [50200, 50203]}"
    text = SESSION.replace("sessions/s", "sessions/a").replace("user: dtn", other_ports) + DECLARED
    made = plan(site(text), world(site(text)))
    assert [action.source.container for step in made.steps if isinstance(action := step.action, StartTransfer)] == ["lab.s"]


def test_a_start_while_an_endpoint_is_silent_says_that_its_record_was_not_seen() -> None:
    """`from` may have named it before, in this very generation."""
    three = "".join(f"# endpoints/{name}\n{endpoint(name, {})}" for name in "abc")
    made = applied(site(three + SESSION))
    made.hosts["c"].silence = "no answer"
    said = notes(plan(site(three + DECLARED), made))
    assert any(text.startswith("transfer t starts while c does not answer: if `from` ever named that endpoint") for text in said)


def test_the_plan_says_what_the_comparison_of_an_earlier_generation_cost() -> None:
    made = idle()
    record(made, verdict="succeeded", bytes=1024**4, checksum="crc32c:00000000", verify_seconds=300.0)
    found = plan(site(SESSION + transfer(generation=2, algorithm="crc32c")), made)
    assert dict(found.changes[0].allocations)["verify"] == (
        "checksum by crc32c; generation 1 took 5 min for crc32c of 1.00 TiB at both ends, 3.41 GiB/s"
    )
