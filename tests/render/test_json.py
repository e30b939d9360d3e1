"""The JSON documents are a contract: what docs/json.md says is what comes out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from dtnctl.cli.shell.listing import listing_document
from dtnctl.cli.shell.tree import Entry, Folder
from dtnctl.errors import Problem, StalePlanError
from dtnctl.model.comparison import Comparison
from dtnctl.model.impact import Cut, Progress
from dtnctl.model.inventory import Age
from dtnctl.model.ledger import Attempt
from dtnctl.model.outcome import Outcome
from dtnctl.model.owners import OwnersReport, Rule, Trespass
from dtnctl.model.path_rows import PathRow, PromisedBandwidth
from dtnctl.model.plan import Plan, Usage
from dtnctl.model.policy import PolicyResult
from dtnctl.model.report import DeclaredRow
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.samples import Sample
from dtnctl.model.tools import TOOLS
from dtnctl.model.volume_rows import VolumeRow
from dtnctl.render.claims import claims_document
from dtnctl.render.commit import commit_document
from dtnctl.render.comparison import comparison_document
from dtnctl.render.context import RenderContext
from dtnctl.render.conversion import conversion_document
from dtnctl.render.findings_json import audit_document, doctor_document
from dtnctl.render.from_json import read_plan
from dtnctl.render.history import history_document
from dtnctl.render.json import (
    declared_document,
    endpoint_document,
    endpoints_document,
    error_document,
    outcomes_document,
    paths_document,
    plan_document,
    problems_document,
    render_json,
    samples_document,
    session_document,
    sessions_document,
    status_document,
    transfer_document,
    transfers_document,
    volumes_document,
)
from dtnctl.render.owners import owners_document
from dtnctl.render.tools import tool_row, tools_document
from tests.render.audits import AUDIT, FILES
from tests.render.claim_reports import REPORT as CLAIMS
from tests.render.examinations import EXAMINATIONS
from tests.render.histories import COMMIT_VIEW, HISTORY
from tests.render.plans import BY_HAND, CREATE, DANGER, EMPTY, HARDWARE, PLANS, REPLACE, TRANSFER, obeyed, plan
from tests.render.rows import ENDPOINTS, SERVICES, SESSIONS, TRANSFERS

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
PROBLEMS = (
    Problem("state/sessions/b.yaml", 3, 5, "E0102", "no profile `bgi`", "big"),
    Problem("state/sessions/a.yaml", 0, 0, "E0101", "it is not UTF-8"),
)
PATHS = (PathRow("a2b", "anagram", "active", "ACTIVATED", ("dtn-a ens1f0", "dtn-b ens1f0"), 1790, 10_000_000, 9000, "wan"),)
PROMISED = (PromisedBandwidth("dtn-a", "ens1f0", Usage(0, 10_000_000, 0)),)
VOLUMES = (VolumeRow("scratch", "dtn-a", "host", "mounted", "tcp", "10.20.0.12:4420", "/var/x", "ro", ("s",), "fine"),)
CUT = Cut("run14", "dtn-a", is_resumable=True, progress=Progress(62, 100))
EVERYTHING = plan(
    *(replace(change, cuts=(CUT,)) for each in BY_HAND.values() for change in each.changes),
    steps=tuple(step for each in BY_HAND.values() for step in each.steps),
    endpoints=DANGER.endpoints + HARDWARE.endpoints,
    transfers=EMPTY.transfers,
    notes=DANGER.notes,
    unchanged=EMPTY.unchanged,
    paths=PATHS,
    promised=PROMISED,
    snapshot=Snapshot({"dtn-a": EndpointSeen("dtn-a", engine_id="e1")}),
)
POLICY = PolicyResult("conftest test -", "denied", ("no digest",), ("mind it",))
OUTCOMES = tuple(Outcome(step.id, "done", seconds=0.25) for step in EVERYTHING.steps)
DECLARED = DeclaredRow("data", "state/networks/data.yaml", {"driver": "macvlan", "addresses": [["10.0.0.1", "10.0.0.9"]]})
RULE = Rule("/state/", ("ann@example.net",), "state/site.yaml:4")
TRESPASS = Trespass("b2", "x", "eve@example.net", "state/x.yaml", RULE)
OWNERS = OwnersReport("a1", "b2", 3, 1, by_signature=False, trespasses=(TRESPASS,), unmatched=(RULE,))
DOCUMENTS: tuple[dict[str, Any], ...] = (
    plan_document(
        EVERYTHING,
        RenderContext(version="0.1.0", inventory=(Age("dtn-a", "2026-06-01T00:00:00Z", 60, "5d0e"),), policy=POLICY),
    ),
    outcomes_document(EVERYTHING, OUTCOMES, replace(DANGER, transfers=EMPTY.transfers)),
    problems_document(PROBLEMS),
    error_document(StalePlanError("another plan")),
    sessions_document(SESSIONS),
    session_document(SESSIONS[0], SERVICES),
    transfers_document(TRANSFERS),
    transfer_document(TRANSFERS[0]),
    samples_document(Attempt("run14", 1, 1, "c", "", started_at="2026-06-01T00:00:00Z"), (Sample(1.0, 10, 10.0),)),
    endpoints_document(ENDPOINTS),
    endpoint_document(ENDPOINTS[0], {"version": 1}),
    doctor_document(EXAMINATIONS),
    audit_document(AUDIT, FILES),
    claims_document(CLAIMS),
    owners_document(OWNERS),
    history_document(HISTORY),
    {**commit_document(COMMIT_VIEW), "runs": [{"run": name} for name in COMMIT_VIEW.runs]},
    comparison_document(Comparison("s", "a", "old", (("memory", "4 GiB", "8 GiB"),), ("network n was made by another program",))),
    conversion_document(["state/site.yaml"], [("profiles.yaml:3", "dropped", "`x` is no key of Janus")], ["a problem of the state files"]),
    declared_document("networks", [DECLARED]),
    declared_document("profiles", [DECLARED]),
    tools_document([tool_row(tool) for tool in TOOLS.values()]),
    paths_document(PATHS, PROMISED),
    volumes_document(VOLUMES),
    listing_document(("active",), Folder((Entry("climate", Folder(), 8, "8: STARTED"),))),
    status_document(SESSIONS, SERVICES, TRANSFERS, ENDPOINTS, PATHS, PROMISED, VOLUMES),
)
# What has keys of its own that the page does not list: those of a release, and those of people.
PAIRS = {f"{place}.{name}" for place in ("transfer", "transfers[]") for name in ("labels", "metadata")}
OPAQUE = {"steps[].action", "steps[].undo", "host", "networks[].fields", "profiles[].fields", *PAIRS}


def keys(value: object, path: str = "") -> Iterator[str]:
    """Paths of all values: of an object its keys', of a list of objects its entries'."""
    if isinstance(value, dict) and path not in OPAQUE:
        for key, item in value.items():
            yield from keys(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from keys(item, f"{path}[]")
    else:
        yield path


def documented(kind: str) -> set[str]:
    (section,) = re.findall(rf"^## {kind}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document["kind"]))
def test_page_lists_exactly_the_keys_of_each_document(document: dict[str, Any]) -> None:
    told = documented(document["kind"])
    if document["kind"] == "status":
        assert set(document) == told
        return
    assert _leaves(set(keys(document))) == _leaves(told)


SENTENCE = re.compile(r"\b[a-z]{2,}(?: [a-z]{2,}){2,}")  # three words in a row


def texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text with its path."""
    if isinstance(value, dict) and path not in OPAQUE:
        for key, item in value.items():
            yield from texts(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, f"{path}[]" if isinstance(item, dict) else path)
    elif isinstance(value, str):
        yield path, value


