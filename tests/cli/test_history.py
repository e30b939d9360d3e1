"""Runs are recorded in Git, and `dtnctl history` shows them with what stands now."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtnctl.model.runs import REF
from tests.cli.small_site import run, two_engines

AUTHOR = ("-c", "user.name=alice", "-c", "user.email=alice@localhost")


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(root), *AUTHOR, *words], check=True, capture_output=True, text=True).stdout.strip()


def commit(root: Path) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "a state")
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / ".gitignore").write_text("/.dtnctl/\n*.sock\n")
    with two_engines(tmp_path):
        yield tmp_path


def test_each_apply_is_recorded_with_its_commit_account_plan_and_result(root: Path) -> None:
    first = commit(root)
    applied = run(
        root, "apply", "--yes", GITHUB_ACTOR="alice", GITHUB_RUN_ID="7", GITHUB_REPOSITORY="us/dtns", GITHUB_SERVER_URL="https://f"
    )
    assert applied.returncode == 0, applied.stderr
    document = json.loads(run(root, "history", "-o", "json").stdout)
    (record,) = document["runs"]
    assert (record["commit"], record["command"], record["result"], record["exit_code"]) == (first, "apply", "ok", 0)
    assert record["asked"]["ci_actor"] == "alice"
    assert record["asked"]["ci_url"] == "https://f/us/dtns/actions/runs/7"
    assert {(item["name"], item["endpoint"], item["result"]) for item in record["changes"]} == {("s", "a", "done"), ("s", "b", "done")}
    assert record["steps"]["done"] > 1
    assert [(item["session"], item["endpoint"], item["commit"]) for item in document["standing"]] == [("s", "a", first), ("s", "b", first)]
    assert git(root, "status", "--porcelain") == ""


def test_runs_that_do_nothing_are_recorded_once_for_a_commit_and_a_change_by_hand_as_uncommitted(root: Path) -> None:
    commit(root)
    for _ in range(3):
        run(root, "apply", "--yes")
    assert len(git(root, "ls-tree", "-r", "--name-only", REF).splitlines()) == 2, "the first one, and one that found nothing to do"
    (root / "state/sessions/s.yaml").write_text("endpoints: [a]\nimage: app:1\nprofile: p\n")
    assert run(root, "apply", "--yes").returncode == 0
    text = run(root, "history", "s").stdout
    assert "destroy 1" in text
    assert text.splitlines()[1].split()[2].endswith("+"), text
    assert "create 2" in text
    assert "nothing to do" not in text, "only what was done about the session"


def test_a_run_that_is_refused_or_fails_is_recorded_and_a_no_is_not(root: Path) -> None:
    commit(root)
    assert run(root, "apply", "--yes", "--expect", "0000000000000000").returncode == 5
    assert run(root, "apply", "--no-input").returncode == 64
    (root / "state/sessions/s.yaml").write_text("endpoints: [a]\nimage: missing:1\nprofile: p\n")
    commit(root)
    assert run(root, "apply", "--yes").returncode != 0
    results = [item["result"] for item in json.loads(run(root, "history", "--offline", "-o", "json").stdout)["runs"]]
    assert (len(results), results.count("stale-plan")) == (2, 1)  # in no order: they may have begun in the same second


def test_what_does_not_answer_and_what_is_unknown_is_said(root: Path) -> None:
    commit(root)
    run(root, "apply", "--yes")
    (root / "state/endpoints/b.yaml").write_text("docker: unix:///nowhere/b.sock\nhost: b.example.net\n")
    assert "note: b does not answer" in run(root, "history").stdout
    assert run(root, "history", "nobody").returncode == 64
    assert run(root, "history", "s", "--limit", "0", "--offline").returncode == 0


def test_a_remote_that_is_away_is_said_and_what_is_here_is_shown(root: Path) -> None:
    (root / "state/site.yaml").write_text("name: small\nreceipts: {remote: origin}\n")
    commit(root)
    git(root, "remote", "add", "origin", str(root / "nowhere"))
    applied = run(root, "apply", "--yes")
    assert applied.returncode == 0
    assert "note: this run is not recorded in Git: origin" in applied.stderr or "nowhere" in applied.stderr
    shown = run(root, "history", "--offline")
    assert "note: runs cannot be fetched from origin" in shown.stderr
    assert "create 2" in shown.stdout


def test_without_a_repository_apply_works_and_history_says_why_there_is_none(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        assert run(tmp_path, "apply", "--yes").returncode == 0
        shown = run(tmp_path, "history")
    assert shown.returncode == 64
    assert "the record of runs cannot be read" in shown.stderr
