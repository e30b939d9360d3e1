"""A session over a static path with a real VLAN: what `paths check` finds on the way, and which way the bytes of transfers took."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.hardware import FAR_NIC, NEAR_NIC
from tests.e2e.playground import Ran
from tests.hardware.program_image import FORGET_RECORDS, make_image
from tests.hardware.scene import BOTH, LINKS, NETWORK, Scene

VLAN = 310
SUB_INTERFACE = f"{NEAR_NIC}.{VLAN}"
DROPS = f"tc qdisc add dev {NEAR_NIC} clsact; tc filter add dev {NEAR_NIC} ingress"
IMAGE = "paths:1"
AROUND = "around"  # a network on the other wire, which is no part of the path
PORTS: dict[str, Any] = {"ctrl_port_range": [30000, 30009], "data_port_range": [50100, 50109], "user": "root"}


@pytest.fixture(scope="module")
def links_before(scene: Scene) -> dict[str, str]:
    return scene.on_both(LINKS)


@pytest.fixture(scope="module")
def over_path(scene: Scene, links_before: dict[str, str]) -> Iterator[Scene]:
    """Session `run` on both guests, over a path that carries 4,000 bytes first, and over another wire besides."""
    scene.on_both(f"ip link set {NEAR_NIC} mtu 4000 up; ip link set {FAR_NIC} up")
    scene.on_both(make_image(IMAGE, ["iperf3", "ping"]), seconds=120)
    scene.write("paths/near", {"ends": [{"endpoint": name} for name in BOTH], "vlan": VLAN, "mtu": 4000})
    scene.write(f"networks/{NETWORK}", {"driver": "macvlan", "path": "near", "subnet": "10.43.0.0/24"})
    scene.write(f"networks/{AROUND}", {"driver": "macvlan", "subnet": "10.45.0.0/24"})
    for name in BOTH:
        scene.endpoint(name, interfaces={NETWORK: NEAR_NIC, AROUND: FAR_NIC})
    scene.profile(image=IMAGE, volumes=[], data_nets=[NETWORK, AROUND], **PORTS)
    scene.session()
    scene.converge()
    assert "vlan protocol 802.1Q id 310" in scene.on("dtn1", f"ip -d link show {SUB_INTERFACE}")
    yield scene
    for kind in ("transfers", "sessions", "profiles", "networks", "paths"):
        for file in (scene.root / "state" / kind).glob("*.yaml"):
            file.unlink()
    for name in BOTH:
        scene.endpoint(name)
    scene.apply("--max-prune=100").expect(0)
    assert scene.on_both(LINKS) == links_before, "what was made for the VLAN is gone with the last session on it"
    scene.on_both(f"{FORGET_RECORDS}; docker rmi -f {IMAGE}; ip link set {NEAR_NIC} mtu 1500 down; ip link set {FAR_NIC} down")


@pytest.fixture
def dropping(over_path: Scene) -> Iterator[Scene]:
    """Whatever NICs drop in the test, they drop no more after it."""
    yield over_path
    over_path.on_both(f"tc qdisc del dev {NEAR_NIC} clsact 2>/dev/null || true")


def check(scene: Scene, *arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The findings, by aspect and place."""
    ran = scene.run("paths", "check", "near", *arguments, "-o", "json")
    return {(item["aspect"], item["where"]): item for item in json.loads(ran.out)["findings"]}


def test_path_with_a_vlan_is_right_and_says_what_it_looked_at(over_path: Scene) -> None:
    found = check(over_path, "--rate")
    assert {key: item for key, item in found.items() if item["verdict"] != "ok" and key[0] != "loss"} == {}
    assert "mbit in 5 s, by one TCP stream" in found["rate", "dtn2 → dtn1"]["text"]
    assert found["vlan", f"dtn1 {NEAR_NIC}"]["text"] == f"{SUB_INTERFACE} is up, MTU 4000"
    assert found["packets", "dtn2 → dtn1"]["text"] == "4000 bytes pass whole, there and back"


def test_vlan_that_is_dropped_on_the_way_is_found(dropping: Scene) -> None:
    """Both hosts have the VLAN; what is between them does not carry it, in no direction: a question is enough to know who asks."""
    dropping.on_both(f"{DROPS} protocol 802.1Q flower vlan_id {VLAN} action drop")
    for name in BOTH:
        in_network_of_service(dropping, name, "ip neigh flush all")
    found = check(dropping)
    assert found["vlan", f"dtn2 {NEAR_NIC}"]["verdict"] == "ok"
    assert f"not even ARP: VLAN {VLAN} does not arrive" in found["answer", "dtn1 → dtn2"]["text"]


def test_hole_in_the_mtu_is_found_with_its_size(dropping: Scene) -> None:
    dropping.on("dtn2", f"{DROPS} protocol all basic match 'meta(pkt_len gt 2000)' action drop")
    found = check(dropping)
    assert found["answer", "dtn1 → dtn2"]["verdict"] == "ok"
    assert found["packets", "dtn1 → dtn2"]["verdict"] == "wrong"
    assert "larger ones vanish on the way; 4000 should pass" in found["packets", "dtn1 → dtn2"]["text"]


def test_vlan_that_is_gone_from_a_host_is_found_and_apply_is_named(over_path: Scene) -> None:
    over_path.on("dtn2", f"ip link set {SUB_INTERFACE} down")
    found = check(over_path)
    over_path.on("dtn2", f"ip link set {SUB_INTERFACE} up")
    assert found["vlan", f"dtn2 {NEAR_NIC}"]["text"] == f"{SUB_INTERFACE} is down"
    assert found["answer", "dtn1 → dtn2"]["verdict"] == "wrong"


# --- was it used? ---------------------------------------------------------------------------------------------


def test_transfer_over_the_path_is_carried_and_one_forced_around_it_is_bypassed(over_path: Scene) -> None:
    measure(over_path, "over", require_path=True).expect(0)
    around(over_path)
    measure(over_path, "free").expect(0)
    measure(over_path, "bound", require_path=True, retries=2).expect(9)
    rows = {row["name"]: row for row in over_path.run("transfers", "list", "-o", "json").json["transfers"]}
    assert {name: (row["state"], row["path_verdict"], row["network_path"]) for name, row in rows.items()} == {
        "over": ("succeeded", "carried", "near"),
        "free": ("succeeded", "bypassed", "near"),
        "bound": ("failed", "bypassed", "near"),
    }
    assert "it requires its path, and its bytes went around near" in rows["bound"]["cause"]


def measure(scene: Scene, name: str, **fields: Any) -> Ran:
    """A measurement from memory to memory between both services, declared and applied."""
    value = {"from": "dtn1", "to": "dtn2", "tool": "iperf3", "session": "run", "options": {"seconds": "2s"}}
    scene.write(f"transfers/{name}", {**value, **fields})
    return scene.apply()


def around(scene: Scene) -> None:
    """Have each service send over the other wire what is for the other one's address on the path."""
    networks = {name: scene.container(name)["NetworkSettings"]["Networks"] for name in BOTH}
    addresses = {name: {net: item["IPAddress"] for net, item in found.items()} for name, found in networks.items()}
    for here, there in (BOTH, BOTH[::-1]):
        in_network_of_service(scene, here, f"ip route add {addresses[there][NETWORK]}/32 via {addresses[there][AROUND]}")


def in_network_of_service(scene: Scene, name: str, command: str) -> None:
    scene.on(name, f"nsenter --target {scene.container(name)['State']['Pid']} --net -- {command}")
