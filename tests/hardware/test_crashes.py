"""kill -9 of dtnctl and of the agent, both at once, at the worst moment of each step that touches a virtual function.

The agent writes its ledger before it changes anything, so the moment when the ledger shows a step is the one when the step has just begun.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.hardware import NEAR_NIC
from tests.hardware.scene import Scene

LEDGER = "/var/lib/dtn-agent/ledger.json"
TABLE = f"ip link show {NEAR_NIC}"
AGENT_PROCESS = "systemctl show --property=MainPID --value dtn-agent.service"
# without a pause: the step is over in a second
WATCH = "until {seen}; do :; done; systemctl kill --signal=KILL dtn-agent.service; echo killed"


def seen(part: str, *, filled: bool) -> str:
    """A shell condition: this list of the ledger has something in it, or nothing."""
    empty = f"""grep -q '"{part}": \\[\\]' {LEDGER}"""
    return f"! {empty}" if filled else empty


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


def crash(scene: Scene, condition: str) -> None:
    """Start apply, and kill both programs when the ledger shows that the step has begun."""
    killed = scene.on("dtn1", AGENT_PROCESS).strip()
    watching = scene.guests.remote("dtn1").start(WATCH.format(seen=condition), seconds=150)
    applying = scene.start("apply", "--yes", "--max-prune=100")
    try:
        out, _ = watching.communicate(timeout=160)
        assert "killed" in out
    finally:
        applying.kill()
        applying.communicate()
        watching.kill()
    scene.on(
        "dtn1", f"until [ $({AGENT_PROCESS}) != {killed} ] && systemctl is-active --quiet dtn-agent.service; do sleep 1; done", seconds=120
    )


def ledger(scene: Scene) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(scene.on("dtn1", f"cat {LEDGER}"))
    return value


@pytest.mark.parametrize("part", ["pfs", "vfs"])
def test_what_was_being_made_is_made(host: Scene, part: str) -> None:
    crash(host, seen(part, filled=True))
    host.converge()
    held = ledger(host)
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
    crash(host, seen("vfs", filled=False))
    host.converge()
    assert ledger(host)["vfs"] == []
    assert host.on("dtn1", TABLE) == before