def for_people(kind: str) -> set[str]:
    (section,) = re.findall(rf"^## {kind}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^\| `([^`]+)` \|.*for people", section, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS[:-1], ids=lambda document: str(document["kind"]))
def test_sentences_stand_only_where_the_page_says_that_they_are_for_people(document: dict[str, Any]) -> None:
    wrong = {path: text for path, text in texts(document) if SENTENCE.search(text) and path not in for_people(document["kind"])}
    assert wrong == {}


def _leaves(paths: set[str]) -> set[str]:
    """Without those that hold other keys: they show when they are null or empty."""
    return {path for path in paths if not any(other.startswith((f"{path}.", f"{path}[]")) for other in paths)}


def test_page_describes_no_document_that_does_not_exist() -> None:
    kinds = set(re.findall(r"^## (\w+)$", PAGE.read_text(), re.MULTILINE))
    assert kinds == {document["kind"] for document in DOCUMENTS} | {"event"}


def test_lists_in_a_status_are_those_of_the_lists() -> None:
    status = DOCUMENTS[-1]
    assert status["sessions"] == sessions_document(SESSIONS)["sessions"]
    assert status["services"] == [row for item in SESSIONS for row in session_document(item, SERVICES)["services"]]
    assert status["transfers"] == transfers_document(TRANSFERS)["transfers"]
    assert status["endpoints"] == endpoints_document(ENDPOINTS)["endpoints"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document["kind"]))
def test_every_document_says_its_version_and_kind_first_of_all(document: dict[str, Any]) -> None:
    assert document["format_version"] == 1
    assert json.loads(render_json(document)) == document


@given(PLANS)
def test_any_plan_is_one_ascii_document_with_sorted_keys(plan: Plan) -> None:
    text = render_json(plan_document(plan, RenderContext()))
    assert text.isascii()
    assert text.endswith("}\n")
    assert text.replace("\\u0023", "#") == json.dumps(json.loads(text), sort_keys=True, indent=2) + "\n"
    assert obeyed(text) == []


# --- plan ---------------------------------------------------------------------------------------------------


def actions(of: Plan) -> list[list[str]]:
    return [change["actions"] for change in plan_document(of, RenderContext())["changes"]]


