"""The scene that most tests of the loop begin in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.small_site import CLONE, two_engines
from tests.pulling.scene import Repository, Scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A repository with session `s` on engines a and b, pushed and not yet applied."""
    monkeypatch.setenv("PYTHONPATH", f"{CLONE}:{CLONE / 'agent'}")
    repository = Repository(tmp_path)
    with two_engines(repository.work) as world:
        repository.push({})
        yield Scene(world, repository, tmp_path / "loop")
