"""The record of a run: what it says of each object, which runs are news, and which were good for a session."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Cause, Change, Plan
from dtnctl.model.runs import (
    MOST_CHANGES,
    MOST_RECORDS,
    Asked,
    RunChange,
    RunRecord,
    beyond_the_bound,
    ci_account,
    decode_run,
    encode_run,
    is_run,
    run_changes,
    run_id,
    run_path,
    steps_by_result,
)

RECORD = RunRecord(
    command="apply",
    commit="4f2c1e9",
    branch="main",
    uncommitted=False,
    asked=Asked("ops@desk", "alice", "https://forge.example.net/runs/7"),
    plan="77aa",
    began="2026-11-29T16:00:00Z",
    ended="2026-11-29T16:00:09Z",
    exit_code=0,
    result="ok",
    steps=(("done", 2),),
    endpoints=("dtn1",),
    changes=(RunChange("create", "session", "climate", "dtn1", "done"),),
    dtnctl="0.1.0",
)
IDLE = replace(RECORD, steps=(), changes=())


def change(mark: Any, name: str, *steps: str) -> Change:
    return Change(mark, "session", name, "dtn1", Cause("it is new"), "it is new", steps=steps)


def test_a_record_is_read_back_as_it_was_written() -> None:
    assert decode_run(encode_run(RECORD)) == RECORD
    assert RECORD.asked.text == "alice"
    assert Asked("ops@desk").text == "ops@desk"


@pytest.mark.parametrize(
    "changed",
    [
        *({"version": 2}, {"commit": 7}, {"steps": []}, {"asked": {"name": "x"}}, {"changes": [{"mark": None}]}, {"exit_code": "many"}),
        *({"exit_code": float("inf")}, {"left_out": True}, {"steps": {"done": 1e30}}, {"left_out": 10**13}, {"plan": "\ud800"}),
    ],
)
def test_what_is_no_record_of_ours_is_not_read(changed: dict[str, Any]) -> None:
    assert decode_run(json.dumps(json.loads(encode_run(RECORD)) | changed).encode()) is None


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000])
def test_what_is_no_document_is_no_record(content: bytes) -> None:
    assert decode_run(content) is None


def test_a_records_file_is_named_by_its_time_and_content() -> None:
    path = run_path("scinet", RECORD)
    assert path.startswith("scinet/20261129T160000Z-")
    assert is_run(path)
    assert not is_run("scinet/README.json")
    assert run_id(path) == path.removeprefix("scinet/").removesuffix(".json")
    assert run_path("scinet", replace(RECORD, asked=Asked("other@desk"))) != path


def test_of_an_object_the_worst_of_its_steps_counts() -> None:
    plan = Plan(
        "scinet",
        (change("create", "a", "1", "2"), change("replace", "b", "3", "4"), change("blocked", "c"), change("create", "d", "5")),
        (),
        (),
    )
    outcomes = [Outcome("1", "done"), Outcome("2", "done"), Outcome("3", "failed"), Outcome("4", "undone")]
    changes, left_out = run_changes(plan, outcomes)
    assert {item.name: item.result for item in changes} == {"a": "done", "b": "failed", "c": "blocked", "d": "skipped"}
    assert left_out == 0
    assert steps_by_result(outcomes) == (("done", 2), ("failed", 1), ("undone", 1))


def test_a_record_has_a_bounded_size() -> None:
    plan = Plan("scinet", tuple(change("create", f"s{number}") for number in range(MOST_CHANGES + 3)), (), ())
    changes, left_out = run_changes(plan, ())
    assert (len(changes), left_out) == (MOST_CHANGES, 3)


def test_a_run_that_did_nothing_or_failed_alike_says_the_same_again() -> None:
    assert replace(IDLE, began="2026-11-29T17:00:00Z").says_the_same(IDLE)
    assert not replace(IDLE, commit="b0b").says_the_same(IDLE)
    failed = replace(RECORD, exit_code=3, result="partial", steps=(("failed", 1), ("skipped", 1)))
    assert failed.says_the_same(failed)
    assert not failed.says_the_same(replace(failed, exit_code=8))
    assert not RECORD.says_the_same(RECORD), "drift that comes back is repaired each time"
    assert not replace(RECORD, steps=(("skipped", 3),)).did_something


def test_only_a_committed_apply_that_left_the_session_as_declared_is_good_for_it() -> None:
    partial = replace(RECORD, exit_code=3, result="partial")
    assert RECORD.is_good_for("climate")
    assert RECORD.is_good_for("another"), "nothing was to do about it"
    assert partial.is_good_for("climate"), "something else failed"
    assert not partial.is_good_for("another"), "its state is not known"
    assert not replace(RECORD, scope="--target session/x").is_good_for("another"), "it was not looked at"
    assert replace(RECORD, scope="--replace x").is_good_for("another"), "all of the state was looked at"
    assert not replace(partial, changes=(replace(RECORD.changes[0], result="undone"),)).is_good_for("climate")
    for worse in (replace(RECORD, command="destroy"), replace(RECORD, uncommitted=True), replace(RECORD, commit="")):
        assert not worse.is_good_for("climate")


def test_a_run_that_ended_well_is_not_good_for_what_was_held_back() -> None:
    for result in ("blocked", "skipped", "undone"):
        waits = RunChange("blocked", "session", "climate", "dtn2", result)
        assert not replace(RECORD, changes=(*RECORD.changes, waits)).is_good_for("climate")
    held = replace(RECORD, changes=(), held=("climate",))
    assert not held.is_good_for("climate")
    assert held.is_good_for("another")
    assert decode_run(encode_run(held)) == held
    assert replace(RECORD, override_freeze="--target x").is_good_for("another"), "a reason is no option"


def test_what_was_not_done_is_in_the_record_however_many_changes_there_are() -> None:
    many = tuple(change("create", f"s{number}", "1") for number in range(MOST_CHANGES))
    changes, left_out = run_changes(Plan("scinet", (*many, change("blocked", "z")), (), ()), [Outcome("1", "done")])
    assert (len(changes), left_out, changes[-1].result) == (MOST_CHANGES, 1, "blocked")


def test_why_a_freeze_was_passed_over_is_kept_and_older_records_have_no_such_thing() -> None:
    record = replace(RECORD, override_freeze="INC-4711")
    assert decode_run(encode_run(record)) == record
    older = {name: value for name, value in json.loads(encode_run(RECORD)).items() if name != "override_freeze"}
    assert decode_run(json.dumps(older).encode()) == RECORD


def test_the_oldest_records_leave_the_tree() -> None:
    paths = [f"scinet/20261129T16{number // 60:02}{number % 60:02}Z-00000000.json" for number in range(MOST_RECORDS + 2)]
    now = datetime(2026, 11, 29, 17, tzinfo=UTC)
    assert beyond_the_bound([*paths, "scinet/README"], now) == (paths[1], paths[0])
    later = "scinet/99991231T000000Z-00000000.json"
    assert beyond_the_bound([later, *paths[1:]], now) == (paths[1], later), "a name that no clock has had pushes no true record out"


def test_the_account_of_a_job_is_what_its_ci_system_says() -> None:
    github = {"GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "us/dtns", "GITHUB_SERVER_URL": "https://github.example", "GITHUB_ACTOR": "alice"}
    assert ci_account(github) == ("alice", "https://github.example/us/dtns/actions/runs/7")
    assert ci_account({"CI_JOB_URL": "https://u:p@lab.example/-/jobs/7", "GITLAB_USER_LOGIN": "bob"}) == (
        "bob",
        "https://lab.example/-/jobs/7",
    )
    assert ci_account({"BUILD_URL": "https://jenkins.example/7"}) == ("", "https://jenkins.example/7")
    assert ci_account({"DTNCTL_ACTOR": "loop\n", "DTNCTL_RUN_URL": "https://x.example", **github}) == ("loop", "https://x.example")
    assert ci_account({}) == ("", "")
