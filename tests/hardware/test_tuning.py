"""Settings of the hosts that dtnctl owns, queueing of services, and what the doctor finds: on a kernel that has all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

import pytest

from lab.hardware import NEAR_NIC
from tests.hardware.scene import BOTH, NETWORK, SITE, Scene

TUNING = {
    "sysctls": {"net.ipv4.tcp_mtu_probing": 1, "net.core.rmem_max": 67108864, "vm.dirty_background_ratio": 5},
    "interfaces": {NEAR_NIC: {"mtu": 9000, "tx_queue_len": 10000, "rx_ring": 1024, "qdisc": "fq", "pacing": "800mbit", "irqs": "local"}},
    "huge_pages": "madvise",
}
READ = "; ".join(
    (
        "sysctl net.ipv4.tcp_mtu_probing net.core.rmem_max vm.dirty_background_ratio",
        "cat /sys/kernel/mm/transparent_hugepage/enabled",
        f"ip link show {NEAR_NIC}",
        f"ethtool -g {NEAR_NIC} | tail -n 6",
        # handles are numbered as they come, and the kernel's own quantum is of the MTU that was when it made the queue
        f"tc qdisc show dev {NEAR_NIC} | sed -E 's/(qdisc [a-z_]+) [0-9a-f]+:/\\1/; s/quantum [0-9]+ //'",
        f"for irq in /sys/class/net/{NEAR_NIC}/device/msi_irqs/*; do cat /proc/irq/${{irq##*/}}/smp_affinity_list; done",
    )
)
PLAIN = f"ip link set {NEAR_NIC} mtu 1500; tc qdisc delete dev {NEAR_NIC} root; echo always > /sys/kernel/mm/transparent_hugepage/enabled"
# The kernel's own queues, as it makes them now: those that it made while booting may be of another kind (net.core.default_qdisc), and
# what comes back when tuning is taken away are those of the moment.
ANEW = f"tc qdisc replace dev {NEAR_NIC} root pfifo; tc qdisc delete dev {NEAR_NIC} root"
# one for each check: how it is planted, how it is taken away again
FAULTS = {
    "net.tcp_timestamps": ("sysctl -q net.ipv4.tcp_timestamps=0", "sysctl -q net.ipv4.tcp_timestamps=1"),
    "net.tcp_sack": ("sysctl -q net.ipv4.tcp_sack=0", "sysctl -q net.ipv4.tcp_sack=1"),
    "net.tcp_window_scaling": ("sysctl -q net.ipv4.tcp_window_scaling=0", "sysctl -q net.ipv4.tcp_window_scaling=1"),
    "net.congestion_control": ("sysctl -q net.ipv4.tcp_congestion_control=reno", "sysctl -q net.ipv4.tcp_congestion_control=cubic"),
    "net.tcp_mtu_probing": ("sysctl -q net.ipv4.tcp_mtu_probing=0", "sysctl -q net.ipv4.tcp_mtu_probing=1"),
    "host.numa_balancing": ("sysctl -q kernel.numa_balancing=1", "sysctl -q kernel.numa_balancing=0"),
    "host.zone_reclaim": ("sysctl -q vm.zone_reclaim_mode=1", "sysctl -q vm.zone_reclaim_mode=0"),
    "nic.mtu": (f"ip link set {NEAR_NIC} mtu 1500", f"ip link set {NEAR_NIC} mtu 9000"),
    "nic.offloads": (f"ethtool -K {NEAR_NIC} gro off", f"ethtool -K {NEAR_NIC} gro on"),
    "nic.qdisc": (f"tc qdisc replace dev {NEAR_NIC} root pfifo", f"tc qdisc replace dev {NEAR_NIC} root fq"),
    "host.huge_pages": (
        "echo never > /sys/kernel/mm/transparent_hugepage/enabled",
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
    ),
}


@pytest.fixture
def bare(scene: Scene) -> Iterator[Scene]:
    """Both hosts with the data NIC up, and nothing of ours on them when the test is done."""
    scene.on_both(f"ip link set {NEAR_NIC} up; until [ $(cat /sys/class/net/{NEAR_NIC}/carrier) = 1 ]; do sleep 1; done; {ANEW}")
    yield scene
    for file in (scene.root / "state/sessions").glob("*.yaml"):
        file.unlink()
    for name in BOTH:
        scene.endpoint(name)
    scene.apply("--max-prune=100").expect(0)


def test_tuning_is_applied_watched_repaired_and_put_back(bare: Scene) -> None:
    before = settings(bare)
    for name in BOTH:
        bare.endpoint(name, tuning=TUNING)
    bare.converge()
    tuned = settings(bare)
    for text in map("\n".join, tuned.values()):
        assert "net.ipv4.tcp_mtu_probing = 1\n" in text
        assert "always [madvise] never" in text
        assert "mtu 9000" in text
        assert "qlen 10000" in text
        assert "fq root" in text
        assert "maxrate 800Mbit" in text
    bare.on("dtn1", f"sysctl -q net.core.rmem_max=212992; ip link set {NEAR_NIC} mtu 1500; tc qdisc replace dev {NEAR_NIC} root pfifo")
    drift = bare.plan("--detailed-exitcode")
    assert drift.code == 2
    for key in ("sysctl/net.core.rmem_max", f"interface/{NEAR_NIC}/mtu", f"interface/{NEAR_NIC}/qdisc"):
        assert key in drift.out
    assert "dtn2" not in [line.split()[-1] for line in drift.out.splitlines() if line.startswith("~ update")]
    bare.converge()
    assert different(settings(bare), tuned) == []
    for name in BOTH:
        bare.endpoint(name)
    bare.converge()
    assert different(settings(bare), before) == []


def settings(scene: Scene) -> dict[str, list[str]]:
    """All that the test sets, line by line, of both hosts."""
    return {name: text.splitlines() for name, text in scene.on_both(READ).items()}


def different(now: dict[str, list[str]], then: dict[str, list[str]]) -> list[str]:
    """The lines that are new or gone."""
    return [line for name in now for line in unified_diff(then[name], now[name], "then", f"now on {name}", lineterm="", n=0)]


def test_queueing_of_a_service_is_as_declared_and_survives_its_restart(bare: Scene) -> None:
    bare.sriov()
    bare.profile(qos={"delay": "20ms", "rate": "50mbit"})
    bare.session(endpoints=["dtn1"])
    bare.converge()
    for _ in range(2):
        queueing = bare.on("dtn1", f"until docker exec {SITE}.run tc qdisc show dev eth0 | grep netem; do sleep 1; done", seconds=60)
        assert "delay 20ms" in queueing
        assert "rate 50Mbit" in bare.inside("dtn1", "tc qdisc show dev eth0")
        bare.on("dtn1", f"docker restart -t 2 {SITE}.run", seconds=120)
    bare.assert_nothing_to_do()


def test_packets_to_one_destination_are_paced_and_delayed_and_no_others(bare: Scene) -> None:
    there, further = "10.40.0.11", "10.40.0.99"
    bare.sriov()
    bare.profile(qos={"delay": "60ms", "pacing": "100mbit", "destinations": [there]})
    bare.session()
    bare.converge()
    bare.on("dtn2", f"nsenter --net=/proc/$(docker inspect -f '{{{{.State.Pid}}}}' {SITE}.run)/ns/net ip addr add {further}/24 dev eth0")
    assert fastest_ping(bare, there) >= 60.0 > fastest_ping(bare, further)
    assert "maxrate 100Mbit" in bare.inside("dtn1", "tc qdisc show dev eth0")
    assert there in bare.inside("dtn1", "tc filter show dev eth0")
    bare.on("dtn1", f"nsenter --net=/proc/$(docker inspect -f '{{{{.State.Pid}}}}' {SITE}.run)/ns/net tc qdisc del dev eth0 root")
    assert "not in force" in bare.plan().expect(0).out
    bare.converge()
    assert fastest_ping(bare, there) >= 60.0


def fastest_ping(scene: Scene, address: str) -> float:
    """Milliseconds from the service on dtn1 and back."""
    told = scene.inside("dtn1", f"ping -c 6 -i 0.3 -w 20 {address}")
    return float(told.rpartition("= ")[2].partition("/")[0])


def test_doctor_finds_ten_planted_faults_and_no_others(bare: Scene) -> None:
    bare.write(f"networks/{NETWORK}", {"driver": "macvlan", "mtu": 9000, "subnet": "10.43.0.0/24"})
    bare.profile()
    bare.session(endpoints=["dtn1"])
    bare.endpoint("dtn1", interfaces={NETWORK: NEAR_NIC})
    try:
        bare.on("dtn1", "; ".join(fine for _, fine in FAULTS.values()))
        before = findings(bare)
        bare.on("dtn1", "; ".join(planted for planted, _ in FAULTS.values()))
        after = findings(bare)
    finally:
        bare.on("dtn1", "; ".join(fine for _, fine in FAULTS.values()))
        bare.on("dtn1", PLAIN)
    assert len(FAULTS) >= 10
    assert not set(FAULTS) & before, "was there before it was planted"
    assert after - before == set(FAULTS)


def findings(scene: Scene) -> set[str]:
    """The checks that the doctor has something to say about on dtn1."""
    document: dict[str, Any] = json.loads(scene.run("endpoints", "doctor", "dtn1", "-o", "json").expect(0).out)
    return {item["check"] for item in document["endpoints"][0]["findings"] if item["severity"] in ("error", "warning", "info")}
