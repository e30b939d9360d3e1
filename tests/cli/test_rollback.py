"""`dtnctl rollback` and `dtnctl show`: what a commit changed, and the way back to one that was good."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.small_site import run, two_engines
from tests.cli.test_history import commit, git

SESSION = "state/sessions/s.yaml"
GOOD = "endpoints: [a, b]\nimage: app:1\nprofile: p\n"
BAD = "endpoints: [a, b]\nimage: missing:1\nprofile: p\n"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A session that was applied well, and then changed to one that cannot be."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "config", "user.name", "alice")
    git(tmp_path, "config", "user.email", "alice@localhost")
    (tmp_path / ".gitignore").write_text("*.sock\n")
    with two_engines(tmp_path):
        commit(tmp_path)
        assert run(tmp_path, "apply", "--yes").returncode == 0
        (tmp_path / SESSION).write_text(BAD)
        commit(tmp_path)
        assert run(tmp_path, "apply", "--yes").returncode != 0
        yield tmp_path


def test_a_session_goes_back_to_the_last_commit_that_was_good_for_it(root: Path) -> None:
    good = git(root, "rev-parse", "HEAD~1")
    shown = run(root, "rollback", "s")
    assert shown.returncode == 0, shown.stderr
    assert f"--write would write {SESSION} as it was at {good[:7]}; --commit would commit it, too" in shown.stderr
    assert (root / SESSION).read_text() == BAD
    assert "No changes" in shown.stdout, "what was good still runs"
    done = run(root, "rollback", "s", "--commit")
    assert done.returncode == 0, done.stderr
    assert (root / SESSION).read_text() == GOOD
    assert git(root, "log", "-1", "--format=%s", "--name-only").splitlines() == [f"rollback s to {good[:7]}", "", SESSION]
    assert git(root, "status", "--porcelain") == ""
    assert run(root, "apply", "--yes").returncode == 0
    again = run(root, "rollback", "s", "--to", good)
    assert f"session s is as it was at {good[:7]}: there is nothing to write" in again.stderr


def test_the_plan_is_that_of_the_revert_and_engines_are_not_changed(root: Path) -> None:
    (root / SESSION).unlink()
    commit(root)
    assert run(root, "apply", "--yes").returncode == 0
    shown = run(root, "rollback", "s", "--write")
    assert shown.returncode == 0, shown.stderr
    assert (root / SESSION).read_text() == GOOD, "it was deleted meanwhile"
    assert "2 changes" in shown.stdout
    assert "create" in shown.stdout
    assert git(root, "status", "--porcelain", "--untracked-files=all") == f"?? {SESSION}"
    assert '"standing": []' in run(root, "history", "-o", "json").stdout


def test_what_the_session_used_and_is_another_one_now_must_be_decided(root: Path) -> None:
    profile = root / "state/profiles/p.yaml"
    before = profile.read_text()
    profile.write_text(before + "memory: 1GiB\n")
    commit(root)
    shown = run(root, "rollback", "s", "--dry-run")
    assert f"state/profiles/p.yaml:3: profile/p is not as session s used it at {git(root, 'rev-parse', 'HEAD~2')[:7]}" in shown.stderr
    asked = run(root, "rollback", "s", "--write")
    assert asked.returncode == 64
    assert "say what becomes of profile/p: `--also all` (or one of them) takes it back, too; `--alone` leaves it" in asked.stderr
    assert (root / SESSION).read_text() == BAD
    assert run(root, "rollback", "s", "--write", "--also", "profile/q").returncode == 64
    assert run(root, "rollback", "s", "--write", "--also", "all", "--alone").returncode == 64
    assert run(root, "rollback", "s", "--write", "--alone").returncode == 0
    assert profile.read_text() != before
    git(root, "checkout", "--", SESSION)
    both = run(root, "rollback", "s", "--commit", "--also", "profile/p", "-m", "back")
    assert both.returncode == 0, both.stderr
    assert (profile.read_text(), (root / SESSION).read_text()) == (before, GOOD)
    assert git(root, "log", "-1", "--format=%s", "--name-only").splitlines()[2:] == ["state/profiles/p.yaml", SESSION]


def test_what_would_be_lost_or_not_valid_is_refused_with_its_place(root: Path) -> None:
    (root / SESSION).write_text(BAD + "state: stopped\n")
    dirty = run(root, "rollback", "s", "--write")
    assert dirty.returncode == 64
    assert f"{SESSION}:1: has changes that are not committed, which would be lost" in dirty.stderr
    git(root, "checkout", "--", SESSION)
    git(root, "mv", "state/profiles/p.yaml", "state/profiles/q.yaml")
    (root / SESSION).write_text(BAD.replace("profile: p", "profile: q"))
    commit(root)
    alone = run(root, "rollback", "s", "--write", "--alone")
    assert alone.returncode == 65
    assert f"{SESSION}:3" in alone.stderr
    assert "`--also all` takes them back, too" in alone.stderr
    assert "profile: q" in (root / SESSION).read_text()
    assert run(root, "rollback", "s", "--write", "--also", "all").returncode == 0
    assert (root / "state/profiles/p.yaml").exists()


def test_what_git_status_hides_is_not_overwritten(root: Path) -> None:
    text = BAD + "state: stopped\n"
    for option in ("--skip-worktree", "--assume-unchanged"):
        git(root, "update-index", option, SESSION)
        (root / SESSION).write_text(text)
        for command in ("--write", "--commit"):
            refused = run(root, "rollback", "s", command)
            assert refused.returncode == 64
            assert f"{SESSION}:1: is not as HEAD has it, which `git status` does not show" in refused.stderr
        assert (root / SESSION).read_text() == text
        git(root, "update-index", option.replace("--", "--no-"), SESSION)
        git(root, "checkout", "--", SESSION)
    (root / ".gitignore").write_text(f"*.sock\n{SESSION}\n")
    git(root, "rm", "--quiet", "--cached", SESSION)
    commit(root)
    assert git(root, "status", "--porcelain") == ""
    ignored = run(root, "rollback", "s", "--to", "HEAD~2", "--write")
    assert ignored.returncode == 64
    assert f"{SESSION}:1: is not as HEAD has it" in ignored.stderr
    assert (root / SESSION).read_text() == BAD


def test_a_commit_whose_session_was_suspended_is_not_gone_back_to(root: Path) -> None:
    good = git(root, "rev-parse", "HEAD~1")
    (root / SESSION).write_text(GOOD + "suspend: true\nsettings: {env: {A: b}}\n")
    commit(root)
    assert run(root, "apply", "--yes").returncode == 0
    (root / SESSION).write_text(BAD)
    commit(root)
    shown = run(root, "rollback", "s", "--write")
    assert f"wrote {SESSION} as it was at {good[:7]}" in shown.stderr
    assert (root / SESSION).read_text() == GOOD


def test_a_file_in_the_middle_of_a_merge_is_refused(root: Path) -> None:
    git(root, "checkout", "--quiet", "-b", "other", "HEAD~1")
    (root / SESSION).write_text("endpoints: [a, b]\nimage: app:1\nprofile: p\nuser: x\n")
    commit(root)
    good = git(root, "rev-parse", "HEAD")
    (root / SESSION).write_text("endpoints: [a, b]\nimage: app:3\nprofile: p\n")
    commit(root)
    merged = subprocess.run(["git", "-C", str(root), "merge", "main"], capture_output=True, check=False)
    assert merged.returncode != 0
    text = (root / SESSION).read_text()
    refused = run(root, "rollback", "s", "--to", good, "--write")
    assert refused.returncode == 65
    assert f"{SESSION}:3:1: E0105" in refused.stderr
    assert (root / SESSION).read_text() == text
    (root / SESSION).write_text(BAD)
    refused = run(root, "rollback", "s", "--to", good, "--write")
    assert refused.returncode == 64
    assert f"{SESSION}:1: is in the middle of a merge; resolve it first" in refused.stderr
    assert (root / SESSION).read_text() == BAD


def test_a_session_that_did_not_exist_and_a_commit_that_does_not_are_said(root: Path) -> None:
    (root / "state/sessions/late.yaml").write_text(GOOD)
    late = commit(root)
    early = run(root, "rollback", "late", "--to", "HEAD~1")
    assert early.returncode == 64
    assert f"session late is not declared at {git(root, 'rev-parse', 'HEAD~1')[:7]}; its file was added by {late[:7]}" in early.stderr
    assert "there is no commit nothing in this repository" in run(root, "rollback", "late", "--to", "nothing").stderr
    none = run(root, "rollback", "late")
    assert none.returncode == 64
    assert "no earlier applied commit to take session late back to" in none.stderr
    assert "no commit of this branch has its file" in run(root, "rollback", "never", "--to", "HEAD").stderr
    assert run(root, "rollback", "s", "--dry-run", "--write").returncode == 64


def test_show_names_what_a_commit_changed_and_the_runs_that_applied_it(root: Path) -> None:
    shown = run(root, "show")
    assert shown.returncode == 0, shown.stderr
    assert "2 objects declared otherwise than in its parent: update 2" in shown.stdout
    assert "update service s @ a" in shown.stdout
    assert "image: app:1 → missing:1" in shown.stdout
    assert f"{SESSION}:2" in shown.stdout
    document = json.loads(run(root, "show", "HEAD~1", "-o", "json").stdout)
    assert (document["kind"], document["later"], len(document["runs"])) == ("commit", False, 1)
    assert {item["mark"] for item in document["changes"]} == {"create"}
    (root / "README").write_text("words\n")
    commit(root)
    words = run(root, "show").stdout
    assert "changes nothing that the state declares" in words
    assert "no recorded run applied it" in words


def test_show_of_a_commit_that_was_not_applied_by_itself_names_the_first_run_that_contains_it(root: Path) -> None:
    (root / SESSION).write_text(GOOD)
    commit(root)
    (root / "state/profiles/p.yaml").write_text("pull: never\nctrl_port_range: [30000, 30009]\nmemory: 1GiB\n")
    commit(root)
    assert run(root, "apply", "--yes").returncode == 0
    assert "no run applied it by itself; the first one of a commit that contains it:" in run(root, "show", "HEAD~1").stdout
