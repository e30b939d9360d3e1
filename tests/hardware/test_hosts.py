"""What the emulated machines are, and that engine and agent answer us on both."""

from __future__ import annotations

import json

from lab.hardware import FAR_NIC, NEAR_NIC, Guests
from tests.hardware.scene import BOTH, Scene, both

DEVICE = "/sys/class/net/{}/device"


def test_each_guest_has_a_nic_with_virtual_functions_on_each_of_two_nodes(guests: Guests) -> None:
    script = "".join(f"cat {DEVICE.format(nic)}/numa_node {DEVICE.format(nic)}/sriov_totalvfs;" for nic in (FAR_NIC, NEAR_NIC))
    assert both(lambda name: guests.remote(name).run(script).split()) == {name: ["0", "7", "1", "7"] for name in BOTH}


def test_dtnctl_shows_what_the_agents_find(scene: Scene) -> None:
    """Asked over mutual TLS; compared with sysfs, which the guest's own shell reads."""
    shown = both(lambda name: json.loads(scene.run("endpoints", "show", name, "-o", "json").expect(0).out))
    for name in BOTH:
        facts = shown[name]["host"]["facts"]
        nic = next(item for item in facts["interfaces"] if item["name"] == NEAR_NIC)
        assert nic["mac"] == scene.on(name, f"cat /sys/class/net/{NEAR_NIC}/address").strip()
        assert (nic["numa_node"], nic["local_cpus"], nic["driver"], nic["sriov"]["total"]) == (1, "2-3", "igb", 7)
        assert [(node["cpus"], node["distances"]) for node in facts["cpus"]["numa"]] == [("0-1", [10, 21]), ("2-3", [21, 10])]
        assert sorted(disk["numa_node"] for disk in facts["block_devices"] if disk["name"].startswith("nvme")) == [0, 1]


def test_both_engines_run_containers(scene: Scene) -> None:
    script = "docker run --rm --network none tiny:1 echo it runs"
    assert scene.on_both(script, seconds=120) == dict.fromkeys(BOTH, "it runs\n")
