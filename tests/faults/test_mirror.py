"""A transfer's record in Git: what both endpoints lost is known there, and nothing of a repository is in an apply's way."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from dtnctl.model.receipts import REF
from tests.faults.harness import Stage, warm_up

RECORD = f"{REF}:demo/run14.g1a1.json"
APPLY = ("apply", "--yes")


@pytest.fixture(scope="module")
def opened() -> Iterator[Stage]:
    warm_up()
    with Stage() as stage:
        yield stage


@pytest.fixture
def stage(opened: Stage) -> Iterator[Stage]:
    """Two empty endpoints; the state is the first commit of a repository."""
    wipe(opened)
    opened.write()
    git(opened, "init", "--quiet", "--initial-branch", "main")
    git(opened, "add", "--all")
    git(opened, "commit", "--quiet", "--message", "first")
    yield opened
    shutil.rmtree(opened.root / ".git")


def git(stage: Stage, *words: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@example.net")
    return subprocess.run(["git", "-C", str(stage.root), *author, *words], check=True, capture_output=True, text=True).stdout.strip()


def wipe(stage: Stage) -> None:
    """Both hosts are installed again: no container, no ledger."""
    stage.ask("POST", "restore", {"name": "start"})


def starts(stage: Stage) -> int:
    """Starts of the job since the last wipe."""
    return sum(item["count"] for item in stage.ask("GET", "starts") if item["name"].startswith("demo.run14.g"))


def shown(stage: Stage) -> Any:
    ran = stage.run("transfers", "show", "run14", "-o", "json")
    return json.loads(ran.text)["transfer"]


def test_a_finished_transfer_is_in_git_and_does_not_start_again_when_both_endpoints_were_wiped(stage: Stage) -> None:
    first = stage.run(*APPLY)
    assert (first.code, starts(stage)) == (0, 1), first.text
    before = shown(stage)
    wipe(stage)
    second = stage.run(*APPLY)
    assert (second.code, starts(stage)) == (0, 0), second.text
    assert shown(stage) == before
    assert before["state"] == "succeeded"
    assert git(stage, "status", "--porcelain") == ""


def test_a_claim_is_in_git_while_its_job_runs_and_without_a_result_it_is_unknown(stage: Stage) -> None:
    assert stage.run(*APPLY, "--no-wait").code == 0
    assert json.loads(git(stage, "show", RECORD))["verdict"] is None
    wipe(stage)
    ended = stage.run(*APPLY)
    assert (ended.code, starts(stage)) == (9, 0), ended.text
    assert shown(stage)["state"] == "unknown"
    assert (stage.run(*APPLY).code, starts(stage)) == (9, 0)
    assert json.loads(git(stage, "show", RECORD))["verdict"] == "unknown"


def test_a_transfer_whose_file_is_deleted_before_its_end_was_recorded_has_its_receipt_in_git(stage: Stage) -> None:
    """The last one of the site, too: no transfer is declared any more."""
    assert stage.run(*APPLY, "--no-wait").code == 0
    (stage.root / "state/transfers/run14.yaml").unlink()
    ended = stage.run(*APPLY)
    assert ended.code == 0, ended.text
    record = json.loads(git(stage, "show", RECORD))
    assert (record["verdict"], record["exit_code"]) == ("unknown", 0), ended.text
    assert record["cause"].startswith("removed before its result was recorded, since no file state/transfers/run14.yaml any more")
    assert stage.run(*APPLY).code == 0


def test_what_could_not_be_mirrored_is_mirrored_by_the_next_apply(stage: Stage) -> None:
    packs = stage.root / ".git/objects/pack"
    packs.rmdir()
    packs.write_text("")
    first = stage.run(*APPLY)
    assert first.code == 0, first.text
    assert "note: receipts are not mirrored into Git: " in first.text
    assert "nothing is lost, the next apply mirrors what is missing" in first.text
    packs.unlink()
    packs.mkdir()
    assert stage.run(*APPLY).code == 0
    assert json.loads(git(stage, "show", RECORD))["verdict"] == "succeeded"


def test_a_site_that_names_a_remote_has_its_receipts_there_and_a_fresh_clone_plans_with_them(stage: Stage) -> None:
    bare = stage.root.parent / "bare.git"
    git(stage, "clone", "--quiet", "--bare", ".", str(bare))
    git(stage, "remote", "add", "origin", str(bare))
    stage.write({"site": "name: demo\nreceipts: {remote: origin}\n"})
    assert stage.run(*APPLY).code == 0
    assert json.loads(git(stage, f"--git-dir={bare}", "show", RECORD))["verdict"] == "succeeded"
    git(stage, "update-ref", "-d", REF)
    wipe(stage)
    ended = stage.run(*APPLY)
    assert (ended.code, starts(stage)) == (0, 0), ended.text
    shutil.rmtree(bare)
    gone = stage.run(*APPLY)
    assert (gone.code, starts(stage)) == (0, 0), gone.text
    assert "note: receipts cannot be fetched from origin: " in gone.text


def test_without_a_repository_an_apply_is_as_it_was(stage: Stage) -> None:
    shutil.rmtree(stage.root / ".git")
    ended = stage.run(*APPLY)
    assert (ended.code, starts(stage)) == (0, 1)
    assert "note: receipts" not in ended.text
    (stage.root / ".git").mkdir()


def test_a_mirror_that_cannot_be_read_is_said_and_the_endpoints_records_count(stage: Stage) -> None:
    assert stage.run(*APPLY).code == 0
    name = git(stage, "rev-parse", RECORD)
    (stage.root / ".git/objects" / name[:2] / name[2:]).unlink()
    ended = stage.run(*APPLY)
    assert (ended.code, starts(stage)) == (0, 1), ended.text
    assert f"note: the receipts that Git mirrors cannot be read: Git does not have what its ref {REF} holds" in ended.text


# --- transfers resolve --------------------------------------------------------------------------------------


def make_unknown(stage: Stage) -> None:
    """A transfer that was started, whose endpoints were then installed again."""
    assert stage.run(*APPLY, "--no-wait").code == 0
    wipe(stage)
    stage.run(*APPLY)
    assert shown(stage)["state"] == "unknown"


def test_an_unknown_result_that_is_resolved_is_recorded_with_who_and_why_and_never_runs_again(stage: Stage) -> None:
    make_unknown(stage)
    ended = stage.run("transfers", "resolve", "run14", "--succeeded", "--reason", "looked at it")
    assert ended.code == 0, ended.text
    assert "run14 (generation 1, try 1) is recorded as succeeded" in ended.text
    record = json.loads(git(stage, "show", RECORD))
    assert (record["verdict"], record["resolution"], record["reason"]) == ("succeeded", "succeeded", "looked at it")
    assert "@" in record["resolved_by"]
    assert record["commit"] == git(stage, "rev-parse", "HEAD")
    wipe(stage)
    assert (stage.run(*APPLY).code, starts(stage)) == (0, 0)


def test_an_unknown_result_that_is_to_run_again_runs_once_more_and_no_more(stage: Stage) -> None:
    make_unknown(stage)
    ended = stage.run("transfers", "resolve", "run14", "--run-again")
    assert ended.code == 0, ended.text
    assert (stage.run(*APPLY).code, starts(stage)) == (0, 1)
    assert (stage.run(*APPLY).code, starts(stage)) == (0, 1)
    assert shown(stage)["attempt"] == 2


def test_resolve_without_a_record_on_the_endpoint_removes_keys_and_decides(stage: Stage) -> None:
    assert stage.run(*APPLY, "--no-wait").code == 0
    wipe(stage)
    assert stage.run(*APPLY, "--exclude", "transfer/run14").code == 0
    ended = stage.run("transfers", "resolve", "run14", "--failed", "--reason", "host was lost")
    assert ended.code == 0, ended.text
    assert shown(stage)["state"] == "failed"
    assert (stage.run(*APPLY).code, starts(stage)) == (9, 0)


def test_resolve_refuses_what_is_not_unknown_and_what_is_not_said(stage: Stage) -> None:
    nothing = stage.run("transfers", "resolve", "run14", "--failed")
    assert (nothing.code, "was not started: there is nothing to decide" in nothing.text) == (4, True), nothing.text
    assert stage.run(*APPLY).code == 0
    known = stage.run("transfers", "resolve", "run14", "--run-again")
    assert (known.code, "is succeeded, not unknown" in known.text) == (4, True), known.text
    for words in ((), ("--failed", "--succeeded")):
        assert stage.run("transfers", "resolve", "run14", *words).code == 64
