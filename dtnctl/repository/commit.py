"""Commits one edited file with GitPython, and nothing else that is staged or changed."""

from __future__ import annotations

from pathlib import Path

from dtnctl.errors import UsageError


def commit_file(root: Path, file: str, message: str) -> str:
    """Commits exactly this file, written or removed; returns the short id of the commit. Raises UsageError if git refuses."""
    import git

    try:
        repository = git.Repo(root, search_parent_directories=True)
        path = str(root / file)
        is_known = bool(repository.git.ls_files("--", path)) or (root / file).exists()
        if not is_known:
            raise UsageError(f"{file} was never committed, so its removal cannot be")
        repository.git.add("--", path)
        repository.git.commit("--quiet", "--message", message, "--only", "--", path)
        return str(repository.git.rev_parse("--short", "HEAD"))
    except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
        raise UsageError(f"{file} is written, but not committed: {root} is in no git repository") from error
    except git.GitCommandError as error:
        reason = str(error.stderr or error.stdout).strip().removeprefix("stderr: ").strip("'\n ") or "git gives no reason"
        raise UsageError(f"{file} is written, but not committed: {reason}") from error
