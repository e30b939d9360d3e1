"""`dtnctl report` against a server that plays GitHub and GitLab: one comment, one status for each endpoint, whatever happens."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.errors import Problem
from dtnctl.model.plan import Plan
from dtnctl.render.context import RenderContext
from dtnctl.render.json import error_document, plan_document, problems_document, render_json
from dtnctl.render.review import PREVIOUS
from tests.fakes.http_api import serve
from tests.render.plans import CREATE, DANGER, EMPTY
from tests.runtime.program import Result, dtnctl
from tests.runtime.reporting.forge_server import OTHER, TOKEN, ForgeServer

SHA = "4f2c1e9" + "0" * 33
NOW = {"Retry-After": "0"}
Report = Callable[..., Result]


@pytest.fixture
def forge() -> Iterator[ForgeServer]:
    with serve(ForgeServer()) as served:
        yield served


@pytest.fixture(params=["github", "gitlab"])
def report(request: pytest.FixtureRequest, forge: ForgeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Reports a plan, or another document, as CI of either forge would."""
    kind = str(request.param)
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "CI", "GITLAB_", "DTNCTL_", "PULL_REQUEST", "COMMENT_AUTHOR")):
            monkeypatch.delenv(name)
    variables = {
        "github": {
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_REPOSITORY": "dtn/state",
            "GITHUB_API_URL": forge.url,
            "GITHUB_SHA": SHA,
            "PULL_REQUEST": "7",
        },
        "gitlab": {
            "GITLAB_TOKEN": TOKEN,
            "CI_API_V4_URL": f"{forge.url}/api/v4",
            "CI_PROJECT_ID": "42",
            "CI_PROJECT_URL": "https://gitlab.example/dtn/state",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_COMMIT_SHA": SHA,
        },
    }[kind]

    def run(what: Plan | str, *options: str, **more: str) -> Result:
        text = what if isinstance(what, str) else render_json(plan_document(what, RenderContext(version="0.1.0", reproduce="dtnctl plan")))
        (tmp_path / "plan.json").write_text(text)
        for name, value in (variables | more).items():
            monkeypatch.setenv(name, value)
        return dtnctl(tmp_path, "report", kind, "plan.json", *options)

    return run


def test_first_report_makes_the_comment_and_the_statuses(report: Report, forge: ForgeServer) -> None:
    result = report(DANGER)
    assert result.code == 0, result.err
    (body,) = forge.bodies
    assert body.startswith(f"<!-- dtnctl:plan site=scinet hash={DANGER.hash} -->\n### dtnctl plan · scinet · 1 change")
    assert result.out.splitlines()[0].startswith("comment: created https://")
    assert {name: status["state"] in ("success", "pending") for (_, name), status in forge.statuses.items()} == {
        "dtnctl/scinet/dtn-a": False,
        "dtnctl/scinet/dtn-c": True,
        "dtnctl/scinet/dtn-d": False,
    }
    texts = [status["description"] for status in forge.statuses.values()]
    assert texts[0] == f"0 changes, 1 blocked ({DANGER.hash[:8]})"
    assert texts[1] == f"1 change, 1 destroy, 0 blocked ({DANGER.hash[:8]})"
    assert texts[2].startswith("silent, what is there is unknown: ssh:")
    assert {commit for commit, _ in forge.statuses} == {SHA}


def test_same_plan_again_writes_no_comment(report: Report, forge: ForgeServer) -> None:
    report(DANGER)
    calls = len(forge.calls)
    assert report(DANGER).out.startswith("comment: unchanged")
    assert not [call for call in forge.calls[calls:] if call.startswith(("PATCH", "PUT")) or ("notes" in call and call.startswith("POST"))]


def test_another_plan_folds_the_text_before_and_only_that(report: Report, forge: ForgeServer) -> None:
    for plan in (DANGER, CREATE, EMPTY):
        assert report(plan).code == 0
    (body,) = forge.bodies
    assert body.startswith(f"<!-- dtnctl:plan site=scinet hash={EMPTY.hash} -->")
    assert body.count(PREVIOUS) == 1
    assert f"<details><summary>Previous plan {CREATE.hash}</summary>" in body
    assert "old-mirror" not in body


