"""A network that this machine's kernel may not have: ipvlan, on an 802.1Q sub-interface that the agent makes. test_paths.py has macvlan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.hardware import NEAR_NIC
from tests.hardware.scene import BOTH, LINKS, NETWORK, Scene

PARENT = f"{NEAR_NIC}.300"


@pytest.fixture
def plain(scene: Scene) -> Iterator[Scene]:
    """Both hosts with the data NIC up, as its owner has it, and no network yet."""
    scene.profile()
    scene.on_both(f"ip link set {NEAR_NIC} up")
    for name in BOTH:
        scene.endpoint(name, interfaces={NETWORK: NEAR_NIC})
    yield scene
    scene.on_both(f"ip link set {NEAR_NIC} down")


def test_session_on_a_vlan_gets_its_sub_interface_and_gives_it_back(plain: Scene) -> None:
    before = plain.on_both(LINKS)
    plain.write(f"networks/{NETWORK}", {"driver": "ipvlan", "vlan": 300, "subnet": "10.42.0.0/24", "addresses": "10.42.0.10-10.42.0.20"})
    plain.session()
    plain.converge()
    assert "vlan protocol 802.1Q id 300" in plain.on("dtn1", f"ip -d link show {PARENT}")
    plain.inside("dtn1", "ping -c 3 -w 20 10.42.0.11")
    plain.remove("sessions/run")
    plain.apply("--max-prune=100").expect(0)
    assert plain.on_both(LINKS) == before
