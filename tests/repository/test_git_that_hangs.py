"""A git that neither answers nor ends holds dtnctl up for a bounded time only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dtnctl.repository.git_objects import GitObjects, GitReadError
from tests.repository.branching import git, make_main

HANGING = "exec tail -f /dev/null"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_main(tmp_path / "site")


def put_in_place(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """A program `git` that does this and leaves its process id in git.pid."""
    program = folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $$ >{folder}/git.pid\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def has_ended(folder: Path) -> bool:
    return not Path(f"/proc/{(folder / 'git.pid').read_text().strip()}").exists()


@pytest.mark.parametrize(
    "script",
    [HANGING, f"read name; {HANGING}", f"read name; printf 'abc blob 5\\nab'; {HANGING}", f"read name; printf 'abc bl'; {HANGING}"],
    ids=["at once", "after the question", "within a file", "within a line"],
)
def test_objects_are_not_waited_for_for_ever(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    put_in_place(monkeypatch, tmp_path, script)
    with GitObjects(root, seconds=0.5) as objects, pytest.raises(GitReadError, match="git cat-file does not answer"):
        objects.read("HEAD:state/site.yaml")
    assert has_ended(tmp_path)


def test_a_git_that_does_not_end_is_ended(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_place(monkeypatch, tmp_path, f"read name; printf 'abc missing\\n'; {HANGING}")
    with GitObjects(root, seconds=0.5) as objects:
        assert objects.read("HEAD:state/none.yaml") is None
    assert has_ended(tmp_path)


def test_objects_come_whole_whatever_their_size(root: Path) -> None:
    large = os.urandom(3 << 20)
    (root / "large").write_bytes(large)
    name = git(root, "hash-object", "-w", "large")
    with GitObjects(root) as objects:
        assert objects.read_small(name, 10) == (len(large), large[:10])
        assert objects.read(name) == (name, "blob", large)
        assert objects.folder("HEAD:state")
