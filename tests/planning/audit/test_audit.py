"""What the doctor's rules find on a host that no file declares, and how a fix is said there."""

from __future__ import annotations

import pytest

from dtnctl.model.findings import Setting
from dtnctl.planning.audit.commands import command_of
from tests.planning.audit.undeclared import audited, faults, interface, read, tuned, with_interfaces
from tests.planning.doctor.hosts import item


def test_host_that_is_tuned_well_has_no_faults() -> None:
    audit = audited(read(tuned()))
    assert (faults(audit), audit.has_faults) == ([], False)
    (host,) = audit.hosts
    assert (host.examination.nic, host.examination.speed, host.examination.checked > 40) == ("ens1f0", 100_000, True)


def test_faults_of_settings_nics_and_disks_are_found_without_a_declaration() -> None:
    facts = tuned()
    facts["sysctls"]["net.core.rmem_max"] = "212992"
    item({"facts": facts}, "interfaces", "ens1f0")["rings"]["rx"] = 256
    item({"facts": facts}, "block_devices", "nvme0n1")["scheduler"] = "mq-deadline"
    audit = audited(read(facts))
    assert faults(audit) == ["error net.rmem_max", "warning nic.rings ens1f0", "warning disk.scheduler nvme0n1"]
    assert audit.has_faults
    fixes = [finding.fix for finding in audit.hosts[0].examination.findings[:3]]
    assert fixes == [
        "sysctl -w net.core.rmem_max=2147483647",
        "ethtool -G ens1f0 rx 8192",
        "echo none > /sys/block/nvme0n1/queue/scheduler",
    ]
    assert {finding.place for finding in audit.hosts[0].examination.findings} == {""}


def test_notes_are_advice_and_no_faults() -> None:
    facts = tuned()
    facts["cpus"]["smt"] = True
    audit = audited(read(facts))
    assert (faults(audit), audit.has_faults) == (["info cpu.smt"], False)


def test_file_systems_of_the_system_are_not_judged() -> None:
    facts = tuned()
    facts["block_devices"] = [disk for disk in facts["block_devices"] if disk["name"] == "sda"]
    facts["block_devices"][0]["mounts"] += [{"target": "/var/log", "filesystem": "ext4"}, {"target": "/boot", "filesystem": "ext4"}]
    (host,) = audited(read(facts)).hosts
    assert [finding for finding in host.examination.findings if finding.about.about == "disk"] == []
    assert host.unseen == ("disks: no file system of a disk is mounted outside of the system's own folders",)


@pytest.mark.parametrize(
    ("addresses", "others"), [(["10.1.0.7/24"], "every other host of 10.1.0.0/24"), ([], "every host that it leads to")]
)
def test_small_frames_are_a_fault_of_the_network_with_the_command_of_the_interface(addresses: list[str], others: str) -> None:
    audit = audited(read(with_interfaces(interface("ens3", addresses=addresses))))
    (finding,) = [item for item in audit.hosts[0].examination.findings if item.check == "nic.jumbo"]
    assert finding.fix == f"ip link set ens3 mtu 9000, if every switch on the way and {others} can"


def test_two_hosts_in_one_subnet_are_compared_with_each_other() -> None:
    near, far = tuned(), tuned()
    item({"facts": far}, "interfaces", "ens1f0").update(mtu=8900, speed=40_000)
    audit = audited(read(near), read(far, "dtn2"))
    assert faults(audit) == ["error nic.mtu_peers net-10-9-0-0-24", "info nic.slower_peer ens1f0"]
    fixes = {finding.check: finding.fix for finding in audit.hosts[0].examination.findings}
    assert fixes["nic.slower_peer"] == "tc qdisc replace dev ens1f0 root fq maxrate 40000mbit"


# --- what was not seen --------------------------------------------------------------------------------------


def test_login_that_is_not_root_is_said_with_what_it_does_not_see() -> None:
    facts = tuned()
    for nic in facts["interfaces"]:
        (nic.get("pcie") or {}).pop("payload", None)
    denied = ("/proc/1/fd", "/proc/17/fd", "/sys/kernel/debug/x", "/sys/kernel/debug/y")
    (host,) = audited(read(facts, user=1000, denied=denied)).hosts
    assert host.unseen == (
        "the login is not root (its user has number 1000): what only root may read is not known",
        "packet sizes of PCIe links: they are in a part of a device's registers that only root is shown",
        "which processes listen on ports: those of other users are closed to this login",
        "2 files that this login may not read, such as /sys/kernel/debug/x",
    )


def test_root_sees_all_of_it_and_a_user_of_a_host_without_slots_misses_no_packet_sizes() -> None:
    assert audited(read(tuned())).hosts[0].unseen == ()
    facts = with_interfaces(interface("ens3"))
    assert audited(read(facts, user=1000)).hosts[0].unseen == (
        "the login is not root (its user has number 1000): what only root may read is not known",
    )


# --- commands -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "command"),
    [
        ("sysctl/net.ipv4.tcp_sack", "1", "sysctl -w net.ipv4.tcp_sack=1"),
        ("sysctl/net.ipv4.tcp_rmem", "4096 131072 33554432", 'sysctl -w "net.ipv4.tcp_rmem=4096 131072 33554432"'),
        ("interface/ens1f0/mtu", "9000", "ip link set ens1f0 mtu 9000"),
        ("interface/ens1f0/qdisc", "fq", "tc qdisc replace dev ens1f0 root fq"),
        ("block/nvme0n1/nr_requests", "1023", "echo 1023 > /sys/block/nvme0n1/queue/nr_requests"),
        ("governor", "performance", "cpupower frequency-set --governor performance"),
        ("irqbalance", "off", "systemctl disable --now irqbalance"),
    ],
)
def test_setting_is_said_as_the_command_that_makes_it(key: str, value: str, command: str) -> None:
    assert command_of(Setting(key, value)) == command
