"""The map of a host: each device on its node, and who has it by the containers and the agent's ledger."""

from __future__ import annotations

from dataclasses import replace

from dtn_agent.protocol import BlockDevice, Held, Host, Mounted, Owner
from dtn_agent.protocol.vfs import HeldVf, VfSettings
from dtn_agent.protocol.volumes import Backing, HeldExport, HeldMount, HeldVolume, Portal

from dtnctl.model.host_map import CardPlace, CarriedNetwork, CpuPlace, FunctionPlace, HeldHere, HostMap, NodePlace
from dtnctl.model.site import Site
from dtnctl.planning.maps.host import host_map
from tests.planning.building import NOW, applied, site
from tests.planning.dtns import STAR, after, agent, dtn, endpoint, session
from tests.planning.machines import LAN, machine, pf
from tests.properties.world import World

PINNED = "{data_nets: [star], mgmt_net: null, near: data_net, cpus: 3, volumes: [{source: /nvme/one, target: /data, mode: rw}, scratch:/s]}"


def _map(declared: Site, made: World, name: str = "a") -> HostMap:
    return host_map(declared, made.observe(), name, NOW)


def _node(found: HostMap, node: int | None) -> NodePlace:
    return next(item for item in found.nodes if item.node == node)


def _card(found: HostMap, name: str) -> CardPlace:
    return next(card for node in found.nodes for card in node.cards if card.name == name)


def test_each_session_has_its_cpus_its_function_and_its_folder_on_the_node_of_its_card() -> None:
    declared = dtn(STAR, session("one", PINNED), session("two"))
    found = _map(declared, after(declared))
    assert found.unknown == ""
    assert found.hardware == ("dtn", "Linux 6.12")
    assert found.sessions == (
        HeldHere("one", "running", "8-10", ("ens1f0 0",), ("star",), ("/nvme/one",)),
        HeldHere("two", "running", "", ("ens1f0 1",), ("star",), ()),
    )
    node = _node(found, 1)
    assert [cpu for cpu in node.cpus if cpu.sessions] == [
        CpuPlace(8, ("one",), serves_interrupts=True),
        CpuPlace(9, ("one",)),
        CpuPlace(10, ("one",)),
    ]
    assert (len(node.cpus), len(_node(found, 0).cpus), node.memory) == (16, 16, 256 * 1024**3)
    assert [(disk.name, disk.sessions, disk.mounts) for disk in node.disks] == [("nvme0n1", ("one",), ("/nvme",))]
    assert _card(found, "ens1f0").functions[:3] == (
        FunctionPlace(0, "one", "star"),
        FunctionPlace(1, "two", "star"),
        FunctionPlace(2),
    )
    assert _card(found, "ens1f0").functions[2].is_free
    assert _card(found, "ens1f0").networks == (CarriedNetwork("star", "sriov"),)


def test_what_has_no_node_stands_apart_and_devices_above_others_have_no_place() -> None:
    disks = (
        BlockDevice(name="nvme0n1", size=1, numa_node=0, transport="pcie", model="M"),
        BlockDevice(name="md0", size=1, mounts=(Mounted(target="/nvme", filesystem="xfs"),)),
        BlockDevice(name="nvme1n1", size=1, transport="tcp"),
    )
    host = machine(pf("ens1f0", 1).model_copy(update={"numa_node": 7}), disks=disks)
    facts = host.facts.model_copy(update={"cpus": host.facts.cpus.model_copy(update={"online": "0-32", "model": "Some CPU", "sockets": 2})})
    system = facts.system.model_copy(update={"virtualization": "kvm"})
    declared = dtn(STAR)
    told = host.model_copy(update={"facts": facts.model_copy(update={"system": system})})
    found = _map(declared, after(declared, told=told))
    assert found.hardware == ("dtn", "Some CPU", "Linux 6.12", "kvm")
    assert [(node.node, node.socket) for node in found.nodes] == [(0, 0), (1, 1), (None, None)]
    apart = found.nodes[-1]
    assert [card.name for card in apart.cards] == ["ens1f0"]
    assert [disk.name for disk in apart.disks] == ["nvme1n1"]
    assert [cpu.number for cpu in apart.cpus] == [32]
    assert [disk.name for disk in _node(found, 0).disks] == ["nvme0n1"]


def test_a_cpu_that_a_node_lists_and_that_is_off_line_has_no_place() -> None:
    host = machine()
    cpus = host.facts.cpus.model_copy(update={"online": "0-30"})
    told = host.model_copy(update={"facts": host.facts.model_copy(update={"cpus": cpus})})
    declared = dtn(STAR)
    assert [cpu.number for cpu in _node(_map(declared, after(declared, told=told)), 1).cpus][-1] == 30


def test_an_interface_that_carries_nothing_and_is_no_card_has_no_place() -> None:
    declared = dtn(STAR)
    found = _map(declared, after(declared))
    assert [card.name for node in found.nodes for card in node.cards] == ["ens1f0"]
    assert LAN.name == "eth9"


