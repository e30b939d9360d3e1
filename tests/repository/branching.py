"""A state repository with branches, made of texts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.repository.state_folder import write_state


def git(root: Path, *words: str, at: int = 1_780_000_000) -> str:
    """One git command; commits are written at this time."""
    author = ("-c", "user.name=a", "-c", "user.email=a@example.net", "-c", "init.defaultBranch=main")
    dates = {"GIT_AUTHOR_DATE": f"{at} +0000", "GIT_COMMITTER_DATE": f"{at} +0000", "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", "-C", str(root), *author, *words], check=True, capture_output=True, text=True, env={**os.environ, **dates}
    )
    return done.stdout.strip()


def make_main(root: Path) -> Path:
    """A repository with the small valid site on main."""
    root.mkdir(exist_ok=True)
    git(root, "init", "--quiet")
    write_state(root)
    return commit(root, "main")


def commit(root: Path, message: str, at: int = 1_780_000_000) -> Path:
    """Commit everything that is there."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message, at=at)
    return root


def branch(root: Path, name: str, files: Mapping[str, str | None], *, at: int, start: str = "main") -> str:
    """A branch with one commit of these files; main is checked out again. Returns the commit."""
    git(root, "checkout", "--quiet", "-b", name, start)
    for path, text in files.items():
        file = root / "state" / path
        if text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    commit(root, name, at)
    git(root, "checkout", "--quiet", "main")
    return git(root, "rev-parse", name)


def pinned(address: str, endpoint: str = "a") -> str:
    """A session with this address in network `data`."""
    return f"endpoints: [{endpoint}]\nimage: dtn:1\nsettings: {{data_nets: [{{name: data, ipv4: {address}}}]}}\n"
