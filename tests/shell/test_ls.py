"""`dtnctl ls` on two engines: the tree as a plain command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.small_site import run, two_engines
from tests.repository.branching import commit, git


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    with two_engines(tmp_path / "site"):
        git(tmp_path / "site", "init", "--quiet")
        commit(tmp_path / "site", "first")
        yield tmp_path / "site"


def listed(site: Path, *words: str, code: int = 0) -> str:
    ran = run(site, "ls", *words, XDG_STATE_HOME=str(site.parent / "home"))
    assert ran.returncode == code, ran.stderr
    return ran.stdout if code == 0 else ran.stderr


def test_the_root_names_the_folders_and_asks_no_endpoint(site: Path) -> None:
    assert listed(site).split() == [
        "active/",
        "sessions/",
        "transfers/",
        "endpoints/",
        "volumes/",
        "paths/",
        "networks/",
        "profiles/",
        "tools/",
    ]


def test_sessions_are_seen_as_they_live(site: Path) -> None:
    assert listed(site, "active") == "1: ABSENT       (['a', 'b'], app:1)  s, declared started\n"
    assert run(site, "apply", "--yes").returncode == 0
    assert listed(site, "active") == "1: STARTED      (['a', 'b'], app:1)  s\n"
    assert listed(site, "active/1/user") == "a\n"
    assert listed(site, "/active/s/services/") == "a/\nb/\n"
    fields = listed(site, "active/1/services/a").splitlines()
    assert {"container_name: small.s", "ctrl_port: 30000", "state: running", "image: app:1", "profile: p"} <= set(fields)
    assert "network: bridge\n" in listed(site, "active/1/services/a/docker_kwargs")


def test_a_silent_endpoint_is_unknown_and_not_absent(site: Path) -> None:
    (site / "state/endpoints/b.yaml").write_text("docker: unix:///nowhere/none.sock\nhost: b\n")
    assert listed(site, "active") == "1: UNKNOWN      (['a', 'b'], app:1)  s\n" or "MIXED" in listed(site, "active")
    assert "state: silent" in listed(site, "endpoints/b")


def test_programs_get_one_document_also_of_an_error(site: Path) -> None:
    document = json.loads(listed(site, "active", "-o", "json"))
    assert [(item["number"], item["name"]) for item in document["entries"]] == [(1, "s")]
    ran = run(site, "ls", "active/2", "-o", "json", XDG_STATE_HOME=str(site.parent / "home"))
    assert ran.returncode == 64
    assert json.loads(ran.stdout)["kind"] == "error"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("actve", "there is no actve in /; try `active`"),
        ("active/7", "there is no 7 in /active; try `1`"),
        ("active/1/state/x", "/active/1/state is a field and has nothing below it"),
    ],
)
def test_a_path_that_names_nothing_is_a_usage_error(site: Path, path: str, message: str) -> None:
    assert message in listed(site, path, code=64)


def test_a_number_stays_when_the_session_before_it_goes(site: Path) -> None:
    (site / "state/sessions/second.yaml").write_text("endpoints: [a]\nimage: app:1\nprofile: p\n")
    assert "2: ABSENT" in listed(site, "active")
    (site / "state/sessions/s.yaml").unlink()
    assert listed(site, "active").startswith("2: ABSENT       (['a'], app:1)  second")


def test_networks_and_tools_are_there_though_no_endpoint_answers(site: Path) -> None:
    for name in "ab":
        (site / f"state/endpoints/{name}.yaml").write_text("docker: unix:///nowhere/none.sock\nhost: b\n")
    assert "gridftp/" in listed(site, "tools")
    assert "moves: files" in listed(site, "tools/gridftp")
    assert listed(site, "profiles") == "p/\n"
