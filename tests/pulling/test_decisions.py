"""What the loop decides and reports, round by round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.pulling.decisions import (
    Carried,
    Fetched,
    Next,
    Refusal,
    after_fetch,
    after_run,
    commit_to_judge,
    exit_code_of,
)
from dtnctl.pulling.journal import MOST_RUNS, MOST_UNSENT, Journal
from dtnctl.pulling.outcomes import ApplyResult, StepDone

A, B, C = "a" * 40, "b" * 40, "c" * 40
AT = "2026-06-01T00:00:00Z"
FRESH = Journal(repository="r.git", branch="main")
FOLLOWING = replace(FRESH, fetched=A, good=A, applied=A)
SILENT = Fetched(trouble="no route to host")
BROKEN = Refusal(B, "broken", "state/site.yaml:1: E0104: unknown key")


def texts(following: Next) -> list[str]:
    return [f"{item.event} {item.state}: {item.text}" for item in following.notices]


def carried(commit: str, code: int = 0, name: str = "success", at: str = AT, **more: Any) -> Carried:
    return Carried(commit, at, at, 1.5, ApplyResult(code, name, **more))


# --- which commit -------------------------------------------------------------------------------------------


def test_new_commit_is_judged_and_a_known_one_is_not() -> None:
    assert commit_to_judge(FRESH, Fetched(A)) == A
    assert commit_to_judge(FOLLOWING, Fetched(A)) == ""
    assert commit_to_judge(FOLLOWING, Fetched(B)) == B


def test_commit_that_was_refused_is_judged_again_also_without_the_remote() -> None:
    refused = after_fetch(FOLLOWING, Fetched(B), BROKEN, AT).journal
    assert commit_to_judge(refused, Fetched(B)) == B
    assert commit_to_judge(refused, SILENT) == B


def test_accepted_commit_is_the_good_one_before_anything_is_applied() -> None:
    following = after_fetch(FOLLOWING, Fetched(B), None, AT)
    assert (following.journal.fetched, following.journal.good, following.journal.applied) == (B, B, A)
    assert following.notices == ()


def test_broken_commit_leaves_the_last_good_one_and_is_reported_once() -> None:
    first = after_fetch(FOLLOWING, Fetched(B), BROKEN, AT)
    assert (first.journal.fetched, first.journal.good) == (B, A)
    (text,) = texts(first)
    assert text.startswith("commit raised: commit bbbbbbbbbbbb is broken: state/site.yaml:1: E0104: unknown key; ")
    assert text.endswith("going on with aaaaaaaaaaaa, the last good commit")
    second = after_fetch(first.journal, Fetched(B), BROKEN, "2026-06-01T00:01:00Z")
    assert second.notices == ()
    condition = second.journal.condition("commit")
    assert condition is not None
    assert condition.since == AT


def test_another_broken_commit_is_reported_as_well() -> None:
    first = after_fetch(FOLLOWING, Fetched(B), BROKEN, AT)
    second = after_fetch(first.journal, Fetched(C), replace(BROKEN, commit=C), AT)
    assert [item.commit for item in second.notices] == [C]


def test_good_commit_after_a_broken_one_ends_the_condition() -> None:
    first = after_fetch(FOLLOWING, Fetched(B), BROKEN, AT)
    second = after_fetch(first.journal, Fetched(C), None, AT)
    assert texts(second) == ["commit cleared: the branch's newest commit is accepted"]
    assert (second.journal.good, second.journal.conditions) == (C, ())


def test_first_commit_that_is_broken_leaves_nothing_to_do() -> None:
    following = after_fetch(FRESH, Fetched(B), BROKEN, AT)
    assert following.journal.good == ""
    assert texts(following)[0].endswith("there is no good commit yet, so nothing is done")


def test_unsigned_commit_is_called_so() -> None:
    following = after_fetch(FOLLOWING, Fetched(B), Refusal(B, "unsigned", "it is not signed"), AT)
    assert texts(following)[0].startswith("commit raised: commit bbbbbbbbbbbb has no valid signature: it is not signed; ")


def test_commit_that_changes_files_of_others_is_called_so() -> None:
    following = after_fetch(FOLLOWING, Fetched(B), Refusal(B, "trespassing", "state/site.yaml by eve"), AT)
    assert texts(following)[0].startswith(
        "commit raised: commit bbbbbbbbbbbb brings changes by others than the owners of the files: state/"
    )


def test_remote_that_does_not_answer_is_reported_once_and_so_is_its_return() -> None:
    first = after_fetch(FOLLOWING, SILENT, None, AT)
    assert texts(first) == ["remote raised: main cannot be fetched: no route to host; going on with aaaaaaaaaaaa, the last good commit"]
    assert (first.journal.fetched, first.journal.good) == (A, A)
    second = after_fetch(first.journal, Fetched(trouble="timed out"), None, AT)
    assert second.notices == ()
    third = after_fetch(second.journal, Fetched(B), None, AT)
    assert texts(third) == ["remote cleared: the repository answers again"]


def test_history_that_was_rewritten_is_reported_and_followed() -> None:
    following = after_fetch(FOLLOWING, Fetched(B, is_rewritten=True), None, AT)
    assert texts(following) == ["rewritten happened: main was rewritten: bbbbbbbbbbbb does not continue aaaaaaaaaaaa"]
    assert following.journal.good == B


# --- runs ---------------------------------------------------------------------------------------------------


def test_run_that_ends_well_is_the_commit_that_is_applied() -> None:
    following = after_run(replace(FOLLOWING, good=B), carried(B, summary={"changes": 3, "drift": 0}))
    assert (following.journal.applied, following.journal.last_success) == (B, AT)
    assert texts(following) == ["applied happened: bbbbbbbbbbbb is applied: 3 changes"]


def test_commit_without_changes_is_reported_once_and_its_repetition_is_not() -> None:
    first = after_run(replace(FOLLOWING, good=B), carried(B))
    assert texts(first) == ["applied happened: bbbbbbbbbbbb is applied: no changes on the endpoints"]
    assert after_run(first.journal, carried(B)).notices == ()


def test_changes_for_a_commit_that_was_applied_before_are_reported_as_such_and_drift_is_counted() -> None:
    following = after_run(FOLLOWING, carried(A, summary={"changes": 2, "drift": 0}))
    assert texts(following) == ["applied happened: aaaaaaaaaaaa is applied again: 2 changes"]
    both = after_run(FOLLOWING, carried(A, summary={"changes": 3, "drift": 1}))
    assert texts(both) == ["applied happened: aaaaaaaaaaaa is applied again: 3 changes, 1 of them drift"]


def test_failure_is_reported_once_until_it_becomes_another_or_ends() -> None:
    first = after_run(FOLLOWING, carried(A, 7, "unreachable", text="no answer from dtn1"))
    assert texts(first) == ["run raised: unreachable at aaaaaaaaaaaa: no answer from dtn1"]
    again = after_run(first.journal, carried(A, 7, "unreachable", text="no answer from dtn1, dtn2"))
    assert again.notices == ()
    other = after_run(again.journal, carried(A, 3, "partial"))
    assert texts(other) == ["run raised: partial at aaaaaaaaaaaa: exit code 3"]
    well = after_run(other.journal, carried(A))
    assert texts(well) == ["run cleared: runs end without an error again"]


def test_endpoint_that_does_not_answer_is_one_failure_whatever_was_to_be_done_there() -> None:
    first = after_run(FOLLOWING, carried(A, 3, "partial", silent=("dtn2",), steps=(StepDone("create", "done", 1.0),)))
    assert len(first.notices) == 1
    second = after_run(first.journal, carried(B, 7, "unreachable", silent=("dtn2",)))
    assert second.notices == ()
    another = after_run(second.journal, carried(B, 7, "unreachable", silent=("dtn1", "dtn2")))
    assert len(another.notices) == 1


@pytest.mark.parametrize("more", [{"steps": (StepDone("create", "failed", 1.0),)}, {"summary": {"blocked": 1}}])
def test_failure_beside_an_endpoint_that_does_not_answer_is_reported_as_well(more: dict[str, Any]) -> None:
    first = after_run(FOLLOWING, carried(A, 7, "unreachable", silent=("dtn2",)))
    assert len(after_run(first.journal, carried(A, 3, "partial", silent=("dtn2",), **more)).notices) == 1


def test_run_that_was_stopped_is_neither_a_success_nor_a_failure() -> None:
    following = after_run(FOLLOWING, carried(A, 143, "terminated"))
    assert following.notices == ()
    assert following.journal.last_success == ""
    assert [run.exit_name for run in following.journal.runs] == ["terminated"]


# --- the history --------------------------------------------------------------------------------------------


def test_rounds_in_which_nothing_is_to_do_share_one_entry() -> None:
    journal = FOLLOWING
    for minute in range(3):
        journal = after_run(journal, carried(A, at=f"2026-06-01T00:0{minute}:00Z")).journal
    (run,) = journal.runs
    assert (run.repeats, run.began, run.ended) == (3, AT, "2026-06-01T00:02:00Z")


def test_runs_that_change_something_have_an_entry_each() -> None:
    journal = FOLLOWING
    for _ in range(2):
        journal = after_run(journal, carried(A, summary={"changes": 1, "drift": 1}, plan_hash="1234")).journal
    assert [(run.changes, run.drift, run.plan_hash) for run in journal.runs] == [(1, 1, "1234")] * 2


def test_history_and_unsent_notices_are_bounded() -> None:
    journal = FOLLOWING
    for number in range(MOST_RUNS + 50):
        journal = after_run(journal, carried(f"{number:040d}", summary={"changes": 1})).journal
    assert len(journal.runs) == MOST_RUNS
    assert len(journal.unsent) == MOST_UNSENT
    assert len({notice.id for notice in journal.unsent}) == MOST_UNSENT
    assert journal.runs[-1].commit == f"{MOST_RUNS + 49:040d}"


# --- the exit code of --once --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("journal", "result", "code"),
    [
        (FOLLOWING, ApplyResult(0, "success"), 0),
        (FOLLOWING, ApplyResult(3, "partial"), 3),
        (FOLLOWING, ApplyResult(-9, "killed"), 1),
        (FRESH, None, 7),
        (after_fetch(FOLLOWING, SILENT, None, AT).journal, ApplyResult(0, "success"), 7),
        (after_fetch(FOLLOWING, Fetched(B), BROKEN, AT).journal, ApplyResult(0, "success"), 65),
        (after_fetch(FRESH, Fetched(B), BROKEN, AT).journal, None, 65),
        (after_fetch(FOLLOWING, Fetched(B), BROKEN, AT).journal, ApplyResult(9, "transfer-failed"), 9),
    ],
    ids=["well", "partial", "killed", "never fetched", "remote is silent", "newest is broken", "nothing good yet", "run beats commit"],
)
def test_exit_code_of_one_round_is_that_of_the_worst(journal: Journal, result: ApplyResult | None, code: int) -> None:
    assert exit_code_of(journal, result) == code
