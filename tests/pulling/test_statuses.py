"""What commits show at their forge: which statuses there are, and which of them are news."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.pulling.decisions import Carried, Refusal
from dtnctl.pulling.journal import MOST_STATUSES, CommitStatus, Journal, decode_journal, encode_journal
from dtnctl.pulling.outcomes import ApplyResult, EndpointEnd, read_result
from dtnctl.pulling.statuses import posted, statuses_of_refusal, statuses_of_run, with_statuses
from tests.pulling.test_outcomes import lines

A, B = "a" * 40, "b" * 40
AT = "2026-06-01T00:00:00Z"


def carried(commit: str, *ends: EndpointEnd, code: int = 0, name: str = "success", **more: Any) -> Carried:
    return Carried(commit, AT, AT, 1.0, ApplyResult(code, name, site="demo", endpoints=ends, **more))


def shown(statuses: tuple[CommitStatus, ...]) -> list[tuple[str, str, str]]:
    return [(item.name, item.state, item.text) for item in statuses]


@pytest.mark.parametrize(
    ("end", "state", "text"),
    [
        (EndpointEnd("dtn1"), "success", "as declared"),
        (EndpointEnd("dtn1", applied=1), "success", "1 change made"),
        (EndpointEnd("dtn1", silence="no route to host"), "error", "silent, what is there is unknown: no route to host"),
        (EndpointEnd("dtn1", applied=1, failed=2, reason="no image"), "failure", "2 of 3 changes not made: no image"),
        (EndpointEnd("dtn1", failed=1), "failure", "1 of 1 change not made: no reason is known"),
        (EndpointEnd("dtn1", blocked=2), "failure", "2 blocked"),
        (EndpointEnd("dtn1", applied=1, blocked=2), "failure", "1 change made; 2 blocked"),
    ],
)
def test_an_endpoint_shows_what_became_of_it(end: EndpointEnd, state: str, text: str) -> None:
    assert shown(statuses_of_run(carried(A, end)))[1] == ("dtnctl/demo/dtn1/applied", state, text)


@pytest.mark.parametrize(
    ("code", "name", "state"),
    [(3, "partial", "failure"), (65, "invalid-config", "failure"), (7, "unreachable", "error"), (-9, "killed", "error")],
)
def test_the_loop_itself_shows_how_its_run_ended(code: int, name: str, state: str) -> None:
    assert shown(statuses_of_run(carried(A, code=code, name=name, text="why")))[0] == ("dtnctl/reconcile", state, f"{name}: why")


def test_a_run_that_somebody_ended_says_nothing_of_its_commit() -> None:
    assert statuses_of_run(carried(A, EndpointEnd("dtn1"), code=143, name="terminated")) == ()


def test_a_part_of_the_site_has_a_status_of_its_own() -> None:
    assert statuses_of_run(carried(A), "area=east")[0].name == "dtnctl/reconcile/area=east"


def test_a_commit_that_is_refused_shows_why_within_the_forges_limit() -> None:
    (status,) = statuses_of_refusal(Refusal(A, "broken", "state/site.yaml:1: E0104: unknown key" + "x" * 200))
    assert (status.commit, status.state, len(status.text)) == (A, "failure", 140)
    assert status.text.startswith("not carried out: it is broken: state/site.yaml:1: E0104: ")


def all_posted(journal: Journal) -> Journal:
    return replace(journal, statuses=tuple(replace(item, is_posted=True) for item in journal.statuses))


def waiting(journal: Journal) -> list[str]:
    return [f"{item.commit[:1]} {item.name}: {item.text}" for item in journal.statuses if not item.is_posted]


def test_what_is_shown_already_is_not_posted_again_also_after_a_restart() -> None:
    first = with_statuses(Journal(), statuses_of_run(carried(A, EndpointEnd("dtn1", applied=2), applied=2)))
    assert waiting(first) == ["a dtnctl/reconcile: 2 changes made", "a dtnctl/demo/dtn1/applied: 2 changes made"]
    again = decode_journal(encode_journal(all_posted(first)))
    assert waiting(with_statuses(again, statuses_of_run(carried(A, EndpointEnd("dtn1"))))) == []
    silent = with_statuses(again, statuses_of_run(carried(A, EndpointEnd("dtn1", silence="gone"), code=7, name="unreachable")))
    assert waiting(silent) == ["a dtnctl/reconcile: unreachable", "a dtnctl/demo/dtn1/applied: silent, what is there is unknown: gone"]
    back = with_statuses(all_posted(silent), statuses_of_run(carried(A, EndpointEnd("dtn1"))))
    assert waiting(back) == ["a dtnctl/reconcile: as declared", "a dtnctl/demo/dtn1/applied: as declared"]


def test_a_status_that_waits_is_replaced_by_a_newer_one_and_outlives_the_next_commit() -> None:
    journal = with_statuses(Journal(), statuses_of_run(carried(A, code=6, name="lock")))
    journal = with_statuses(journal, statuses_of_run(carried(A, code=5, name="stale-plan")))
    assert waiting(journal) == ["a dtnctl/reconcile: stale-plan"]
    assert waiting(with_statuses(journal, statuses_of_run(carried(B)))) == [
        "a dtnctl/reconcile: stale-plan",
        "b dtnctl/reconcile: as declared",
    ]


def test_of_an_earlier_commit_nothing_is_kept_that_is_posted_and_all_has_a_bound() -> None:
    journal = all_posted(with_statuses(Journal(), statuses_of_run(carried(A))))
    assert [item.commit for item in with_statuses(journal, statuses_of_run(carried(B))).statuses] == [B]
    for number in range(MOST_STATUSES + 9):
        journal = with_statuses(journal, statuses_of_run(carried(f"{number:040d}")))
    assert len(journal.statuses) == MOST_STATUSES
    assert journal.statuses[-1].commit == f"{MOST_STATUSES + 8:040d}"


def test_only_the_one_that_was_posted_counts_as_posted() -> None:
    journal = with_statuses(Journal(), statuses_of_run(carried(A, EndpointEnd("dtn1"))))
    assert [item.is_posted for item in posted(journal.statuses, journal.statuses[1])] == [False, True]


def test_ends_of_endpoints_are_read_from_the_events_of_a_run() -> None:
    plan = {
        "site": "demo",
        "summary": {"changes": 3},
        "endpoints": [{"name": "a", "silence": "", "changes": {"blocked": 1}}, {"name": "b", "silence": "gone", "changes": {"blocked": 0}}],
    }
    changes = [
        {"endpoint": "a", "result": "applied", "reasons": []},
        {"endpoint": "a", "result": "failed", "reasons": ["no image", "later"]},
        {"endpoint": "a", "result": "not_tried", "reasons": ["x"]},
    ]
    result = read_result(lines({"event": "plan", "plan": plan}, {"event": "outcomes", "outcomes": {"changes": changes}}), 3)
    assert result.endpoints == (EndpointEnd("a", "", 1, 2, 1, "no image"), EndpointEnd("b", "gone"))
    assert read_result(lines({"event": "plan", "plan": plan}), 6).endpoints == (), "nothing is known of what was not reported"
