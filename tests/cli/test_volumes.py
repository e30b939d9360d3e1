"""Volumes over NVMe-oF in lists and in the status: both ends, though the agents do not answer here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.small_site import two_engines
from tests.runtime.program import dtnctl

VOLUME = "target: {endpoint: b, device: /dev/disk/by-id/nvme-x, address: 10.20.0.12}\nfilesystem: xfs\n"
UNKNOWN = {"state": "unknown", "transport": "tcp", "portal": "", "name": "scratch"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A session on `a` mounts a disk of `b`; both agents are silent."""
    with two_engines(tmp_path):
        state = tmp_path / "state"
        for name in "ab":
            file = state / f"endpoints/{name}.yaml"
            agent = "agent: unix:///nowhere/agent.sock\nallow: {mounts: [/], volumes: ['*'], networks: ['*'], exports: [/dev]}\n"
            kept = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith("allow:")]
            file.write_text("".join(kept) + agent)
        (state / "volumes").mkdir()
        (state / "volumes/scratch.yaml").write_text(VOLUME)
        mounts = "settings: {volumes: ['nvme:scratch:/scratch']}\n"
        (state / "sessions/reader.yaml").write_text(f"endpoints: [a]\nimage: app:1\nprofile: p\n{mounts}")
        yield tmp_path


def test_both_ends_of_a_volume_are_listed_and_unknown_where_no_agent_answers(site: Path) -> None:
    ran = dtnctl(site, "volumes", "list", "-o", "json")
    target, host = json.loads(ran.out)["volumes"]
    silent = "the agent of {} does not answer"
    assert target == UNKNOWN | {
        "endpoint": "b",
        "role": "target",
        "place": "/dev/disk/by-id/nvme-x",
        "mode": "",
        "sessions": [],
        "words": silent.format("b"),
    }
    assert host == UNKNOWN | {
        "endpoint": "a",
        "role": "host",
        "place": "",
        "mode": "ro",
        "sessions": ["reader"],
        "words": silent.format("a"),
    }
    shown = dtnctl(site, "volumes", "show", "scratch", "-o", "json")
    assert json.loads(shown.out) == json.loads(ran.out)


def test_tables_and_the_status_have_them(site: Path) -> None:
    listed = dtnctl(site, "volumes", "list", "-o", "wide").out.splitlines()
    assert listed[0].split() == ["VOLUME", "ROLE", "ENDPOINT", "STATE", "TRANSPORT", "PORTAL", "MODE", "SESSIONS", "PLACE", "WORDS"]
    assert [line.split()[:4] for line in listed[1:]] == [["scratch", "target", "b", "unknown"], ["scratch", "host", "a", "unknown"]]
    status = dtnctl(site, "status").out
    assert "scratch  target  b" in status
    document = json.loads(dtnctl(site, "status", "-o", "json").out)
    assert [row["role"] for row in document["volumes"]] == ["target", "host"]


def test_one_in_full_and_one_that_is_not_there(site: Path) -> None:
    shown = dtnctl(site, "volume", "show", "scratch").out
    assert "role: target\nendpoint: b\nstate: unknown\n" in shown
    assert "role: host\nendpoint: a\n" in shown
    wrong = dtnctl(site, "volumes", "show", "scrach")
    assert (wrong.code, wrong.err.splitlines()[0]) == (64, "no volume named scrach; try `scratch`")
