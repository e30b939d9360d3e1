"""The probe's facts of recorded hosts, whole, and the traps that each of them holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
from dtn_agent.probe import HostRoot, probe
from dtn_agent.probe.answers import LinkAnswer
from dtn_agent.probe.files import Files, PciFunction
from dtn_agent.probe.pci import PacketSizes, packet_sizes
from dtn_agent.probe.rdma import rdma_devices
from dtn_agent.protocol import BlockDevice, Facts, Held, Interface, Listener, RdmaDevice, Vf

from tests.agent.recorded import HOSTS, NAMES, RecordedKernel, facts_of, golden, unpack, write


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Facts]:
    """The facts of each recorded host as it is. Tests that change something unpack one of their own."""
    return {name: facts_of(name, tmp_path_factory.mktemp(name)) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_facts_of_a_recorded_host_are_those_that_were_agreed(name: str, told: Mapping[str, Facts]) -> None:
    assert golden(told[name]) == (HOSTS / name / "facts.json").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_facts_survive_the_way_to_dtnctl(name: str, told: Mapping[str, Facts]) -> None:
    facts = told[name]
    assert Facts.model_validate_json(facts.model_dump_json()) == facts


def test_same_host_gives_the_same_bytes(tmp_path: Path) -> None:
    root = unpack("two-sockets", tmp_path)
    kernel = RecordedKernel("two-sockets")
    shuffled = dataclasses.replace(kernel.answers, links=kernel.answers.links[::-1])
    assert golden(probe(root, kernel=kernel)) == golden(probe(root, kernel=lambda: shuffled))


def test_host_of_which_nothing_is_told_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert golden(probe(unpack("container", tmp_path), kernel=RecordedKernel("container")))
    facts = facts_of_nothing(tmp_path / "empty")
    assert (facts.interfaces, facts.rdma, facts.block_devices, facts.listeners, facts.sysctls) == ((), (), (), (), {})
    assert (facts.cpus.sockets, facts.cpus.model, facts.system.iommu, facts.system.irqbalance) == (None, None, None, None)


def facts_of_nothing(folder: Path) -> Facts:
    return probe(HostRoot(sys=folder / "sys", proc=folder / "proc", dev=folder / "dev", run=folder / "run"))


# --- pieces of facts ------------------------------------------------------------------------------------------------


def interface(facts: Facts, name: str) -> Interface:
    return next(item for item in facts.interfaces if item.name == name)


def vfs(facts: Facts, name: str) -> tuple[Vf, ...]:
    sriov = interface(facts, name).sriov
    assert sriov
    return sriov.vfs


def disk(facts: Facts, name: str) -> BlockDevice:
    return next(item for item in facts.block_devices if item.name == name)


def rdma(facts: Facts, name: str) -> RdmaDevice:
    return next(item for item in facts.rdma if item.name == name)


def listener(facts: Facts, protocol: str, port: int) -> list[Listener]:
    return [item for item in facts.listeners if (item.protocol, item.port) == (protocol, port)]


# --- interfaces -----------------------------------------------------------------------------------------------------


def test_node_minus_one_is_unknown_and_not_the_last_node(told: Mapping[str, Facts]) -> None:
    facts = told["no-sriov"]
    assert interface(facts, "enp3s0").numa_node is None
    assert interface(facts, "enp3s0").local_cpus == "0-3"


def test_speed_that_the_kernel_refuses_to_tell_is_unknown(told: Mapping[str, Facts]) -> None:
    facts = told["two-sockets"]
    assert (interface(facts, "eno1").carrier, interface(facts, "eno1").speed, interface(facts, "eno1").duplex) == (False, None, None)


def test_refused_speed_of_a_link_with_carrier_is_unknown_too(tmp_path: Path) -> None:
    kernel = RecordedKernel("two-sockets")
    links = tuple(dataclasses.replace(link, carrier=True) for link in kernel.answers.links)
    kernel.answers = dataclasses.replace(kernel.answers, links=links)
    assert interface(facts_of("two-sockets", tmp_path, kernel), "eno1").speed is None


def test_speed_of_minus_one_is_unknown(told: Mapping[str, Facts]) -> None:
    assert interface(told["virtual-machine"], "eth0").speed is None


def test_virtio_interface_has_the_address_and_the_interrupts_of_the_function_above_it(told: Mapping[str, Facts]) -> None:
    eth0 = interface(told["virtual-machine"], "eth0")
    assert (eth0.pci, eth0.driver) == ("0000:00:03.0", "virtio_net")
    assert [(irq.number, irq.cpus) for irq in eth0.irqs] == [(24, "0-1")]


def test_interrupt_that_was_never_handled_shows_where_it_may_go(told: Mapping[str, Facts]) -> None:
    irqs = interface(told["two-sockets"], "ens1f0np0").irqs
    assert [(irq.number, irq.cpus) for irq in irqs] == [(200, "0"), (201, "17"), (202, "0-15,32-47")]


def test_queues_are_in_the_order_of_their_numbers_with_the_cpus_of_their_masks(told: Mapping[str, Facts]) -> None:
    card = interface(told["two-sockets"], "ens1f0np0")
    assert card.rps == (*[""] * 10, "0-1,32")
    assert card.xps == ("0", "63")


def test_steering_that_the_kernel_does_not_tell_of_one_queue_is_unknown(told: Mapping[str, Facts]) -> None:
    card = interface(told["two-sockets"], "ens2f0np0")
    assert (card.rps, card.xps) == (("",), None)


def test_slot_narrower_than_its_card_shows(told: Mapping[str, Facts]) -> None:
    link = interface(told["two-sockets"], "ens2f0np0").pcie
    assert link
    assert (link.width, link.max_width, link.slot_width) == (8, 16, 8)


def test_sizes_of_packets_are_those_of_the_function_and_the_limit_is_that_of_its_way(told: Mapping[str, Facts]) -> None:
    """The card can 512 bytes, the port above it 256; ens2f0np0 shows us nothing of it."""
    link = interface(told["two-sockets"], "ens1f0np0").pcie
    other = interface(told["two-sockets"], "ens2f0np0").pcie
    assert link
    assert other
    assert (link.payload, link.payload_max, link.read_request) == (256, 256, 512)
    assert (other.payload, other.payload_max, other.read_request) == (None, None, None)


@pytest.mark.parametrize(
    "config",
    [
        "",
        "34:40 40:0100",  # another capability, the last one
        "34:40 40:0140",  # a ring
        "34:fc fc:10",  # the registers would lie behind the end
        "34:40 40:1000 44:07 48:e070",  # values without a meaning
    ],
)
def test_registers_that_make_no_sense_are_unknown(config: str, tmp_path: Path) -> None:
    write(tmp_path / "sys/f/config", "~", config)
    assert packet_sizes(Files(HostRoot(sys=tmp_path / "sys")), PciFunction("", f"{tmp_path}/sys/f")) == PacketSizes()


def test_registers_that_only_root_may_see_are_unknown(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(bytes(0x34) + b"\x60" + bytes(11))
    assert packet_sizes(Files(HostRoot()), PciFunction("", str(tmp_path))) == PacketSizes()


def test_vf_without_a_link_of_its_own_has_no_pcie_figures(told: Mapping[str, Facts]) -> None:
    assert interface(told["two-sockets"], "data7").pcie is None


def test_vlan_and_bridge_members_name_what_they_belong_to(told: Mapping[str, Facts]) -> None:
    facts = told["two-sockets"]
    vlan = interface(facts, "ens1f0np0.222")
    assert (vlan.kind, vlan.parent, vlan.vlan) == ("vlan", "ens1f0np0", 222)
    assert interface(facts, "veth1a2b3c").master == "docker0"


def test_interface_that_went_away_while_it_was_asked_is_told_as_far_as_known(tmp_path: Path) -> None:
    kernel = RecordedKernel("virtual-machine")
    kernel.answers = dataclasses.replace(
        kernel.answers, links=(*kernel.answers.links, LinkAnswer(index=9, name="gone0", mac="02:00:00:00:00:09"))
    )
    gone = interface(facts_of("virtual-machine", tmp_path, kernel), "gone0")
    assert gone == Interface(name="gone0", index=9, mac="02:00:00:00:00:09")


# --- virtual functions ----------------------------------------------------------------------------------------------


def test_renamed_vf_is_found_by_its_place(told: Mapping[str, Facts]) -> None:
    first, *_ = vfs(told["two-sockets"], "ens1f0np0")
    assert (first.pci, first.netdev, first.rdma, first.holder) == ("0000:41:00.2", "data7", "mlx5_2", "")


def test_vf_is_held_by_the_ledgers_session_before_anybody_else(told: Mapping[str, Facts], tmp_path: Path) -> None:
    root = unpack("two-sockets", tmp_path)
    kernel = RecordedKernel("two-sockets")
    assert vfs(probe(root, Held(), kernel), "ens1f0np0")[2].holder == "another namespace"
    assert vfs(told["two-sockets"], "ens1f0np0")[2].holder == "scinet/ofed-test"


def test_vf_of_a_virtual_machine_is_held_by_the_driver_that_gives_it_away(told: Mapping[str, Facts]) -> None:
    assert vfs(told["two-sockets"], "ens1f0np0")[3].holder == "vfio-pci"


def test_vf_without_a_driver_is_free(tmp_path: Path) -> None:
    root = unpack("two-sockets", tmp_path)
    (root.sys / "devices/pci0000:40/0000:40:02.0/0000:41:00.5/driver").unlink()
    last = vfs(probe(root, kernel=RecordedKernel("two-sockets")), "ens1f0np0")[3]
    assert (last.driver, last.netdev, last.holder) == ("", "", "")


def test_vf_whose_driver_made_no_interface_yet_is_in_no_namespace(tmp_path: Path) -> None:
    root = unpack("two-sockets", tmp_path)
    (root.sys / "devices/pci0000:40/0000:40:02.0/0000:41:00.3/net").rmdir()
    second = vfs(probe(root, kernel=RecordedKernel("two-sockets")), "ens1f0np0")[1]
    assert (second.driver, second.netdev, second.holder) == ("mlx5_core", "", "")


def test_vf_that_the_table_lacks_is_listed_with_its_place(tmp_path: Path) -> None:
    kernel = RecordedKernel("two-sockets")
    kernel.answers = dataclasses.replace(kernel.answers, links=tuple(dataclasses.replace(link, vfs=()) for link in kernel.answers.links))
    found = vfs(facts_of("two-sockets", tmp_path, kernel), "ens1f0np0")
    assert [(vf.index, vf.pci, vf.mac, vf.spoofchk) for vf in found[:2]] == [(0, "0000:41:00.2", "", None), (1, "0000:41:00.3", "", None)]
    assert [(vf.vlan, vf.vlan_priority) for vf in found[:2]] == [(None, None)] * 2


def test_ten_vfs_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    root = unpack("two-sockets", tmp_path)
    for index in range(4, 11):
        write(root.sys / f"devices/pci0000:40/0000:40:02.0/0000:41:00.0/virtfn{index}", "->", f"../0000:41:01.{index - 4}")
    found = vfs(probe(root, kernel=RecordedKernel("two-sockets")), "ens1f0np0")
    assert [vf.index for vf in found] == list(range(11))


def test_card_without_sriov_is_no_physical_function(told: Mapping[str, Facts]) -> None:
    assert interface(told["no-sriov"], "enp3s0").sriov is None


def test_pf_without_vfs_tells_how_many_there_could_be(told: Mapping[str, Facts]) -> None:
    sriov = interface(told["two-sockets"], "ens2f0np0").sriov
    assert sriov
    assert (sriov.total, sriov.current, sriov.vfs) == (8, 0, ())


# --- RDMA -----------------------------------------------------------------------------------------------------------


def test_device_files_are_found_by_the_device_and_not_by_their_number(told: Mapping[str, Facts]) -> None:
    facts = told["two-sockets"]
    assert {item.name: item.uverbs for item in facts.rdma} == {
        "mlx5_0": "uverbs1",
        "mlx5_1": "uverbs0",
        "mlx5_2": "uverbs5",
        "mlx5_3": "uverbs2",
    }


def test_rdma_device_of_software_has_no_device_and_is_found_by_its_parent(told: Mapping[str, Facts]) -> None:
    rxe = rdma(told["no-sriov"], "rxe0")
    assert (rxe.netdev, rxe.uverbs, rxe.pci) == ("enp3s0", "uverbs0", "")
    assert [(gid.index, gid.type) for port in rxe.ports for gid in port.gids] == [(0, "RoCE v2"), (1, "RoCE v2")]


def test_gid_behind_an_empty_one_is_found(told: Mapping[str, Facts]) -> None:
    (port,) = rdma(told["two-sockets"], "mlx5_0").ports
    assert [(gid.index, gid.type, gid.netdev) for gid in port.gids] == [
        (0, "IB/RoCE v1", "ens1f0np0"),
        (1, "RoCE v2", "ens1f0np0"),
        (3, "RoCE v2", "ens1f0np0.222"),
    ]
    assert (port.state, port.rate, port.link_layer) == ("ACTIVE", 100.0, "Ethernet")


def test_device_without_gids_has_the_interface_of_its_function(told: Mapping[str, Facts]) -> None:
    assert rdma(told["two-sockets"], "mlx5_2").netdev == "data7"


def test_gid_of_another_namespace_has_neither_type_nor_interface(told: Mapping[str, Facts]) -> None:
    device = rdma(told["two-sockets"], "mlx5_3")
    assert [(gid.type, gid.netdev) for gid in device.ports[0].gids] == [("", "")]
    assert (device.netdev, device.pci) == ("", "0000:41:00.3")


def test_rdma_namespace_mode_is_told_in_words(told: Mapping[str, Facts]) -> None:
    assert told["two-sockets"].system.rdma_netns == "shared"
    assert told["no-sriov"].system.rdma_netns == "exclusive"
    assert told["container"].system.rdma_netns is None


# --- block devices --------------------------------------------------------------------------------------------------


def test_drive_shows_the_mounts_of_the_array_on_it(told: Mapping[str, Facts]) -> None:
    drive = disk(told["two-sockets"], "nvme0n1")
    assert drive.holders == ("md0",)
    assert [(mount.target, mount.filesystem) for mount in drive.mounts] == [("/nvme", "xfs"), ("/srv/with space", "xfs")]
    assert "noatime" in drive.mounts[0].options


def test_drive_shows_the_mounts_of_its_partitions_and_of_volumes_on_them(told: Mapping[str, Facts]) -> None:
    drive = disk(told["two-sockets"], "nvme2n1")
    assert [mount.target for mount in drive.mounts] == ["/", "/boot"]
    assert drive.holders == ("dm-0",)


def test_file_system_with_a_number_of_its_own_is_found_by_its_source(told: Mapping[str, Facts]) -> None:
    assert [mount.target for mount in disk(told["two-sockets"], "nvme3n1").mounts] == ["/archive"]


def test_multipath_drive_sits_where_its_only_controller_does(told: Mapping[str, Facts]) -> None:
    drive = disk(told["two-sockets"], "nvme3n1")
    assert (drive.numa_node, drive.transport, drive.model) == (1, "pcie", "INTEL SSDPF2KX038TZ")
    assert drive.pcie
    assert drive.pcie.width == 4


def test_multipath_drive_of_two_controllers_sits_nowhere(tmp_path: Path) -> None:
    root = unpack("two-sockets", tmp_path)
    write(root.sys / "devices/virtual/nvme-subsystem/nvme-subsys3/nvme2", "->", "../../../pci/nvme2")
    drive = disk(probe(root, kernel=RecordedKernel("two-sockets")), "nvme3n1")
    assert (drive.numa_node, drive.pcie, drive.transport) == (None, None, "pcie")


def test_paths_loops_optical_drives_and_empty_readers_are_no_block_devices(told: Mapping[str, Facts]) -> None:
    two, one = told["two-sockets"], told["no-sriov"]
    assert [item.name for item in two.block_devices] == ["dm-0", "md0", "nvme0n1", "nvme1n1", "nvme2n1", "nvme3n1"]
    assert [item.name for item in one.block_devices] == ["md127", "nvme0n1", "sda", "sdb"]


def test_drive_of_another_host_has_its_transport_and_no_place(told: Mapping[str, Facts]) -> None:
    drive = disk(told["no-sriov"], "nvme0n1")
    assert (drive.transport, drive.numa_node, drive.pcie) == ("tcp", None, None)


def test_active_scheduler_is_the_one_in_brackets(told: Mapping[str, Facts]) -> None:
    facts = told["two-sockets"]
    assert (disk(facts, "nvme1n1").scheduler, disk(facts, "nvme1n1").schedulers) == ("mq-deadline", ("none", "mq-deadline", "kyber"))
    assert (disk(facts, "md0").scheduler, disk(facts, "dm-0").scheduler) == ("none", None)


def test_setting_that_the_kernel_refuses_is_left_out(told: Mapping[str, Facts]) -> None:
    facts = told["two-sockets"]
    assert "wbt_lat_usec" not in disk(facts, "nvme1n1").settings
    assert disk(facts, "nvme0n1").settings["wbt_lat_usec"] == "2000"
    assert disk(facts, "md0").settings == {"md/chunk_size": "524288", "md/level": "raid0", "read_ahead_kb": "4096"}


def test_devices_that_hold_each_other_end_the_search(tmp_path: Path) -> None:
    root = unpack("two-sockets", tmp_path)
    write(root.sys / "devices/virtual/block/md0/holders/nvme0n1", "->", "../nvme0n1")
    assert [mount.target for mount in disk(probe(root, kernel=RecordedKernel("two-sockets")), "md0").mounts] == ["/nvme", "/srv/with space"]


def test_mounts_are_those_of_the_first_process_and_not_our_protected_view(told: Mapping[str, Facts]) -> None:
    (mount,) = disk(told["no-sriov"], "sda").mounts
    assert (mount.target, mount.options) == ("/", ("rw", "relatime"))


# --- listeners ------------------------------------------------------------------------------------------------------


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


# --- system ---------------------------------------------------------------------------------------------------------


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
