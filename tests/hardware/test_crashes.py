"""kill -9 of dtnctl and of the agent, both at once, at the worst moment of each step that touches a virtual function."""

from __future__ import annotations

import pytest

from lab.hardware import NEAR_NIC
from tests.hardware.crashes import crash, ledger, seen
from tests.hardware.scene import Scene

TABLE = f"ip link show {NEAR_NIC}"


@pytest.fixture
def host(scene: Scene) -> Scene:
    """One host, with a session declared on it that needs a virtual function; nothing is there yet."""
    scene.sriov()
    scene.endpoint("dtn2")
    scene.profile()
    for file in (scene.root / "state/sessions").glob("*.yaml"):
        file.unlink()
    scene.endpoint("dtn1")
    scene.remove("profiles/tools")
    scene.apply("--max-prune=100").expect(0)
    scene.sriov()
    scene.profile()
    scene.session(endpoints=["dtn1"])
    return scene


@pytest.mark.parametrize("part", ["pfs", "vfs"])
def test_what_was_being_made_is_made(host: Scene, part: str) -> None:
    crash(host, "dtn1", seen(part, filled=True))
    host.converge()
    held = ledger(host, "dtn1")
    assert [(pf["found"], pf["wanted"]) for pf in held["pfs"]] == [(0, 4)]
    assert [(vf["index"], vf["owner"]["session"]) for vf in held["vfs"]] == [(0, "run")]
    assert host.inside("dtn1", "cat /sys/class/net/eth0/address").strip() in host.on("dtn1", TABLE)


def test_what_was_being_given_back_is_given_back(host: Scene) -> None:
    host.remove("sessions/run")
    host.apply().expect(0)
    before = host.on("dtn1", TABLE)
    host.session(endpoints=["dtn1"])
    host.converge()
    host.remove("sessions/run")
    crash(host, "dtn1", seen("vfs", filled=False))
    host.converge()
    assert ledger(host, "dtn1")["vfs"] == []
    assert host.on("dtn1", TABLE) == before
