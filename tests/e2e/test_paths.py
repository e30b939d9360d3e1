"""A session over a static path: `paths check` finds what is wrong on the way, and receipts say whether the path was used.

This machine's kernel may have no 802.1Q: a wire of its own stands for the VLAN, whose interface has the name that the VLAN's would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.playground import Playground, Ran

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


def check(play: Playground, *arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The findings, by aspect and place; the exit code says whether all are right."""
    ran = play.run("paths", "check", "a2b", *arguments, "-o", "json")
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


def test_rate_and_loss_are_measured_on_request(over_path: Playground) -> None:
    found = check(over_path, "--rate")
    for where in ("dtn1 → dtn2", "dtn2 → dtn1"):
        assert found["rate", where]["verdict"] == "ok"
        assert "mbit in 5 s, by one TCP stream" in found["rate", where]["text"]
        assert "packets were sent again" in found["loss", where]["text"]


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


# --- was it used? -------------------------------------------------------------------------------------------


@pytest.fixture
def copying(play: Playground) -> Iterator[Playground]:
    """Session `run` with sshd at both ends, over the path first and over network `data` besides; a file of 8 MiB at dtn1."""
    with play.lab.wire(VLAN):
        play.data_network()
        play.write("paths/a2b", {"ends": [{"endpoint": name} for name in BOTH], "vlan": 1790, "mtu": 9000})
        play.write("networks/wan", {"driver": "macvlan", "path": "a2b", "subnet": "10.79.0.0/24"})
        for name in BOTH:
            play.endpoint(name, interfaces={"wan": "eth1", "data": "eth1"})
            play.lab.exec(
                name, ["sh", "-c", "mkdir -p /data/p && head -c 8388608 /dev/urandom > /data/p/file && chown -R 31000:31000 /data/p"]
            )
        nets = {"mgmt_net": None, "data_nets": ["wan", "data"], "ctrl_port_range": [30000, 30009], "data_port_range": [50100, 50199]}
        play.write("profiles/dtn", nets | {"user": "dtnaas", "volumes": ["/data/p:/data"], "init": True, "stop_timeout": "2s"})
        play.write("sessions/run", {"endpoints": list(BOTH), "image": "dtn:1", "profile": "dtn"})
        play.converge()
        yield play
        play.clean()


def copy(play: Playground, name: str, **fields: Any) -> Ran:
    """Declare the transfer and apply."""
    play.write(f"transfers/{name}", {"from": "dtn1:/data/file", "to": f"dtn2:/data/{name}", "tool": "scp", "verify": "size", **fields})
    return play.apply()


def around(play: Playground) -> None:
    """Have each service send over network `data` what is for the other one's address on the path."""
    addresses = {
        name: {net: item["IPAddress"] for net, item in play.container("run", name)["NetworkSettings"]["Networks"].items()} for name in BOTH
    }
    for here, there in (BOTH, BOTH[::-1]):
        pid = str(play.container("run", here)["State"]["Pid"])
        route = ["ip", "route", "add", f"{addresses[there]['wan']}/32", "via", addresses[there]["data"]]
        play.lab.exec(here, ["nsenter", "--target", pid, "--net", "--", *route])


def test_transfer_over_the_path_is_carried_and_one_forced_around_it_is_bypassed(copying: Playground) -> None:
    copy(copying, "over", require_path=True).expect(0)
    around(copying)
    copy(copying, "free").expect(0)
    ran = copy(copying, "bound", require_path=True, retries=2)
    assert ran.code == 9, ran.out + ran.err
    rows = {row["name"]: row for row in copying.run("transfers", "list", "-o", "json").json["transfers"]}
    assert {name: (row["state"], row["path_verdict"], row["network_path"]) for name, row in rows.items()} == {
        "over": ("succeeded", "carried", "a2b"),
        "free": ("succeeded", "bypassed", "a2b"),
        "bound": ("failed", "bypassed", "a2b"),
    }
    assert "it requires its path, and its bytes went around a2b" in rows["bound"]["cause"]
    shown = copying.run("transfers", "show", "over").out
    assert "path: carried, a2b: " in shown
    assert "8,388,608 moved" in shown


def test_transfer_whose_data_would_not_go_over_the_path_is_refused_before_it_starts(copying: Playground) -> None:
    copying.write("sessions/run", {"endpoints": list(BOTH), "image": "dtn:1", "profile": "dtn", "settings": {"data_nets": ["data", "wan"]}})
    copying.converge()
    ran = copy(copying, "late", require_path=True)
    assert ran.code == 4, ran.out + ran.err
    assert "E0547" in ran.out + ran.err
    assert copying.lab.exec("dtn2", ["ls", "/data/p"]).stdout == "file\n"
