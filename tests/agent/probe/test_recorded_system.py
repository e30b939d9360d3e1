"""Listeners and the system of recorded hosts, and the traps that each of them holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from dtn_agent.probe import probe
from dtn_agent.probe.files import Files
from dtn_agent.probe.rdma import rdma_devices
from dtn_agent.protocol import Facts

from tests.agent.probe.pieces import listener
from tests.agent.recorded import RecordedKernel, unpack


def test_listener_is_told_with_its_process_and_its_container(told: Mapping[str, Facts]) -> None:
    facts = told["two-sockets"]
    assert [(item.address, item.process, item.container) for item in listener(facts, "tcp", 22)] == [
        ("0.0.0.0", "sshd", ""),
        ("::", "sshd", ""),
    ]
    (xrootd,) = listener(facts, "tcp", 1094)
    assert (xrootd.address, xrootd.process, xrootd.container[:12]) == ("192.168.2.64", "xrootd", "646f8bfcf576")


def test_engines_proxy_is_told_as_what_it_is(told: Mapping[str, Facts]) -> None:
    (proxy,) = listener(told["two-sockets"], "tcp", 30001)
    assert (proxy.process, proxy.container) == ("docker-proxy", "")


def test_socket_of_the_kernel_has_no_process_and_connected_ones_listen_to_nobody(told: Mapping[str, Facts]) -> None:
    facts = told["two-sockets"]
    assert [(item.port, item.process) for item in facts.listeners if item.protocol == "udp"] == [(323, "chronyd"), (4791, "")]


def test_address_of_version_6_is_read_in_the_kernels_byte_order(told: Mapping[str, Facts]) -> None:
    (item,) = listener(told["two-sockets"], "tcp", 631)
    assert item.address == "fe80::2fc:ff:0:1"


def test_cores_and_sockets_are_counted_by_their_siblings(told: Mapping[str, Facts]) -> None:
    cpus = told["two-sockets"].cpus
    assert (cpus.sockets, cpus.cores, cpus.logical, cpus.smt) == (2, 32, 64, True)


def test_idle_state_disabled_on_one_cpu_is_disabled(told: Mapping[str, Facts]) -> None:
    states = told["two-sockets"].cpus.idle_states
    assert [(state.name, state.disabled) for state in states] == [("POLL", False), ("C6", True)]


def test_idle_state_of_unknown_latency_is_not_told_as_one_of_none(tmp_path: Path) -> None:
    root = unpack("two-sockets", tmp_path)
    (root.sys / "devices/system/cpu/cpu0/cpuidle/state1/latency").unlink()
    states = probe(root, kernel=RecordedKernel("two-sockets")).cpus.idle_states
    assert [(state.name, state.latency) for state in states] == [("POLL", 0), ("C6", None)]


def test_every_governor_in_use_is_told(told: Mapping[str, Facts]) -> None:
    assert told["two-sockets"].cpus.governors == ("performance", "powersave")


def test_turbo_is_told_by_both_kinds_of_drivers(told: Mapping[str, Facts]) -> None:
    assert told["two-sockets"].cpus.turbo is True
    assert told["no-sriov"].cpus.turbo is False
    assert told["virtual-machine"].cpus.turbo is None


def test_iommu_is_what_most_groups_say(told: Mapping[str, Facts]) -> None:
    assert told["two-sockets"].system.iommu == "passthrough"
    assert told["no-sriov"].system.iommu == "off"
    assert told["virtual-machine"].system.iommu is None


def test_groups_of_an_old_kernel_are_known_only_by_what_it_was_told_at_its_start(tmp_path: Path) -> None:
    root = unpack("two-sockets", tmp_path)
    for path in (root.sys / "kernel/iommu_groups").glob("*/type"):
        path.unlink()
    assert probe(root).system.iommu == "passthrough"
    (root.proc / "cmdline").write_text("ro intel_iommu=on\n")
    assert probe(root).system.iommu is None


def test_irqbalance_runs_by_its_unit_or_by_its_socket_with_a_live_process(told: Mapping[str, Facts], tmp_path: Path) -> None:
    assert told["two-sockets"].system.irqbalance is True
    root = unpack("no-sriov", tmp_path / "b")
    assert probe(root).system.irqbalance is True
    (root.proc / "700/comm").write_text("bash\n")
    assert probe(root).system.irqbalance is False
    assert told["container"].system.irqbalance is None


@pytest.mark.parametrize(
    ("name", "virtualization"), [("two-sockets", ""), ("no-sriov", ""), ("virtual-machine", "kvm"), ("container", "docker")]
)
def test_what_a_host_runs_in_has_systemds_name(name: str, virtualization: str, told: Mapping[str, Facts]) -> None:
    assert told[name].system.virtualization == virtualization


def test_emulated_machine_without_kvm_is_found_by_its_firmware(tmp_path: Path) -> None:
    root = unpack("virtual-machine", tmp_path)
    (root.sys / "devices/system/clocksource/clocksource0/available_clocksource").write_text("tsc hpet\n")
    assert probe(root).system.virtualization == "qemu"


def test_tabs_in_sysctls_are_single_spaces_and_absent_ones_are_left_out(told: Mapping[str, Facts]) -> None:
    sysctls = told["two-sockets"].sysctls
    assert sysctls["net.ipv4.tcp_rmem"] == "4096 131072 1073741824"
    assert sysctls["net.ipv4.ip_local_reserved_ports"] == ""
    assert "net.core.busy_poll" not in sysctls


def test_devices_are_found_by_the_device_files_that_a_container_was_given(tmp_path: Path) -> None:
    files = Files(unpack("two-sockets", tmp_path))
    assert [item.name for item in rdma_devices(files, ["rdma_cm", "uverbs1", "uverbs5"])] == ["mlx5_0", "mlx5_2"]
    assert rdma_devices(files, []) == ()
