"""RDMA devices and drives of recorded hosts, and the traps that each of them holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dtn_agent.probe import probe
from dtn_agent.protocol import Facts

from tests.agent.probe.pieces import disk, rdma
from tests.agent.recorded import RecordedKernel, unpack, write


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
