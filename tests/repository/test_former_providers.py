"""Providers of paths of earlier commits: those that have a path there, with the line that brings them back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dtnctl.model.path_files import PathProvider
from dtnctl.repository.former_providers import FormerProvider, former_providers

SITE = "name: lab\npath_providers:\n  one: {kind: nsi, url: 'https://a.example.net', token: {secret: env:T}}\n  two: {kind: oess}\n"
ONE = PathProvider(kind="nsi", url="https://a.example.net/", options={"requester": "r", "aggregator": "g"})
TWO = PathProvider(kind="nsi", url="https://b.example.net", options={"requester": "r", "aggregator": "g"})
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
    git(tmp_path, "init", "-q")
    return committed(tmp_path)


def git(root: Path, *words: str) -> str:
    own = ("-c", "user.name=Test", "-c", "user.email=test@example.net", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *own, *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def committed(root: Path) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "as it is")
    return git(root, "rev-parse", "HEAD")


def test_those_that_had_a_path_and_are_gone_come_with_their_line(tmp_path: Path, commit: str) -> None:
    entry = "one: {kind: nsi, url: 'https://a.example.net', token: {secret: 'env:T'}}"
    assert former_providers(tmp_path, "state", commit, {}, NETWORKS) == (FormerProvider("one", entry, ("a2b",)),)
    assert former_providers(tmp_path, "state", commit, {"one": TWO}, NETWORKS) == ()
    assert former_providers(tmp_path, "state", commit, {}, ("lan", "far")) == ()


def test_one_that_has_another_name_now_is_not_gone(tmp_path: Path, commit: str) -> None:
    """The whole site was refused, although what the path reserved had long been released."""
    assert former_providers(tmp_path, "state", commit, {"uno": ONE}, NETWORKS) == ()
    assert [item.name for item in former_providers(tmp_path, "state", commit, {"uno": TWO}, NETWORKS)] == ["one"]


@pytest.mark.parametrize(("provider", "names"), [("uno", []), ("due", ["one"])])
def test_a_path_that_got_a_present_provider_since_is_not_lost(tmp_path: Path, commit: str, provider: str, names: list[str]) -> None:
    """Its first one was asked to release it then."""
    (tmp_path / "state/paths/a2b.yaml").write_text(f"provider: {provider}\n")
    committed(tmp_path)
    (tmp_path / "state/paths/a2b.yaml").unlink()
    committed(tmp_path)
    assert [item.name for item in former_providers(tmp_path, "state", commit, {"uno": TWO}, NETWORKS)] == names


def test_commit_or_site_that_is_not_there_or_not_readable_has_none(tmp_path: Path, commit: str) -> None:
    assert former_providers(tmp_path, "state", "0" * 40, {}, NETWORKS) == ()
    assert former_providers(tmp_path, "other", commit, {}, NETWORKS) == ()
