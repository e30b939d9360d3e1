"""Tells which commit the state files are, for the plan's header. One call of git, so that it costs nothing beside observation.

GitPython is not imported for it: that alone takes longer than the whole call; it is used where we commit (edit.py).
"""

from __future__ import annotations

import subprocess
from pathlib import Path


def describe_head(root: Path, folder: str = "state") -> str:
    """`4f2c1e9 (clean)`, `4f2c1e9 (uncommitted changes)`, or empty outside of a repository."""
    command = ["git", "-C", str(root), "status", "--porcelain=v2", "--branch", "--", folder]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = done.stdout.splitlines()
    commit = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), "")
    if done.returncode != 0 or not commit or commit == "(initial)":
        return ""
    is_dirty = any(not line.startswith("#") for line in lines)
    return f"{commit[:7]} ({'uncommitted changes' if is_dirty else 'clean'})"