def test_sessions_without_a_function_stand_at_the_network_that_they_are_attached_to() -> None:
    bridge = "# networks/lan\ndriver: macvlan\nvlan: 17\nsubnet: 10.9.0.0/24\n"
    on_lan = "{data_nets: [lan], mgmt_net: null}"
    on_host = "{mgmt_net: host, data_nets: []}"
    declared = dtn(bridge, session("one", on_lan), session("two", on_host), on=endpoint(interfaces="{lan: eth9, host: eth9}"))
    found = _map(declared, after(declared))
    assert _card(found, "eth9").networks == (CarriedNetwork("host", "host", None, ("two",)), CarriedNetwork("lan", "macvlan", 17, ("one",)))
    assert _card(found, "eth9").functions == ()


def test_an_interface_that_the_host_does_not_have_is_shown_as_missing() -> None:
    declared = dtn(STAR, on=endpoint(interfaces="{star: ens9}"))
    found = _map(declared, after(declared))
    assert _node(found, None).cards == (CardPlace("ens9", is_there=False, networks=(CarriedNetwork("star", "sriov"),)),)


def test_reserved_cpus_are_those_that_are_written_or_those_of_the_interrupts() -> None:
    for text, expected in (("0-1", [0, 1]), ("irq", [8])):
        declared = dtn(STAR, on=endpoint(more=f"reserved_cpus: {text}\n"))
        found = _map(declared, after(declared))
        assert [cpu.number for node in found.nodes for cpu in node.cpus if cpu.is_reserved] == expected


def test_what_another_site_or_program_has_is_no_session_of_ours() -> None:
    declared = dtn(STAR)
    card = pf("ens1f0", 1)
    assert card.sriov is not None
    vfs = tuple(vf.model_copy(update={"driver": "vfio-pci"}) if vf.index == 2 else vf for vf in card.sriov.vfs)
    card = card.model_copy(update={"sriov": card.sriov.model_copy(update={"vfs": vfs})})
    settings = VfSettings()
    taken = HeldVf(
        pf="ens1f0",
        pf_pci=card.pci,
        index=1,
        pci=vfs[1].pci,
        owner=Owner(site="other", session="x", network="n"),
        found=settings,
        wanted=settings,
    )
    made = after(declared)
    agent(made).machine = machine(card, held=Held(vfs=(taken,)))
    functions = _card(_map(declared, made), "ens1f0").functions
    assert functions[1] == FunctionPlace(1, other="other/x")
    assert functions[2] == FunctionPlace(2, other="vfio-pci")


def test_volumes_over_nvme_are_named_at_their_devices() -> None:
    portal = Portal(transport="tcp", address="10.0.0.1", port=4420)
    export = HeldExport(
        site="lab", volume="scratch", nqn="n", uuid="u", serial="s", backing=Backing(device="/dev/nvme0n1"), portal=portal, hosts=()
    )
    mount = HeldMount(path="/v", file_system="xfs", mode="rw", is_mounted=True)
    connected = HeldVolume(site="lab", volume="far", nqn="n", uuid="u", portal=portal, state="live", device="/dev/nvme9n1", mount=mount)
    disks = (BlockDevice(name="nvme0n1", size=1, numa_node=0), BlockDevice(name="nvme9n1", size=1, transport="tcp"))
    host: Host = machine(held=Held(exports=(export,), volumes=(connected,)), disks=disks)
    declared = dtn(STAR)
    made = after(declared)
    agent(made).machine = host
    found = _map(declared, made)
    assert [(disk.name, disk.exported, disk.volume) for node in found.nodes for disk in node.disks] == [
        ("nvme0n1", "scratch", ""),
        ("nvme9n1", "", "far"),
    ]


def test_what_is_not_known_is_said_and_sessions_are_shown_all_the_same() -> None:
    text = "# sessions/one\nendpoints: [a, b]\nimage: dtn:1\n"
    made = applied(site(text))
    found = _map(site(text), made)
    assert found.unknown == "the endpoint has no agent that reports its hardware"
    assert (found.sessions, found.nodes) == ((HeldHere("one", "running"),), ())
    made.hosts["a"].silence = "no answer within 10 s"
    found = _map(site(text), made)
    assert (found.unknown, found.sessions) == ("no answer within 10 s", (HeldHere("one", "unknown"),))


def test_an_agent_that_is_silent_is_the_reason() -> None:
    declared = dtn(STAR, session("one"))
    made = after(declared)
    seen = made.observe()
    silent = replace(seen.endpoints["a"], host=None, agent_silence="connection refused")
    found = host_map(declared, replace(seen, endpoints={"a": silent}), "a", NOW)
    assert (found.unknown, found.sessions[0].functions) == ("connection refused", ())
