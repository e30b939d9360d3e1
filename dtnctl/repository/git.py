"""Git: which commit the state files are, for the plan's head, and a commit of one edited file.

Which commit is asked by two calls of git, beside observation; GitPython is imported where we commit alone: that takes longer than both.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dtnctl.errors import UsageError
from dtnctl.model.head import Head
from dtnctl.repository.git_program import ORIGINAL_OBJECTS, git_command, git_environment
from dtnctl.repository.unseen_changes import has_unseen_changes

if TYPE_CHECKING:
    import git

DETACHED = "(detached)"
NO_COMMIT = "(initial)"
HEADER = "# branch."  # all three: git-status(1), "Porcelain Format Version 2"


def read_head(root: Path, folder: str = "state") -> Head:
    """The commit, its branch, and whether files in the folder differ from it or are not in it, also such that Git was asked to ignore."""
    command = git_command(root, "status", "--porcelain=v2", "--branch", "--ignore-submodules=none", "--", folder)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10, env=git_environment())
    except FileNotFoundError:
        return Head(absence="no_git")
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return Head(absence="unreadable")
    if done.returncode != 0:
        return Head(absence="no_repository" if "not a git repository" in done.stderr else "unreadable")
    lines = done.stdout.splitlines()
    said = dict(line.removeprefix(HEADER).partition(" ")[::2] for line in lines if line.startswith(HEADER))
    commit, branch = said.get("oid", NO_COMMIT), said.get("head", DETACHED)
    if commit == NO_COMMIT:
        return Head(absence="no_commit")
    is_dirty = any(not line.startswith("#") for line in lines) or _has_unseen_changes(root, folder)
    return Head(commit, "" if branch == DETACHED else branch, is_dirty=is_dirty)


def _has_unseen_changes(root: Path, folder: str) -> bool:
    """Yes also where Git cannot say: what is recorded as a commit's must be the commit's."""
    try:
        return has_unseen_changes(root, folder)
    except (OSError, subprocess.SubprocessError, ValueError):
        return True


def commit_files(root: Path, files: Sequence[str], message: str) -> str:
    """Commits exactly these files, written or removed, and nothing else; returns the commit's short id. UsageError if git refuses.

    Without a deadline: hooks run, and a person may be asked for the passphrase of a key.
    """
    import git

    file = ", ".join(files)
    try:
        repository = git.Repo(root, search_parent_directories=True)
        repository.git.update_environment(**ORIGINAL_OBJECTS)
        new = [name for name in files if not repository.git.ls_files("--", str(root / name))]
        for name in new:
            if not (root / name).exists():
                raise UsageError(f"{name} was never committed, so its removal cannot be committed")
        with _known_to_git(repository, [str(root / name) for name in new]):
            repository.git.commit("--quiet", "--message", message, "--only", "--", *(str(root / name) for name in files))
        return str(repository.git.rev_parse("--short", "HEAD"))
    except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
        raise UsageError(f"{file} is written, but not committed: {root} is in no git repository") from error
    except git.GitCommandError as error:
        reason = str(error.stderr or error.stdout).strip().removeprefix("stderr: ").strip("'\n ") or "git gives no reason"
        raise UsageError(f"{file} is written, but not committed: {reason}") from error


@contextlib.contextmanager
def _known_to_git(repository: git.Repo, paths: Sequence[str]) -> Iterator[None]:
    """New files, so that `commit --only` takes them; after a failure the index has them no more: the next commit of a person would."""
    try:
        if paths:
            repository.git.add("--intent-to-add", "--", *paths)
        yield
    except BaseException:
        if paths:
            repository.git.reset("--quiet", "--", *paths)
        raise