def test_equal_plan_with_other_words_keeps_the_fold_that_is_there(report: Report, forge: ForgeServer) -> None:
    report(DANGER)
    report(CREATE)
    assert report(replace(CREATE, notes=("worth knowing",))).out.startswith("comment: edited")
    (body,) = forge.bodies
    assert "worth knowing" in body
    assert f"Previous plan {DANGER.hash}" in body
    assert f"Previous plan {CREATE.hash}" not in body


def test_comments_of_others_stay_even_with_our_marker(report: Report, forge: ForgeServer) -> None:
    forged = f"<!-- dtnctl:plan site=scinet hash={DANGER.hash} -->\nall is well"
    forge.add(forged, OTHER)
    report(DANGER)
    assert forge.bodies[0] == forged
    assert len(forge.comments) == 2


def test_copies_are_removed_and_a_comment_is_found_behind_many(report: Report, forge: ForgeServer) -> None:
    for number in range(230):
        forge.add(f"comment {number}", OTHER)
    for _ in range(3):
        forge.add(f"<!-- dtnctl:plan site=scinet hash={EMPTY.hash} -->\nold")
    assert report(DANGER).out.startswith("comment: edited")
    assert sum("dtnctl:plan site=scinet" in body for body in forge.bodies) == 1


@pytest.mark.parametrize(
    "failure",
    [
        (502, NOW, {"message": "Server Error"}),
        (429, NOW, {"message": "slow down"}),
        (403, NOW, {"message": "You have exceeded a secondary rate limit"}),
    ],
    ids=["502", "429", "403"],
)
def test_busy_forge_is_asked_again(report: Report, forge: ForgeServer, failure: tuple[int, dict[str, str], object]) -> None:
    forge.failures = [failure, failure]
    result = report(DANGER)
    assert result.code == 0, result.err
    assert len(forge.comments) == 1


def test_forge_that_stays_down_is_an_error_that_says_so(report: Report, forge: ForgeServer) -> None:
    forge.failures = [(503, NOW, {"message": "Unavailable"})] * 5
    result = report(DANGER)
    assert result.code == 1
    assert "503 Unavailable; gave up after 5 tries" in result.err


def test_refusal_is_said_once_and_no_token_with_it(report: Report, forge: ForgeServer) -> None:
    result = report(DANGER, GITHUB_TOKEN="secret-1", GITLAB_TOKEN="secret-1")
    assert result.code == 1
    assert "401 Unauthorized" in result.err
    assert "secret-1" not in result.out + result.err
    assert len(forge.calls) == 1


def test_token_follows_no_redirect_and_no_plain_http(report: Report, forge: ForgeServer) -> None:
    with serve(ForgeServer()) as stranger:
        forge.failures = [(302, {"Location": f"{stranger.url}/api/v4/user"}, None)]
        assert report(DANGER).code == 1
        assert stranger.calls == []
    result = report(DANGER, GITHUB_API_URL="http://forge.example", CI_API_V4_URL="http://forge.example/api/v4")
    assert "is not https" in result.err


def test_broken_state_is_reported_where_the_plan_was(report: Report, forge: ForgeServer) -> None:
    report(DANGER)
    problems = render_json(problems_document([Problem("state/sessions/a.yaml", 3, 5, "E0102", "no profile `big` </code> @org")]))
    result = report(problems, "--site", "scinet")
    assert result.code == 0, result.err
    (body,) = forge.bodies
    assert body.startswith("<!-- dtnctl:plan site=scinet failed -->\n### dtnctl plan · scinet · ✖ the state files are wrong")
    assert "\nstate/sessions/a.yaml:3: E0102: no profile `big` </code> @org\n```" in body
    assert f"Previous plan {DANGER.hash}" in body
    (status,) = [status for (_, name), status in forge.statuses.items() if name == "dtnctl/scinet"]
    assert status["state"] in ("failure", "failed")