def test_looking_for_delete_finds_replacements() -> None:
    assert actions(REPLACE) == [["delete", "create"]]
    assert actions(DANGER) == [[], ["delete"]]


def test_transfer_that_only_gets_its_receipt_does_not_start() -> None:
    assert actions(TRANSFER) == [["start"], ["finish"]]
    summary = plan_document(TRANSFER, RenderContext())["summary"]
    assert (summary["transfer"], summary["start"]) == (2, 1)


def test_counts_of_a_silent_endpoint_are_null() -> None:
    document = plan_document(DANGER, RenderContext())
    assert document["partial"] is True
    assert [row["sessions"] for row in document["endpoints"]] == [{"before": 6, "after": 6}, {"before": 3, "after": 2}, None]


def test_use_of_hardware_is_told_where_an_agent_tells_it() -> None:
    first, second = plan_document(HARDWARE, RenderContext())["endpoints"]
    assert first["vfs"] == {"before": 0, "after": 0, "total": 8}
    assert second["cpus"] == [{"node": 0, "before": 8, "after": 4, "total": 16}, {"node": 1, "before": 0, "after": 4, "total": 16}]
    assert [(row["vfs"], row["cpus"]) for row in plan_document(CREATE, RenderContext())["endpoints"]] == [(None, [])] * 2


def test_changes_of_hosts_are_counted_on_each_of_them() -> None:
    elsewhere = tuple(replace(change, endpoint="dtn-c") for change in HARDWARE.changes)
    summary = plan_document(plan(*HARDWARE.changes, *elsewhere), RenderContext())["summary"]
    assert {key: summary[key] for key in ("changes", "sessions", "networks", "interfaces", "vlans", "settings")} == {
        "changes": 6,
        "sessions": 0,
        "networks": 0,
        "interfaces": 4,
        "vlans": 2,
        "settings": 0,
    }


def test_steps_carry_their_action_in_full() -> None:
    (first, *_) = plan_document(REPLACE, RenderContext())["steps"]
    assert first == {
        "id": "dtn-a/stop/scinet.climate",
        "endpoint": "dtn-a",
        "action": {"type": "StopContainer", "container": "scinet.climate", "id": "0c1d", "timeout": 10},
        "needs": [],
        "follows": [],
        "group": "dtn-a/scinet.climate",
        "undo": {"type": "RestoreContainer", "container": "scinet.climate", "id": "0c1d", "start": True, "settle": 1.0},
    }


# --- outcomes and problems ----------------------------------------------------------------------------------


def test_outcomes_tell_what_became_of_each_change() -> None:
    first, second, third, fourth = (step.id for step in CREATE.steps)
    outcomes = (
        Outcome(first, "done", seconds=0.1),
        Outcome(second, "done", seconds=0.2),
        Outcome(third, "failed", "port 30001 is taken", 0.3, "error"),
        Outcome(fourth, "skipped", f"needs {third}"),
    )
    document = outcomes_document(CREATE, outcomes)
    assert document["converged"] is False
    assert document["summary"] == {
        "changes": 2,
        "applied": 1,
        "failed": 1,
        "put_back": 0,
        "unfinished": 0,
        "not_tried": 0,
        "blocked": 0,
        "silent": 0,
    }
    assert [(change["endpoint"], change["result"], change["reasons"]) for change in document["changes"]] == [
        ("dtn-a", "applied", []),
        ("dtn-b", "failed", ["port 30001 is taken"]),
    ]


@pytest.mark.parametrize(("remaining", "converged"), [(None, True), (EMPTY, True), (REPLACE, False)])
def test_converged_needs_an_empty_last_look_if_there_was_one(remaining: Plan | None, converged: bool) -> None:
    outcomes = tuple(Outcome(step.id, "done") for step in CREATE.steps)
    assert outcomes_document(CREATE, outcomes, remaining)["converged"] is converged


def test_plan_with_a_blocked_change_has_not_converged() -> None:
    outcomes = tuple(Outcome(step.id, "done") for step in DANGER.steps)
    assert outcomes_document(DANGER, outcomes)["converged"] is False


def test_problems_come_in_the_order_of_their_places() -> None:
    document = problems_document(PROBLEMS)
    assert [problem["file"] for problem in document["problems"]] == ["state/sessions/a.yaml", "state/sessions/b.yaml"]
    assert document["summary"] == {"problems": 2, "files": 2}


def test_what_a_policy_said_and_what_waits_is_read_back_from_the_document() -> None:
    held = replace(EVERYTHING, changes=(replace(DANGER.changes[0], mark="blocked", held="destroy", cuts=(CUT,)),))
    read, context = read_plan(json.loads(render_json(plan_document(held, RenderContext(policy=POLICY)))))
    assert (read.changes[0].held, read.changes[0].cuts, context.policy) == ("destroy", (CUT,), POLICY)
    older = plan_document(EVERYTHING, RenderContext())
    for change in older["changes"]:
        del change["held"], change["cuts"]
    assert read_plan(older | {"policy": None})[0].changes[0].cuts == ()
