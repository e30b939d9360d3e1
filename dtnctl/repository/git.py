"""Asks Git which commit the state files are, for the plan's head. One call of git, so that it costs nothing beside observation.

GitPython is not imported for it: that alone takes longer than the whole call; it is used where we commit (edit.py).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from dtnctl.model.head import Head

DETACHED = "(detached)"
NO_COMMIT = "(initial)"
HEADER = "# branch."  # all three: git-status(1), "Porcelain Format Version 2"


def read_head(root: Path, folder: str = "state") -> Head:
    """The commit, its branch, and whether files in the folder differ from it or are not in it."""
    command = ["git", "-C", str(root), "status", "--porcelain=v2", "--branch", "--", folder]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10, env={**os.environ, "LC_ALL": "C"})
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
    return Head(commit, "" if branch == DETACHED else branch, is_dirty=any(not line.startswith("#") for line in lines))
