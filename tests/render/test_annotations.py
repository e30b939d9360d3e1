"""Marks on lines of the state files: as GitHub obeys them, as SARIF's schema asks, as JUnit's readers take them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.errors import Problem
from dtnctl.model.plan import Cause, Plan
from dtnctl.render.annotations import (
    MOST_RESULTS,
    plan_annotations,
    problem_annotations,
    render_annotations_github,
    render_annotations_sarif,
    render_plan_junit,
    render_problems_junit,
)
from dtnctl.render.context import RenderContext
from tests.render.plans import BY_HAND, DANGER, DRIFT, EMPTY, PLANS, REPLACE, TEXT, TRANSFER, plan
from tests.render.sarif_form import LARGEST, SARIF

PROBLEMS = (
    Problem("state/sessions/b.yaml", 3, 5, "E0102", "no profile `bgi`, 100%", "big"),
    Problem("state/sessions/a.yaml", 0, 0, "E0101", "it is not UTF-8"),
)
# As actions/runner reads a line (ActionCommand.cs, v2 commands).
COMMAND = re.compile(r"::(error|warning|notice) ((?:[a-z]+=[^,:\n]*)(?:,[a-z]+=[^,:\n]*)*)::([^\n]*)")


def obeyed(text: str) -> list[tuple[str, dict[str, str], str]]:
    """What GitHub makes of each line, with its escapes read."""
    found = []
    for line in text.splitlines():
        match = COMMAND.fullmatch(line)
        assert match, line
        properties = dict(item.split("=", 1) for item in match[2].split(","))
        found.append((match[1], {key: _read(value) for key, value in properties.items()}, _read(match[3])))
    return found


def _read(text: str) -> str:
    for escape, character in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escape, character)
    return text


# --- GitHub -------------------------------------------------------------------------------------------------


def test_what_is_blocked_is_an_error_on_its_line() -> None:
    blocked, destroy = obeyed(render_annotations_github(plan_annotations(DANGER)))
    assert blocked == (
        "error",
        {"file": "state/endpoints/dtn-a.yaml", "line": "9", "title": "dtnctl E0412"},
        "session/run15 @ dtn-a: it mounts /etc, the owner allows /nvme; "
        "fix: ask the owner to extend allow.mounts in state/endpoints/dtn-a.yaml",
    )
    assert destroy[:2] == ("warning", {"title": "dtnctl destroy"})
    assert "interrupts: old-mirror on dtn-c ends" in destroy[2]


@pytest.mark.parametrize(
    ("whole", "level", "title"), [(REPLACE, "warning", "replace"), (DRIFT, "warning", "drift"), (TRANSFER, "notice", "start")]
)
def test_each_danger_has_its_level(whole: Plan, level: str, title: str) -> None:
    ((found, properties, _),) = obeyed(render_annotations_github(plan_annotations(whole)))
    assert (found, properties["title"]) == (level, f"dtnctl {title}")


def test_plan_without_danger_marks_nothing() -> None:
    assert plan_annotations(EMPTY) == plan_annotations(BY_HAND["create"]) == ()


def test_a_step_shows_ten_of_each_level_and_says_how_many_more_there_are() -> None:
    (blocked, _) = DANGER.changes
    many = plan(*(replace(blocked, name=f"run{number}") for number in range(47)), *TRANSFER.changes, steps=TRANSFER.steps)
    found = obeyed(render_annotations_github(plan_annotations(many)))
    assert [level for level, _, _ in found] == ["error"] * 10 + ["notice"]
    assert found[9][2].startswith("and 38 more")


def test_files_are_named_from_the_top_of_the_repository() -> None:
    ((_, first, _), (_, second, _)) = obeyed(render_annotations_github(problem_annotations(PROBLEMS), "sites/lab/"))
    assert first == {"file": "sites/lab/state/sessions/a.yaml", "line": "1", "title": "dtnctl E0101"}
    assert second == {"file": "sites/lab/state/sessions/b.yaml", "line": "3", "col": "5", "title": "dtnctl E0102"}


@given(PLANS)
def test_no_name_or_cause_becomes_a_command_of_its_own(whole: Plan) -> None:
    annotations = plan_annotations(whole)
    assert len(obeyed(render_annotations_github(annotations))) == sum(
        min(10, sum(item.level == level for item in annotations)) for level in ("error", "warning", "notice")
    )


# --- SARIF --------------------------------------------------------------------------------------------------


def check_sarif(text: str) -> dict[str, Any]:
    """The log, which has the form that the schema and GitHub ask for, and whose results name their rules."""
    log: dict[str, Any] = json.loads(text)
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    identifiers = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(identifiers) == len(set(identifiers))
    assert all(identifiers[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    return log


def test_sarif_has_a_result_for_each_line_and_a_notification_for_the_rest() -> None:
    log = check_sarif(render_annotations_sarif(plan_annotations(DANGER), "0.1.0"))
    (run,) = log["runs"]
    (result,) = run["results"]
    assert result["ruleId"] == "E0412"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "state/endpoints/dtn-a.yaml"},
        "region": {"startLine": 9, "startColumn": 1, "endLine": 9, "endColumn": 2},
    }
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith("destroy: session/old-mirror @ dtn-c: removes container")
    assert run["tool"]["driver"]["version"] == "0.1.0"


@given(PLANS)
def test_sarif_of_any_plan_is_sound(whole: Plan) -> None:
    changes = tuple(replace(change, cause=Cause(change.cause.text, "state/a b%.yaml", change.cause.line)) for change in whole.changes)
    check_sarif(render_annotations_sarif(plan_annotations(replace(whole, changes=changes)), "", "sites/"))


def test_a_result_is_known_again_when_its_line_moves_and_another_object_is_another_result() -> None:
    def fingerprints(*problems: Problem) -> list[str]:
        (run,) = check_sarif(render_annotations_sarif(problem_annotations(problems), "0.1.0"))["runs"]
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]

    first, second = PROBLEMS
    assert fingerprints(first) == fingerprints(replace(first, line=7))
    assert len({*fingerprints(first), *fingerprints(second), *fingerprints(replace(first, file="state/sessions/c.yaml"))}) == 3


def test_sarif_of_very_many_findings_is_what_github_takes_and_says_how_many_more_there_are() -> None:
    (blocked, _) = DANGER.changes
    many = plan(*(replace(blocked, name=f"run{number}", summary="x" * 3000) for number in range(MOST_RESULTS + 77)))
    text = render_annotations_sarif(plan_annotations(many), "0.1.0")
    (run,) = check_sarif(text)["runs"]
    assert len(run["results"]) == MOST_RESULTS
    assert run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"].startswith("and 77 more")
    assert len(gzip.compress(text.encode())) < LARGEST


@pytest.mark.parametrize(
    "spoil",
    [
        lambda result: result.pop("message"),
        lambda result: result["locations"][0]["physicalLocation"]["region"].pop("endColumn"),
        lambda result: result["locations"][0]["physicalLocation"]["region"].update(startLine=0),
        lambda result: result.update(partialFingerprints={"dtnctl/v1": "x"}),
        lambda result: result.update(unknown=1),
    ],
)
def test_form_refuses_what_schema_or_github_refuse(spoil: Callable[[dict[str, Any]], object]) -> None:
    log = check_sarif(render_annotations_sarif(plan_annotations(DANGER), "0.1.0"))
    spoil(log["runs"][0]["results"][0])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, SARIF)


def test_sarif_without_findings_is_a_run_all_the_same() -> None:
    assert check_sarif(render_annotations_sarif((), ""))["runs"][0]["results"] == []


# --- JUnit --------------------------------------------------------------------------------------------------


def test_junit_has_a_suite_for_each_endpoint() -> None:
    root = ElementTree.fromstring(render_plan_junit(DANGER, RenderContext()))
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")) for suite in root] == [
        ("dtn-a", "1", "1", "0"),
        ("dtn-c", "1", "0", "0"),
        ("dtn-d", "1", "0", "1"),
    ]
    failure = root[0][0][0]
    assert (failure.tag, failure.get("type")) == ("failure", "E0412")
    assert "state/endpoints/dtn-a.yaml:9" in (failure.text or "")


def test_junit_of_files_has_a_test_for_each() -> None:
    root = ElementTree.fromstring(render_problems_junit(PROBLEMS, ["state/site.yaml", "state/sessions/a.yaml"]))
    (suite,) = root
    assert [(case.get("name"), len(case)) for case in suite] == [
        ("state/sessions/a.yaml", 1),
        ("state/sessions/b.yaml", 1),
        ("state/site.yaml", 0),
    ]
    assert suite.get("failures") == "2"


@given(PLANS, st.lists(st.builds(Problem, TEXT, st.integers(0, 9), st.integers(0, 9), TEXT, TEXT, TEXT), max_size=3))
def test_junit_is_xml_whatever_it_has_to_say(whole: Plan, problems: list[Problem]) -> None:
    for text in (render_plan_junit(whole, RenderContext()), render_problems_junit(problems, ["state/site.yaml"])):
        root = ElementTree.fromstring(text.encode("utf-8", "surrogatepass"))
        for suite in root:
            assert int(suite.get("tests") or 0) == len(suite)
            assert int(suite.get("failures") or 0) == sum(case.find("failure") is not None for case in suite)
