"""`dtnctl check` as the shell sees it, on a repository with branches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.repository.branching import branch, git, make_main, pinned
from tests.runtime.program import dtnctl

BEGIN = 1_780_000_000
AGE = ("--max-age", "9000d")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two branches that pin one address; main is checked out."""
    for name in ("GITHUB_REF", "GITHUB_BASE_REF", "CI_MERGE_REQUEST_IID", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        monkeypatch.delenv(name, raising=False)
    made = make_main(tmp_path / "site")
    branch(made, "run14", {"sessions/run14.yaml": pinned("10.0.0.64")}, at=BEGIN)
    branch(made, "run15", {"sessions/run15.yaml": pinned("10.0.0.64", "b")}, at=BEGIN + 60)
    return made


def test_the_later_branch_is_blocked_with_the_name_of_the_earlier_one(root: Path) -> None:
    git(root, "checkout", "--quiet", "run15")
    done = dtnctl(root, "check", "--all-refs", *AGE)
    assert done.code == 4
    assert "branch run14 claimed it first: session run14 on a (state/sessions/run14.yaml:3)" in done.out
    assert "try 10.0.0.65 or 10.0.0.66 for `data_nets`" in done.out
    assert done.err == "1 collision, of session run15\ndtnctl: blocked (4)\n"


def test_the_earlier_branch_passes_and_is_informed(root: Path) -> None:
    git(root, "checkout", "--quiet", "run14")
    (root / "state/sessions/s.yaml").write_text("endpoints: [a]\nimage: dtn:2\n")
    done = dtnctl(root, "check", "--all-refs", *AGE)
    assert (done.code, done.err) == (0, "note: changes that are not committed are not looked at\n")
    assert "branch run15 claims it, too, later" in done.out


def test_json_is_one_document_also_where_something_is_blocked(root: Path) -> None:
    done = dtnctl(root, "check", "--all-refs", "-o", "json", "--base", "main", *AGE)
    assert done.code == 4
    document = json.loads(done.out)
    assert (document["kind"], document["summary"]["blocking"], document["subject"]) == ("check", 1, "")
    assert document["collisions"][0]["free"] == ["10.0.0.65", "10.0.0.66"]


def test_the_result_is_written_to_a_file_by_its_ending(root: Path) -> None:
    for name, start in (("a.md", "<!-- dtnctl:check"), ("a.json", "{"), ("a.txt", "VERDICT")):
        assert dtnctl(root, "check", "--all-refs", "-o", "markdown", "--out", name, *AGE).code == 4
        assert (root / name).read_text().startswith(start)


def test_without_all_refs_it_is_said_what_to_type(root: Path) -> None:
    done = dtnctl(root, "check")
    assert done.code == 64
    assert "`dtnctl check --all-refs`" in done.err


def test_owners_block_what_others_changed(root: Path) -> None:
    (root / "state/site.yaml").write_text("name: lab\nowners:\n  rules: [{paths: [/state/sessions/], people: [ann@example.net]}]\n")
    git(root, "commit", "--quiet", "--all", "--message", "owners")
    git(root, "checkout", "--quiet", "-b", "run16")
    assert dtnctl(root, "check", "--owners", "main..HEAD").out.startswith("VERDICT  every file was changed by its owners · 0 commits")
    (root / "state/sessions/run16.yaml").write_text(pinned("10.0.0.65"))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "a session | for <b>me</b>")
    done = dtnctl(root, "check", "--owners", "main..HEAD", "--out", "found.json")
    assert (done.code, done.err) == (4, "1 change of files by others than their owners\ndtnctl: blocked (4)\n")
    short = git(root, "rev-parse", "--short=7", "HEAD")
    assert done.out.splitlines()[3:] == [
        "✖ state/sessions/run16.yaml",
        f"    by a@example.net in {short}: a session | for <b>me</b>",
        "    its owners are ann@example.net (state/site.yaml:3); try a commit of one of them",
    ]
    document = json.loads((root / "found.json").read_text())
    assert (document["kind"], document["summary"]) == ("owners", {"commits": 1, "rules": 1, "trespasses": 1})
    comment = dtnctl(root, "check", "--owners", "main..HEAD", "-o", "markdown").out
    assert f"`{short} a session `&#124;` for <b>me</b>`" in comment
    assert json.loads(dtnctl(root, "check", "--owners", "main..HEAD", "-o", "json").out) == document


def test_rules_that_match_no_file_are_named(root: Path) -> None:
    (root / "state/site.yaml").write_text("name: lab\nowners:\n  rules: [{paths: [/state/sesions/], people: [ann@example.net]}]\n")
    git(root, "commit", "--quiet", "--all", "--message", "owners")
    note = "/state/sesions/ (state/site.yaml:3) matches no file"
    assert f"NOTE     {note}\n" in dtnctl(root, "check", "--owners", "main..HEAD").out
    assert "- `/state/sesions/` (`state/site.yaml:3`) matches no file" in dtnctl(root, "check", "--owners", "main..", "-o", "markdown").out


def test_one_thing_is_checked_at_a_time(root: Path) -> None:
    assert dtnctl(root, "check", "--owners", "main..HEAD", "--all-refs").code == 64
    done = dtnctl(root, "check", "--owners", "main..HEAD")
    assert (done.code, "has no rules of owners, so nothing was checked" in done.out) == (0, True)
