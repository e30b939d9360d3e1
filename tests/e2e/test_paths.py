"""A session over a static path: `paths check` finds what is wrong on the way.

This machine's kernel may have no 802.1Q: a wire of its own stands for the VLAN, whose interface has the name that the VLAN's would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.playground import Playground

pytestmark = pytest.mark.lab

VLAN = "eth1.1790"
BOTH = ("dtn1", "dtn2")


@pytest.fixture
def over_path(play: Playground) -> Iterator[Playground]:
    """Session `run` on both endpoints, over a path that carries 9,000 bytes."""
    with play.lab.wire(VLAN):
        play.write("paths/a2b", {"ends": [{"endpoint": name} for name in BOTH], "vlan": 1790, "mtu": 9000})
        play.write("networks/wan", {"driver": "macvlan", "path": "a2b", "subnet": "10.79.0.0/24"})
        for name in BOTH:
            play.endpoint(name, interfaces={"wan": "eth1"})
        play.profile("dtn", image="dtn:1", data_nets=["wan"])
        play.session("run", endpoints=list(BOTH), image="dtn:1", profile="dtn")
        play.converge()
        yield play
        play.clean()


def check(play: Playground) -> dict[tuple[str, str], dict[str, Any]]:
    """The findings, by aspect and place; the exit code says whether all are right."""
    ran = play.run("paths", "check", "a2b", "-o", "json")
    found = {(item["aspect"], item["where"]): item for item in ran.json["findings"]}
    assert (ran.code == 0) == all(item["verdict"] == "ok" for item in found.values())
    return found


def test_check_passes_on_a_path_that_carries_what_is_declared(over_path: Playground) -> None:
    found = check(over_path)
    assert {key: item["verdict"] for key, item in found.items()} == {
        ("vlan", "dtn1 eth1"): "ok",
        ("vlan", "dtn2 eth1"): "ok",
        ("answer", "dtn1 → dtn2"): "ok",
        ("packets", "dtn1 → dtn2"): "ok",
        ("answer", "dtn2 → dtn1"): "ok",
        ("packets", "dtn2 → dtn1"): "ok",
    }
    shown = over_path.run("paths", "check", "a2b").expect(0).out
    assert "path a2b: all 6 checks right" in shown
    assert "9000 bytes pass whole, there and back" in shown


def test_check_finds_a_hole_in_the_mtu_and_names_its_size(over_path: Playground) -> None:
    """A switch's port that takes 1,500 bytes and 4 of a tag drops what is larger without a word."""
    over_path.lab.set_wire(VLAN, "dtn2", "mtu 1500")
    found = check(over_path)
    for where in ("dtn1 → dtn2", "dtn2 → dtn1"):
        assert found["answer", where]["verdict"] == "ok"
        assert found["packets", where]["verdict"] == "wrong"
        assert "packets of up to 1504 bytes pass, larger ones vanish" in found["packets", where]["text"]
        assert "ask whoever made it for 9000 bytes on every port of the path" in found["packets", where]["fix"]


def test_check_finds_a_vlan_that_does_not_arrive(over_path: Playground) -> None:
    over_path.lab.set_wire(VLAN, "dtn2", "down")
    ran = over_path.run("paths", "check", "a2b").expect(1)
    assert "does not answer, not even ARP: VLAN 1790 does not arrive" in ran.out
    assert "ask whoever made it for VLAN 1790 on the ports of both ends" in " ".join(ran.out.split())


def test_check_without_a_session_says_what_to_start(over_path: Playground) -> None:
    over_path.remove("sessions/run")
    over_path.apply("--max-prune=100").expect(0)
    ran = over_path.run("paths", "check", "a2b").expect(1)
    assert "no running session is on network wan" in ran.out
    assert "data_nets: [wan]" in ran.out
