"""A run of files that are not the commit's is never recorded as clean, whatever Git was asked to ignore."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dtnctl.repository.git import read_head
from tests.repository.branching import commit, git

PROFILE, SESSION = "state/profiles/plain.yaml", "state/sessions/s.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with two committed state files besides site.yaml."""
    root = tmp_path / "site"
    root.mkdir()
    git(root, "init", "--quiet")
    for file, text in {"state/site.yaml": "name: small\n", PROFILE: "cpus: 1\n", SESSION: "endpoints: [a]\n"}.items():
        write(root, file, text)
    return commit(root, "first")


def write(root: Path, file: str, text: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)


@pytest.mark.parametrize("flag", ["--skip-worktree", "--assume-unchanged"])
@pytest.mark.parametrize("file", ["state/site.yaml", SESSION])
def test_changes_that_git_was_asked_to_hide_are_changes(root: Path, flag: str, file: str) -> None:
    git(root, "update-index", flag, file)
    assert not read_head(root).is_dirty, "hidden, but as committed"
    write(root, file, "changed: true\n")
    assert git(root, "status", "--porcelain") == ""
    assert read_head(root).is_dirty


def test_a_file_that_a_sparse_checkout_leaves_out_is_a_change(root: Path) -> None:
    git(root, "update-index", "--skip-worktree", SESSION)
    (root / SESSION).unlink()
    assert git(root, "status", "--porcelain") == ""
    assert read_head(root).is_dirty


def test_an_ignored_file_that_is_loaded_is_a_change(root: Path) -> None:
    write(root, ".git/info/exclude", "state/sessions/*\n")
    write(root, "state/sessions/.s.yaml.swp", "x")
    write(root, "state/sessions/README.yaml", "x")
    assert not read_head(root).is_dirty, "of what is not loaded nothing is said"
    write(root, "state/sessions/mine.yaml", "endpoints: [a]\n")
    assert git(root, "status", "--porcelain") == ""
    assert read_head(root).is_dirty


def test_an_ignored_folder_with_a_state_file_is_a_change(root: Path) -> None:
    write(root, ".git/info/exclude", "state/networks/\n")
    write(root, "state/networks/data.yaml", "driver: bridge\n")
    assert read_head(root).is_dirty


def test_a_link_is_as_good_as_the_file_that_it_leads_to(root: Path, tmp_path: Path) -> None:
    write(root, "shared/x.yaml", "endpoints: [a]\n")
    (root / "state/sessions/x.yaml").symlink_to("../../shared/x.yaml")
    commit(root, "link")
    assert not read_head(root).is_dirty
    git(root, "update-index", "--skip-worktree", "shared/x.yaml")
    write(root, "shared/x.yaml", "endpoints: [b]\n")
    assert read_head(root).is_dirty
    git(root, "update-index", "--no-skip-worktree", "shared/x.yaml")
    assert read_head(root).is_dirty, "a change that Git shows, outside of state/"
    git(root, "checkout", "--quiet", "--", "shared")
    (root / "state/sessions/x.yaml").unlink()
    (tmp_path / "x.yaml").write_text("endpoints: [a]\n")
    (root / "state/sessions/x.yaml").symlink_to(tmp_path / "x.yaml")
    commit(root, "link to what no commit has")
    assert read_head(root).is_dirty


def test_a_hidden_link_is_a_change(root: Path) -> None:
    git(root, "update-index", "--assume-unchanged", SESSION)
    (root / SESSION).unlink()
    (root / SESSION).symlink_to("../profiles/plain.yaml")
    assert read_head(root).is_dirty


@pytest.mark.parametrize("place", ["state", "state/profiles"])
def test_files_of_a_submodule_are_looked_up_there(root: Path, tmp_path: Path, place: str) -> None:
    """Git says that a submodule's hidden changes are none, as of files of its own."""
    module = tmp_path / "module"
    module.mkdir()
    git(module, "init", "--quiet")
    for path in sorted((root / place).rglob("*.yaml")):
        write(module, str(path.relative_to(root / place)), path.read_text())
    commit(module, "of the module")
    git(root, "rm", "-r", "--quiet", place)
    git(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(module), place)
    commit(root, "with a submodule")
    (file,) = (root / place).rglob("plain.yaml")
    inside = file.relative_to(root / place)
    assert not read_head(root).is_dirty
    git(root / place, "update-index", "--skip-worktree", str(inside))
    file.write_text("cpus: 16\n")  # of another size: Git takes times by the second, and these calls may all fall into one
    assert git(root, "status", "--porcelain") == ""
    assert read_head(root).is_dirty
    git(root / place, "update-index", "--no-skip-worktree", str(inside))
    git(root, "config", "diff.ignoreSubmodules", "all")
    assert read_head(root).is_dirty, "whatever a user has set"


def test_a_monitor_of_files_that_sees_nothing_is_not_believed(root: Path, tmp_path: Path) -> None:
    monitor = tmp_path / "monitor"
    monitor.write_text("#!/bin/sh\nprintf 'token\\0'\n")
    monitor.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(monitor))
    git(root, "status")
    write(root, SESSION, "endpoints: [b, c]\n")
    os.utime(root / SESSION, (0, 0))
    assert read_head(root).is_dirty


def test_where_git_cannot_say_the_files_count_as_changed(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = git(root, "--exec-path")
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase "$*" in *ls-files*) exit 128;; esac\nexec {real}/git "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    assert read_head(root).is_dirty
