"""The probe's facts of recorded hosts, whole, and the traps that their interfaces and VFs hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
from dtn_agent.probe import HostRoot, probe
from dtn_agent.probe.answers import LinkAnswer
from dtn_agent.probe.files import Files, PciFunction
from dtn_agent.probe.pci import PacketSizes, packet_sizes
from dtn_agent.protocol import Facts, Held, Interface

from tests.agent.probe.pieces import interface, vfs
from tests.agent.recorded import HOSTS, NAMES, RecordedKernel, facts_of, golden, unpack, write


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
    return probe(HostRoot(**{name: folder / name for name in ("sys", "proc", "dev", "run", "etc", "modules", "state")}))


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
