"""What the plan's head says of Git: commit, branch, changes that are not committed, and why there is no commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dtnctl.errors import UsageError
from dtnctl.model.head import Head
from dtnctl.repository.git import commit_files, read_head


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit on branch main, with a state file."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state/site.yaml").write_text("name: small\n")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def git(root: Path, *words: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@example.net")
    return subprocess.run(["git", "-C", str(root), *author, *words], check=True, capture_output=True, text=True).stdout.strip()


def test_commit_and_branch_are_said(root: Path) -> None:
    commit = git(root, "rev-parse", "HEAD")
    assert read_head(root) == Head(commit, "main")
    assert read_head(root).text == f"HEAD {commit[:7]} on main (clean)"


def test_detached_head_is_said(root: Path) -> None:
    git(root, "checkout", "--quiet", "--detach")
    assert read_head(root).text == f"HEAD {git(root, 'rev-parse', 'HEAD')[:7]} detached (clean)"


@pytest.mark.parametrize("file", ["site.yaml", "new.yaml"])
def test_changed_and_new_state_files_are_said(root: Path, file: str) -> None:
    (root / "state" / file).write_text("name: other\n")
    assert read_head(root).text.endswith(" on main (uncommitted changes)")


def test_files_outside_of_the_state_are_no_changes(root: Path) -> None:
    (root / "notes.txt").write_text("x\n")
    assert not read_head(root).is_dirty


def test_missing_repository_and_commit_are_said(tmp_path: Path) -> None:
    assert read_head(tmp_path).text == "no Git repository"
    git(tmp_path, "init", "--quiet")
    assert read_head(tmp_path).text == "no Git commit yet"


def test_repository_that_git_cannot_read_is_said(root: Path) -> None:
    (root / ".git/config").write_text("[core\n")
    assert read_head(root).text == "Git cannot read this repository"


def test_missing_git_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    assert read_head(root).text == "git is not installed"


def test_head_that_was_not_asked_for_says_nothing() -> None:
    assert Head().text == ""


# --- commits ------------------------------------------------------------------------------------------------


@pytest.fixture
def refusing(root: Path) -> Path:
    """The repository with a hook that refuses every commit."""
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    return root


def test_a_refused_commit_leaves_nothing_in_the_index(refusing: Path) -> None:
    changed, new = refusing / "state/site.yaml", refusing / "state/new.yaml"
    changed.write_text("name: other\n")
    new.write_text("name: new\n")
    with pytest.raises(UsageError, match="written, but not committed: not today"):
        commit_files(refusing, ["state/site.yaml", "state/new.yaml"], "both")
    assert git(refusing, "status", "--porcelain").split() == ["M", "state/site.yaml", "??", "state/new.yaml"]
    assert git(refusing, "diff", "--cached", "--name-only") == ""
    assert (changed.read_text(), new.read_text()) == ("name: other\n", "name: new\n")


def test_what_somebody_had_staged_stays_staged_where_the_commit_is_refused(refusing: Path) -> None:
    file = refusing / "state/site.yaml"
    file.write_text("name: staged\n")
    git(refusing, "add", "state/site.yaml")
    file.write_text("name: other\n")
    with pytest.raises(UsageError):
        commit_files(refusing, ["state/site.yaml"], "other")
    assert git(refusing, "show", ":state/site.yaml") == "name: staged"


def test_a_first_commit_that_is_refused_leaves_an_empty_index(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "core.hooksPath", "hooks")
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "hooks/pre-commit").chmod(0o755)
    (tmp_path / "new.yaml").write_text("name: new\n")
    with pytest.raises(UsageError):
        commit_files(tmp_path, ["new.yaml"], "first")
    assert git(tmp_path, "ls-files") == ""


def test_new_changed_and_removed_files_are_one_commit_and_nothing_else_is(root: Path) -> None:
    for name in ("gone", "other"):
        (root / f"state/{name}.yaml").write_text(f"name: {name}\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "more")
    git(root, "config", "user.name", "ann")
    git(root, "config", "user.email", "ann@example.net")
    (root / "state/gone.yaml").unlink()
    (root / "state/other.yaml").write_text("name: of others\n")
    (root / "state/new.yaml").write_text("name: new\n")
    commit_id = commit_files(root, ["state/gone.yaml", "state/new.yaml"], "both")
    assert git(root, "show", "--name-status", "--format=", commit_id).split() == ["D", "state/gone.yaml", "A", "state/new.yaml"]
    assert git(root, "show", "HEAD:state/new.yaml") == "name: new"
    assert git(root, "status", "--porcelain") == "M state/other.yaml"