def test_document_without_a_site_asks_for_its_name(report: Report) -> None:
    result = report(render_json(error_document_of("no answer")))
    assert result.code == 64
    assert "try --site NAME" in result.err


def error_document_of(text: str) -> dict[str, object]:
    from dtnctl.errors import UnreachableError

    return error_document(UnreachableError(text))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kind": "plan"}', '{"kind": "plan", "format_version": 1}', '{"kind": "sessions"}', "[" * 100_000]
)
def test_what_is_no_plan_is_refused_before_a_call(report: Report, forge: ForgeServer, text: str) -> None:
    result = report(text)
    assert result.code == 64, result.err
    assert forge.calls == []


def test_everything_that_is_not_set_is_named_at_once(report: Report) -> None:
    result = report(DANGER, GITHUB_TOKEN="", GITHUB_REPOSITORY="", GITLAB_TOKEN="", CI_PROJECT_ID="")
    assert result.code == 64
    assert "not set: GIT" in result.err
    assert "GITHUB_REPOSITORY" in result.err or "CI_PROJECT_ID" in result.err


def test_push_without_a_pull_request_gets_statuses_alone(report: Report, forge: ForgeServer) -> None:
    result = report(DANGER, PULL_REQUEST="", CI_MERGE_REQUEST_IID="")
    assert result.code == 0, result.err
    assert forge.comments == {}
    assert len(forge.statuses) == 3
    assert "there is no comment" in result.err


def test_github_event_names_the_branch_that_people_look_at(forge: ForgeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": "beef" * 10}}}))
    (tmp_path / "plan.json").write_text(render_json(plan_document(CREATE, RenderContext())))
    variables = {"GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "dtn/state", "GITHUB_API_URL": forge.url, "GITHUB_SHA": SHA}
    for name, value in {**variables, "GITHUB_EVENT_PATH": str(event), "PULL_REQUEST": ""}.items():
        monkeypatch.setenv(name, value)
    assert dtnctl(tmp_path, "report", "github", "plan.json").code == 0
    assert len(forge.comments) == 1
    assert {commit for commit, _ in forge.statuses} == {"beef" * 10}


def test_webhook_gets_the_whole_review_with_a_signature(forge: ForgeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan.json").write_text(render_json(plan_document(DANGER, RenderContext())))
    monkeypatch.setenv("DTNCTL_REPORT_URL", f"{forge.url}/hook?key=hidden")
    monkeypatch.setenv("DTNCTL_REPORT_SECRET", "shared")
    forge.failures = [(500, NOW, None)]
    result = dtnctl(tmp_path, "report", "webhook", "plan.json", "--commit", SHA, "--pull-request", "7")
    assert (result.code, result.out) == (0, "webhook: accepted\n"), result.err
    ((headers, body),) = forge.posted
    assert headers.get("X-Dtnctl-Signature-256") == f"sha256={hmac.new(b'shared', body, hashlib.sha256).hexdigest()}"
    document = json.loads(body)
    assert (document["kind"], document["site"], document["plan_hash"]) == ("review", "scinet", DANGER.hash)
    assert document["verdict"].startswith("1 change in 1 session · 1 destroy")
    assert (document["pull_request"], document["commit"], len(document["statuses"])) == (7, SHA, 3)


def test_webhooks_address_is_in_no_output(forge: ForgeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan.json").write_text(render_json(plan_document(DANGER, RenderContext())))
    monkeypatch.setenv("DTNCTL_REPORT_URL", f"{forge.url}/hook?key=hidden")
    forge.failures = [(404, {}, {"message": "gone"})]
    result = dtnctl(tmp_path, "report", "webhook", "plan.json")
    assert result.code == 1
    assert "404 gone" in result.err
    assert "hidden" not in result.out + result.err
