"""`dtnctl bench network` on cards with virtual functions: every row that the talk compares, on the same two hosts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.hardware import NEAR_NIC
from tests.hardware.scene import BOTH, NETWORK, Scene

OWN = {"dtn1": "10.40.9.1", "dtn2": "10.40.9.2"}
SUBNETS = {NETWORK: ("sriov", "10.40.0.0/24"), "mac": ("macvlan", "10.41.0.0/24"), "ipv": ("ipvlan", "10.42.0.0/24")}
BENCH_SECONDS = 900.0


def compared_networks(scene: Scene) -> None:
    """All three kinds of network on one card, whose hosts are reached by ssh and have addresses of their own on it."""
    for name in BOTH:
        scene.through_ssh(name)
        scene.endpoint(name, interfaces=dict.fromkeys(SUBNETS, NEAR_NIC), vfs={NEAR_NIC: 4})
        scene.on(name, f"ip link set {NEAR_NIC} up; ip address replace {OWN[name]}/24 dev {NEAR_NIC}")
    for network, (driver, subnet) in SUBNETS.items():
        scene.write(f"networks/{network}", {"driver": driver, "subnet": subnet})
    scene.profile()
    scene.converge()


@pytest.fixture
def compared(scene: Scene) -> Iterator[Scene]:
    compared_networks(scene)
    yield scene
    scene.on_both(f"ip address flush dev {NEAR_NIC}; ip link set {NEAR_NIC} down")


def test_hosts_and_containers_on_every_kind_of_network_are_measured_and_nothing_of_it_is_left(compared: Scene) -> None:
    compared.session()
    arguments = ("--address", OWN["dtn2"], "--rounds", "1", "--duration", "2s", "-o", "json")
    document = compared.run("bench", "network", *BOTH, *arguments, seconds=BENCH_SECONDS).expect(0).json
    rows = {row["mode"]: row for row in document["rows"]}
    assert sorted(rows) == ["bridge", "host", "ipvlan", "macvlan", "native", "sriov"]
    assert all(row["samples"][0]["rate"] > 0 for row in rows.values())
    assert [nic.partition(":")[0] for machine in document["machines"] for nic in machine["nics"]] == [NEAR_NIC, NEAR_NIC]
    assert set(compared.on_both("docker ps -aq; docker network ls -q --filter type=custom").values()) == {""}
