"""Branches that mount one volume over NVMe-oF: one host writes, or any number read."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.branches import Claim, ClaimsReport, Resource
from tests.planning.branches.scene import check, declared, lines
from tests.planning.dtns import session
from tests.planning.host.volume_lab import RAW, lab

BASE = declared(lab())
FIX = "try `mode: ro` for all of them, a volume for each, or one endpoint"


def report(first: str, second: str, *, endpoints: str = "ac", volume: str = "") -> ClaimsReport:
    """Two branches, each with a session that mounts the volume like this, beside a folder of the host."""
    branches = {}
    for name, mount, endpoint in zip(("run1", "run2"), (first, second), endpoints, strict=True):
        found = lab(volume, session(name, f"{{volumes: ['/srv:/srv', 'nvme:scratch:{mount}']}}", on=endpoint))
        branches[name] = replace(BASE, sessions=found.sessions)
    return check(BASE, branches, "run2")


def test_second_writer_is_blocked_and_so_is_a_reader_beside_a_writer() -> None:
    for first, second in (("/data:rw", "/data:rw"), ("/data:rw", "/data"), ("/data", "/data:rw")):
        assert lines(report(first, second)) == [
            f"✖ run2: volume scratch; run1 claimed it first: session run1 on a (state/sessions/run1.yaml:4); {FIX}"
        ]


def test_readers_and_services_of_one_host_do_not_collide() -> None:
    assert lines(report("/data", "/data")) == []
    assert lines(report("/data:rw", "/data:rw", endpoints="aa")) == []


def test_block_device_is_one_services_also_on_one_host() -> None:
    found = report("/dev/x:rw", "/dev/x:rw", endpoints="aa", volume=RAW)
    assert [item.what for item in found.collisions] == ["volume scratch"]


def test_claim_is_shown_by_the_volumes_name() -> None:
    claim = Claim(Resource("volume", "scratch"), ((0, 1),), 0, "run", "a", "volumes")
    assert (claim.text, claim.owner) == ("volume scratch", ("", "a"))
