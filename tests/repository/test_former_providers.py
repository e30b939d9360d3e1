"""Providers of paths of earlier commits: those that have a path there, with the line that brings them back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dtnctl.repository.former_providers import FormerProvider, former_providers

SITE = "name: lab\npath_providers:\n  one: {kind: nsi, url: 'https://a.example.net', token: {secret: env:T}}\n  two: {kind: oess}\n"
NETWORKS = ("far", "lan", "other", "wan")


@pytest.fixture
def commit(tmp_path: Path) -> str:
    (tmp_path / "state/paths").mkdir(parents=True)
    (tmp_path / "state/site.yaml").write_text(SITE)
    (tmp_path / "state/paths/a2b.yaml").write_text("provider: one\n")
    (tmp_path / "state/paths/torn.yaml").write_text("provider: [one\n")
    (tmp_path / "state/networks").mkdir()
    for name, path in (("wan", "a2b"), ("lan", "torn"), ("far", "nowhere")):
        (tmp_path / f"state/networks/{name}.yaml").write_text(f"path: {path}\n")
    own = ("-c", "user.name=Test", "-c", "user.email=test@example.net", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "one")):
        subprocess.run(["git", *own, *words], cwd=tmp_path, check=True, capture_output=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()


def test_those_that_had_a_path_and_are_gone_come_with_their_line(tmp_path: Path, commit: str) -> None:
    entry = "one: {kind: nsi, url: 'https://a.example.net', token: {secret: 'env:T'}}"
    assert former_providers(tmp_path, "state", commit, (), NETWORKS) == (FormerProvider("one", entry, ("a2b",)),)
    assert former_providers(tmp_path, "state", commit, ("one",), NETWORKS) == ()
    assert former_providers(tmp_path, "state", commit, (), ("lan", "far")) == ()


def test_commit_or_site_that_is_not_there_or_not_readable_has_none(tmp_path: Path, commit: str) -> None:
    assert former_providers(tmp_path, "state", "0" * 40, (), NETWORKS) == ()
    assert former_providers(tmp_path, "other", commit, (), NETWORKS) == ()
