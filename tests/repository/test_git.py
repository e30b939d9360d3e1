"""What the plan's head says of Git: commit, branch, changes that are not committed, and why there is no commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dtnctl.model.head import Head
from dtnctl.repository.git import read_head


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
