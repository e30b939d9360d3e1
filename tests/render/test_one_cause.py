"""One cause is said once, however many objects it concerns: in plans, comments, closing reports, lists and errors."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dtnctl.client.ending import Ending, raise_for_worst
from dtnctl.errors import ConfigError, HealthTimeoutError, Problem
from dtnctl.model.actions import CreateContainer
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Cause, Change, EndpointSummary, Plan, Step
from dtnctl.model.report import EndpointRow, ServiceRow, SessionRow, TransferRow
from dtnctl.model.resources import ContainerSpec
from dtnctl.render.context import RenderContext
from dtnctl.render.json import plan_document
from dtnctl.render.markdown import render_plan_comment
from dtnctl.render.outcomes import render_outcomes
from dtnctl.render.summary import few
from dtnctl.render.tables import render_sessions, render_status, render_transfers
from dtnctl.render.terminal import render_plan

MANY = 220
NAMES = tuple(f"s{number:03}" for number in range(MANY))
CAUSE = "the agent does not answer"
SILENCE = "tcp://dtn1:2376: connection refused"


def blocked(count: int = MANY) -> Plan:
    changes = tuple(
        Change(
            "blocked", "session", name, "dtn1", Cause(CAUSE, f"state/sessions/{name}.yaml", 1), f"creates {name}", code="E0470", fix="wait"
        )
        for name in NAMES[:count]
    )
    return Plan("demo", changes, (), (EndpointSummary("dtn1", "", "", 0, 0, 0, 0),))


def failed() -> tuple[Plan, list[Outcome]]:
    steps = tuple(Step(name, "dtn1", CreateContainer(name, ContainerSpec("x:1", "bridge"), ())) for name in NAMES)
    changes = tuple(
        Change("create", "session", name, "dtn1", Cause("declared, not there", f"state/sessions/{name}.yaml", 1), "", steps=(name,))
        for name in NAMES
    )
    plan = Plan("demo", changes, steps, (EndpointSummary("dtn1", "", "", 0, 0, 0, 0),))
    return plan, [Outcome(name, "failed", SILENCE, error="unreachable") for name in NAMES]


def test_many_that_are_blocked_for_one_cause_have_one_heading() -> None:
    text = render_plan(blocked(), RenderContext(width=120))
    assert text.count(CAUSE) == 1
    assert "session/s000 @ dtn1" in text
    assert "also   session/s001, session/s002, session/s003 and 216 more: the same" in text


def test_one_cause_that_names_its_object_is_one_cause() -> None:
    plan = blocked()
    changes = tuple(
        replace(change, cause=Cause(f"session {change.name} has no `user`"), fix=f"`user:` in {change.name}") for change in plan.changes
    )
    text = render_plan(replace(plan, changes=changes), RenderContext(width=120))
    assert text.count("has no `user`") == 1
    assert "and 216 more: the same" in text


def test_services_that_do_not_work_are_counted() -> None:
    failing = tuple(f"session {name} on dtn1 is as declared but unhealthy" for name in NAMES)
    plan = Plan("demo", (), (), (EndpointSummary("dtn1", "", "", 0, 0, 0, 0),), notes=(*failing, "zzz"), failing=failing)
    for text in (
        render_plan(plan, RenderContext(width=120)),
        render_plan_comment(replace(plan, changes=blocked(1).changes), RenderContext()),
        render_outcomes(plan, [], RenderContext(width=120)),
        "\n".join(_error_of(plan).lines),
    ):
        assert text.count("but unhealthy") == 3
        assert "217 more service" in text
    assert "zzz" in render_plan(plan, RenderContext(width=120))


def _error_of(plan: Plan) -> HealthTimeoutError:
    with pytest.raises(HealthTimeoutError) as caught:
        raise_for_worst(Ending("apply", plan, changed=False))
    return caught.value


@pytest.mark.parametrize(("count", "lines"), [(1, 1), (3, 3), (4, 4), (5, 4), (220, 4)])
def test_one_more_is_named_rather_than_counted(count: int, lines: int) -> None:
    assert len(few(NAMES[:count], "x")) == lines


def test_many_that_failed_in_the_same_way_have_one_block_though_each_reason_has_its_name() -> None:
    plan, outcomes = failed()
    named_ones = [replace(outcome, reason=f"{outcome.step} ended with exit code 3") for outcome in outcomes]
    text = render_outcomes(plan, named_ones, RenderContext(width=120))
    assert text.count("ended with exit code 3") == 1
    assert "and 216 more: the same" in text


def test_few_keep_their_own_headings() -> None:
    assert render_plan(blocked(3), RenderContext(width=120)).count(CAUSE) == 3


def test_what_is_not_the_same_keeps_its_heading() -> None:
    plan = blocked(4)
    other = Change("blocked", "session", "other", "dtn1", Cause("another cause"), "", code="E0470", fix="wait")
    text = render_plan(Plan("demo", (*plan.changes, other), (), plan.endpoints), RenderContext(width=120))
    assert (text.count(CAUSE), text.count("another cause")) == (1, 1)


def test_comment_of_a_pull_request_says_it_once_in_its_folds() -> None:
    text = render_plan_comment(blocked(), RenderContext())
    assert text.count("<details>") < 5


def test_json_has_every_object() -> None:
    assert json.dumps(plan_document(blocked(), RenderContext())).count(CAUSE) == MANY


def test_closing_report_says_a_failure_once() -> None:
    text = render_outcomes(*failed(), RenderContext(width=120))
    assert text.count(SILENCE) == 1
    assert "session/s001, session/s002, session/s003 and 216 more: the same" in text


def test_what_a_last_look_finds_is_counted() -> None:
    plan, outcomes = failed()
    text = render_outcomes(plan, outcomes, RenderContext(width=120), plan)
    assert text.count("declared, not there") == 1


SESSIONS = tuple(SessionRow(name, "UNKNOWN", ("dtn1",), "x:1", errors=(f"dtn1: {SILENCE}",)) for name in NAMES)
SERVICES = tuple(ServiceRow(name, "dtn1", "unknown", errors=(SILENCE,)) for name in NAMES)
TRANSFERS = tuple(TransferRow(name, "dtn1:/a", "dtn1:/b", "gridftp", 1, "unknown", cause=SILENCE) for name in NAMES)
ENDPOINTS = (EndpointRow("dtn1", "tcp://dtn1:2376", "silent", reason=SILENCE),)


def test_lists_say_why_an_endpoint_is_silent_once() -> None:
    context = RenderContext(width=160)
    for text in (render_sessions(SESSIONS, context), render_status((), SERVICES, (), (), context), render_transfers(TRANSFERS, context)):
        assert text.count(SILENCE) == 1
        assert "s000" in text
        assert "and 217 more" in text


def test_status_says_why_an_endpoint_is_silent_once_of_the_endpoint() -> None:
    text = render_status(SESSIONS, SERVICES, TRANSFERS, ENDPOINTS, RenderContext(width=160))
    assert text.count(SILENCE) == 1
    assert f"! dtn1: {SILENCE}" in text


def test_other_errors_stay_beside_it_in_status() -> None:
    sick = (SessionRow("s", "MIXED", ("dtn1", "dtn2"), "x:1", errors=(f"dtn1: {SILENCE}", "dtn2: unhealthy")),)
    assert "! s: dtn2: unhealthy" in render_status(sick, (), (), ENDPOINTS, RenderContext(width=160))


@pytest.mark.parametrize(("count", "lines"), [(1, 1), (9, 9), (10, 4), (MANY, 4)])
def test_one_problem_of_many_files_is_counted(count: int, lines: int) -> None:
    error = ConfigError(
        [Problem(f"state/sessions/{name}.yaml", 3, 1, "E0303", "there is no profile `dnt`", "`dtn`") for name in NAMES[:count]]
    )
    assert len(error.lines) == lines
    assert len(error.problems) == count
    if count > 9:
        assert error.lines[-1] == (
            f"E0303: the same in {count - 3} more places: there is no profile `dnt`; `dtnctl validate -o json` lists them"
        )


@pytest.mark.parametrize("count", [0, 1, 4, MANY])
def test_plan_in_which_there_is_nothing_to_do_offers_no_command_that_does_exactly_that(count: int) -> None:
    plan, context = blocked(count), RenderContext(width=120)
    assert "exactly this" not in render_plan(plan, context) + render_plan_comment(plan, context)
    assert plan_document(plan, context)["exact_command"] == ""
    acting = failed()[0]
    assert "exactly this" in render_plan(acting, context)
    assert "exactly this" in render_plan_comment(acting, context)
