"""kill -9 of dtnctl and of the agent, both at once, at the worst moment of each step that touches a virtual function."""

from __future__ import annotations

from lab.hardware import NEAR_NIC
from tests.hardware.crashes import crash, ledger, seen
from tests.hardware.scene import Scene

TABLE = f"ip link show {NEAR_NIC}"


def test_what_was_being_made_is_made_and_what_was_being_given_back_is_given_back(scene: Scene) -> None:
    """On one host: its virtual functions are made, one is taken for a session, and released."""
    scene.sriov()
    scene.endpoint("dtn2")
    scene.profile()
    crash(scene, "dtn1", seen("pfs", filled=True))
    scene.converge()
    assert [(pf["found"], pf["wanted"]) for pf in ledger(scene, "dtn1")["pfs"]] == [(0, 4)]
    before = scene.on("dtn1", TABLE)
    scene.session(endpoints=["dtn1"])
    crash(scene, "dtn1", seen("vfs", filled=True))
    scene.converge()
    assert [(vf["index"], vf["owner"]["session"]) for vf in ledger(scene, "dtn1")["vfs"]] == [(0, "run")]
    assert scene.inside("dtn1", "cat /sys/class/net/eth0/address").strip() in scene.on("dtn1", TABLE)
    scene.remove("sessions/run")
    crash(scene, "dtn1", seen("vfs", filled=False))
    scene.converge()
    assert ledger(scene, "dtn1")["vfs"] == []
    assert scene.on("dtn1", TABLE) == before
