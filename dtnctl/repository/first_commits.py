"""Which state files of a kind there have ever been, in the order in which a branch got them: the numbers of sessions and transfers.

The first parents of HEAD are followed: what is merged counts as of its merge, so the order of a branch that others merge into only grows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from dtnctl.errors import DtnctlError
from dtnctl.repository.git_objects import run_git
from dtnctl.repository.load import SUFFIXES, name_problem_of

COMMIT = "commit "


@dataclass(frozen=True, slots=True)
class FirstCommit:
    """The commit that brought a state file first, and who wrote it."""

    name: str
    commit: str
    author: str


def first_commits(root: Path, folder: str, kinds: Sequence[str]) -> Mapping[str, tuple[FirstCommit, ...]]:
    """Of each kind the files, the oldest first; those of one commit by name. Nothing without Git or a commit."""
    try:
        return _first_commits(root, folder, tuple(kinds), run_git(root, "rev-parse", "--verify", "HEAD"))
    except DtnctlError:
        return dict.fromkeys(kinds, ())


@lru_cache(maxsize=8)
def _first_commits(root: Path, folder: str, kinds: tuple[str, ...], head: str) -> Mapping[str, tuple[FirstCommit, ...]]:
    """Those of a commit never change; a long history takes a second, and a shell asks again and again."""
    places = [f"{folder}/{kind}" for kind in kinds]
    words = ("log", "--first-parent", "-m", "--reverse", "--diff-filter=A", "--no-renames", "--name-only", "--relative")
    text = run_git(root, *words, f"--format={COMMIT}%h %an", head, "--", *places)
    found: dict[str, dict[str, FirstCommit]] = {kind: {} for kind in kinds}
    for item, path in _added(text):
        kind, stem = path.parent.name, path.stem
        is_file_of_kind = str(path.parent) in places and path.suffix in SUFFIXES and name_problem_of(stem) is None
        if is_file_of_kind and stem not in found[kind]:
            found[kind][stem] = FirstCommit(stem, *item)
    return {kind: tuple(items.values()) for kind, items in found.items()}


def _added(text: str) -> Iterator[tuple[tuple[str, str], PurePosixPath]]:
    """((commit, author), path) of each file that was added."""
    commit, author = "", ""
    for line in text.splitlines():
        if line.startswith(COMMIT):
            commit, _, author = line.removeprefix(COMMIT).partition(" ")
        elif line:
            yield (commit, author), PurePosixPath(line)
