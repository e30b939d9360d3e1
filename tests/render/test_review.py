"""What a forge is given: a comment made from the plan's document alone, statuses that fit, and the text before in a fold."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from dtnctl.errors import Problem, UnreachableError
from dtnctl.model.head import Head
from dtnctl.model.plan import Plan
from dtnctl.render.context import RenderContext
from dtnctl.render.from_json import NotADocumentError, read_plan
from dtnctl.render.json import error_document, plan_document, problems_document, render_json
from dtnctl.render.markdown import LIMIT, render_plan_comment
from dtnctl.render.review import PREVIOUS, Comment, Links, endpoint_statuses, review_of, with_previous
from tests.render.plans import BY_HAND, CREATE, DANGER, PLANS, TEXT, TRANSFER
from tests.render.reading import Reading
from tests.render.test_markdown import many

CONTEXT = RenderContext(head=Head("4f2c1e9" + "0" * 33, "main"), version="0.1.0", reproduce="dtnctl plan -C site")


def written(plan: Plan, context: RenderContext = CONTEXT) -> dict[str, Any]:
    """The document as a file has it."""
    read: dict[str, Any] = json.loads(render_json(plan_document(plan, context)))
    return read


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("command", ["plan", "destroy"])
def test_comment_of_the_document_is_that_of_the_plan(name: str, command: Any) -> None:
    context = replace(CONTEXT, command=command)
    assert render_plan_comment(*read_plan(written(BY_HAND[name], context))) == render_plan_comment(BY_HAND[name], context)


@given(PLANS)
def test_comment_of_any_document_is_that_of_its_plan(plan: Plan) -> None:
    assert render_plan_comment(*read_plan(written(plan))) == render_plan_comment(plan, CONTEXT)


def test_reader_of_the_document_gets_links() -> None:
    links = Links("https://forge.example/dtn/state/blob/{commit}/", "plan.json", "https://forge.example/runs/7")
    body = review_of(written(CREATE), links).comment.body
    assert f"https://forge.example/dtn/state/blob/{CONTEXT.head.commit}/state/" in review_of(written(DANGER), links).comment.body
    assert "[plan.json](<https://forge.example/runs/7>)" in body


def test_each_part_of_a_site_has_a_comment_of_its_own_that_names_it() -> None:
    parts = [written(CREATE, replace(CONTEXT, label=f"region in ({name})")) for name in ("eu", "us")]
    comments = [review_of(document, Links()).comment for document in (*parts, written(CREATE))]
    assert len({item.marker for item in comments}) == 3
    assert all(item.body.startswith(item.marker) for item in comments)
    assert "region in (eu) ·" in comments[0].body.splitlines()[1]
    failed = review_of(
        {"kind": "error", "exit_name": "unreachable", "exit_code": 7, "message": "none"}, Links(), f"{CREATE.site} region in (us)"
    )
    assert failed.comment.marker == comments[1].marker, "it takes the place of the part's plan"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("changes", [{}]),
        ("changes", None),
        ("site", 7),
        ("git", {}),
        ("endpoints", [{"name": 1}]),
        ("command", "rm"),
        ("notes", [3]),
        ("summary", {}),
    ],
)
def test_document_that_was_changed_is_refused(path: str, value: object) -> None:
    with pytest.raises(NotADocumentError):
        read_plan(written(CREATE) | {path: value})


@given(PLANS)
def test_statuses_fit_whatever_names_and_silences_say(plan: Plan) -> None:
    statuses = endpoint_statuses(plan, CONTEXT)
    assert len(statuses) == len(plan.endpoints)
    assert all(len(status.text) <= 140 and status.text.isprintable() and status.name.isprintable() for status in statuses)


def test_status_counts_what_starts() -> None:
    first, second = endpoint_statuses(TRANSFER, CONTEXT)
    assert first.text == f"2 changes, 1 transfer starts, 0 blocked ({TRANSFER.hash[:8]})"
    assert (second.text, second.state) == (f"0 changes, 0 blocked ({TRANSFER.hash[:8]})", "success")


# --- without a plan -----------------------------------------------------------------------------------------


@given(TEXT, TEXT)
def test_whatever_a_broken_file_says_its_comment_does_nothing(message: str, hint: str) -> None:
    document = json.loads(render_json(problems_document([Problem("state/a.yaml", 0, 0, "E0101", message, hint)])))
    page = Reading(review_of(document, Links(), "scinet").comment.body)
    assert set(page.tags) <= {"h3", "pre", "code"}
    assert page.open == []


def test_comment_of_10000_problems_fits() -> None:
    document = problems_document([Problem(f"state/{number}.yaml", 1, 1, "E0101", "x" * 290) for number in range(10_000)])
    review = review_of(document, Links(), "scinet")
    assert len(review.comment.body.encode()) <= LIMIT
    assert "and 9,800 more" in review.comment.body
    assert Reading(review.comment.body).open == []


def test_error_is_reported_as_a_failure() -> None:
    review = review_of(error_document(UnreachableError("no answer from dtn1")), Links(), "scinet")
    assert "no plan could be made" in review.verdict
    assert "no answer from dtn1" in review.comment.body
    assert [status.state for status in review.statuses] == ["failure"]


# --- the text before ----------------------------------------------------------------------------------------


def comment(plan: Plan) -> Comment:
    return review_of(written(plan), Links()).comment


def test_comment_and_the_one_before_fit_together_or_the_older_one_goes() -> None:
    large = comment(many(5000))
    for before in (comment(many(5000)), comment(many(60))):
        assert len(with_previous(replace(large, plan_hash="other"), before.body).encode()) <= LIMIT
    both = with_previous(comment(CREATE), large.body)
    assert len(both.encode()) <= LIMIT
    assert PREVIOUS in both
    assert "The rest is left out" in both
    assert Reading(both).open == []


def test_text_that_is_no_comment_of_ours_is_not_kept() -> None:
    assert with_previous(comment(CREATE), "anything") == comment(CREATE).body


def test_commit_of_a_changed_document_becomes_no_link() -> None:
    document = written(DANGER) | {"git": {"commit": "x>) [a](https://evil.example", "branch": "", "dirty": False, "absence": ""}}
    body = review_of(document, Links("https://forge.example/dtn/state/blob/{commit}/")).comment.body
    assert "forge.example" not in body
    assert "](https://evil" not in body
