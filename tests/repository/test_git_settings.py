"""What a user has set in Git's configuration changes nothing of what is read from Git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dtnctl.repository.branches import compare, find_base
from dtnctl.repository.git import read_head
from dtnctl.repository.git_objects import run_git
from dtnctl.repository.state_at import read_commit
from tests.repository.branching import git, make_main
from tests.repository.test_branches import NOW

SETTINGS = """
[log]
    showSignature = true
    follow = true
[color]
    ui = always
[core]
    quotePath = false
[i18n]
    logOutputEncoding = ISO-8859-1
[status]
    showUntrackedFiles = no
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of signed commits, whose user wants to see much of Git."""
    root = make_main(tmp_path / "state")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    for name, value in {"gpg.format": "ssh", "commit.gpgsign": "true", "user.signingkey": str(tmp_path / "key")}.items():
        git(root, "config", name, value)
    git(root, "commit", "--quiet", "--allow-empty", "--message", "größer")
    git(root, "checkout", "--quiet", "-b", "other")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "other")
    (tmp_path / "gitconfig").write_text(SETTINGS)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    return root


def test_a_commit_is_read_as_it_is(root: Path) -> None:
    assert "allowedSigners" in subprocess.run(["git", "-C", str(root), "log", "-1"], capture_output=True, text=True, check=True).stderr
    read = read_commit(root, "main")
    assert (read.id, read.subject) == (git(root, "rev-parse", "main"), "größer")


def test_branches_are_compared(root: Path) -> None:
    compared = compare(root, "state", find_base(root, "main", {}), NOW, 1e9, {}, None)
    assert compared.base.commit == git(root, "rev-parse", "main")
    assert compared.subject == "branch other"


def test_a_file_that_is_not_committed_is_seen(root: Path) -> None:
    (root / "state" / "new.yaml").write_text("{}")
    assert read_head(root).is_dirty


def test_output_has_no_colours(root: Path) -> None:
    assert "\033" not in run_git(root, "log", "--oneline", "--decorate", "main")
