"""VFs are taken, made what was asked for, and given back as they were; what others have stays theirs."""

from __future__ import annotations

import io
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dtn_agent.audit import Audit
from dtn_agent.errors import RefusedError
from dtn_agent.kernel_links import KernelLinks
from dtn_agent.ledger import Ledger
from dtn_agent.log import Lines
from dtn_agent.protocol import ConfigureVf, Held, HeldVf, ReleaseVf, SetVfCount, VfSettings
from dtn_agent.vf.hardware import VfHardware
from dtn_agent.vf.sriov_tree import SriovTree
from dtn_agent.vf.virtual_functions import VirtualFunctions
from pyroute2 import IPRoute
from pyroute2.netns import setns

from tests.agent.server.serving import unasked
from tests.agent.veth_card import PF_PCI, VethTree, hardware, vf_pci

pytestmark = pytest.mark.lab
MAC = "02:00:00:00:00:0a"


def count(number: int, site: str = "play") -> SetVfCount:
    return SetVfCount(site=site, pf="pf0", count=number)


def configure(index: int = 0, session: str = "run", site: str = "play", **settings: Any) -> ConfigureVf:
    return ConfigureVf.model_validate({"site": site, "session": session, "network": "data", "pf": "pf0", "index": index, **settings})


def release(index: int = 0, site: str = "play") -> ReleaseVf:
    return ReleaseVf(site=site, pf="pf0", index=index)


def seen(card: VfHardware) -> dict[str, object]:
    """All that a VF's release must bring back: the PF's table, and of each interface its name, MAC, MTU and whether it is up."""
    links = [(link.name, link.mac, link.mtu, link.is_up) for link in card.links.all() if not link.name.startswith("pf0r")]
    return {"table": card.links.vf_table("pf0"), "links": sorted(links)}


def row(card: VfHardware, index: int = 0) -> VfSettings:
    return card.links.vf_table("pf0")[index]


def interface_of(card: VfHardware, index: int) -> str:
    link = card.interface(vf_pci(index))
    assert link is not None
    return link.name


@contextmanager
def refused(code: str, *words: str) -> Iterator[None]:
    with pytest.raises(RefusedError) as told:
        yield
    assert told.value.code == code, told.value
    assert [word for word in words if word not in str(told.value)] == [], told.value


HERE = Path("/proc/thread-self/ns/net")


def move(name: str, source: Path, destination: Path, new_name: str) -> None:
    """Rename an interface and move it from one network namespace to another, as the engine does."""
    with source.open("rb") as source_file, destination.open("rb") as destination_file, ThreadPoolExecutor(1) as mover:
        mover.submit(_move, name, source_file.fileno(), destination_file.fileno(), new_name).result()


def _move(name: str, source: int, destination: int, new_name: str) -> None:
    setns(source)
    with IPRoute() as route:
        index = route.link_lookup(ifname=name)[0]
        route.link("set", index=index, state="down")
        route.link("set", index=index, ifname=new_name)
        route.link("set", index=index, net_ns_fd=destination)


@contextmanager
def container() -> Iterator[Path]:
    """A process in a network namespace of its own; the path of that namespace."""
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield Path(f"/proc/{process.pid}/ns/net")
        process.kill()


# --- how many --------------------------------------------------------------------------------------------------------


def test_a_pf_without_vfs_gets_as_many_as_asked_for_and_is_given_back_without(
    vfs: VirtualFunctions, card: VfHardware, ledger: Ledger
) -> None:
    before = seen(card)
    assert vfs.set_count(count(3)).changed
    assert card.tree.vfs("pf0") == {0: vf_pci(0), 1: vf_pci(1), 2: vf_pci(2)}
    assert [interface_of(card, index) for index in range(3)] == ["pf0v0", "pf0v1", "pf0v2"]
    assert not vfs.set_count(count(3)).changed
    assert vfs.set_count(count(0)).changed
    assert (seen(card), ledger.read()) == (before, Held())


def test_vfs_that_somebody_else_made_keep_their_number(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    card.tree.write_count("pf0", 2)
    with refused("conflict", "pf0 has 2 virtual functions", "not made by dtnctl"):
        vfs.set_count(count(4))
    assert not vfs.set_count(count(2)).changed, "it has as many as asked for already"
    assert not vfs.set_count(count(0)).changed, "giving back what is not ours is no error"
    assert (card.tree.count("pf0"), ledger.read()) == (2, Held())


def test_our_number_changes_only_while_nobody_has_a_vf(vfs: VirtualFunctions, card: VfHardware) -> None:
    vfs.set_count(count(2))
    vfs.configure(configure(1))
    for number in (0, 4):
        with refused("conflict", "VF 1 (0000:41:10.1): play/run (network data)"):
            vfs.set_count(count(number))
    vfs.release(release(1))
    assert vfs.set_count(count(4)).changed
    assert card.tree.count("pf0") == 4


def test_our_number_does_not_change_under_a_vf_that_is_used_without_us(vfs: VirtualFunctions, card: VfHardware) -> None:
    vfs.set_count(count(2))
    with container() as there:
        move("pf0v1", HERE, there, "eth0")
        with refused("conflict", "VF 1 (0000:41:10.1)", "another network namespace", "(process "):
            vfs.set_count(count(0))
    assert card.tree.count("pf0") == 2


def test_a_number_that_another_site_made_stays(vfs: VirtualFunctions, card: VfHardware) -> None:
    vfs.set_count(count(2))
    with refused("conflict", "made for the site play"):
        vfs.set_count(count(3, site="other"))
    assert not vfs.set_count(count(0, site="other")).changed
    assert card.tree.count("pf0") == 2


def test_a_number_that_is_there_already_is_the_one_after_the_next_boot_too(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    vfs.set_count(count(4))
    card.tree.write_count("pf0", 0)
    card.tree.write_count("pf0", 2)  # by hand
    assert not vfs.set_count(count(2)).changed
    card.tree.write_count("pf0", 0)
    VirtualFunctions(ledger, card, boot="second").restore()
    assert card.tree.count("pf0") == 2


def test_more_than_the_card_can_have_is_refused_before_anything_is_written(vfs: VirtualFunctions, ledger: Ledger) -> None:
    with refused("unsupported", "pf0 can have 4 virtual functions, not 9"):
        vfs.set_count(count(9))
    assert ledger.read() == Held()


def test_what_is_no_pf_is_told_apart(vfs: VirtualFunctions, card: VfHardware) -> None:
    (card.tree.sys / "class/net/eth9").mkdir()
    with refused("unsupported", "eth9", "no SR-IOV"):
        vfs.set_count(SetVfCount(site="play", pf="eth9", count=1))
    with refused("not-found", "nix", "no such interface"):
        vfs.set_count(SetVfCount(site="play", pf="nix", count=1))


def test_vfs_without_a_driver_are_told_and_cannot_be_taken(vfs: VirtualFunctions, card: VfHardware) -> None:
    (card.tree.pf_function("pf0") / "sriov_drivers_autoprobe").write_text("0\n")
    assert "no driver made an interface for 0, 1" in vfs.set_count(count(2)).detail
    with refused("conflict", "has no driver", "drivers_probe"):
        vfs.configure(configure(0))


# --- one VF ----------------------------------------------------------------------------------------------------------


def test_a_vf_gets_its_settings_and_is_given_back_to_the_byte(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    card.tree.write_count("pf0", 2)
    before, table = seen(card), (card.tree.sys / "table.json").read_bytes()
    settings: dict[str, Any] = {"mac": MAC, "vlan": 100, "vlan_priority": 3}
    settings |= {"spoofchk": False, "trust": True, "min_rate": 10, "max_rate": 20, "mtu": 1400}
    assert vfs.configure(configure(0, **settings)).changed
    assert row(card) == VfSettings.model_validate({**settings, "mtu": None})
    assert [(link.name, link.mac, link.mtu) for link in [card.interface(vf_pci(0))] if link] == [("pf0v0", MAC, 1400)]
    assert not vfs.configure(configure(0, **settings)).changed
    assert vfs.release(release(0)).changed
    assert (seen(card), (card.tree.sys / "table.json").read_bytes()) == (before, table)
    assert ledger.read() == Held()
    assert not vfs.release(release(0)).changed


def test_settings_that_are_not_asked_for_are_not_written(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    card.links.set_vf("pf0", 0, VfSettings(vlan=7, vlan_priority=2, max_rate=500))
    (card.tree.sys / "refused").write_text("vlan vlan_priority mac spoofchk trust")
    vfs.configure(configure(0, min_rate=100))
    assert (row(card).vlan, row(card).vlan_priority, row(card).min_rate, row(card).max_rate) == (7, 2, 100, 500)


def test_a_setting_that_is_asked_for_no_more_becomes_what_it_was(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    card.links.set_vf("pf0", 0, VfSettings(vlan=7))
    vfs.configure(configure(0, vlan=100, trust=True))
    assert vfs.configure(configure(0, trust=True)).changed
    assert (row(card).vlan, row(card).trust) == (7, True)


def test_a_setting_changed_by_hand_is_made_right_again(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0, vlan=100))
    card.links.set_vf("pf0", 0, VfSettings(vlan=5))
    (held,) = vfs.held()
    assert (held.wanted.vlan, held.now and held.now.vlan) == (100, 5)
    assert vfs.configure(configure(0, vlan=100)).changed
    assert row(card).vlan == 100


def test_somebody_elses_vf_is_refused_with_who_has_it(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 2)
    vfs.configure(configure(0))
    for other in (configure(0, session="other"), configure(0, site="other")):
        with refused("conflict", "pf0: VF 0 (0000:41:10.0) is held by play/run (network data)"):
            vfs.configure(other)
    assert not vfs.release(release(0, site="other")).changed
    assert len(vfs.held()) == 1


def test_a_vf_beyond_the_last_is_refused_with_who_has_the_others(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0))
    with refused("not-found", "pf0 has 1 virtual functions and so no VF 1", "VF 0 (0000:41:10.0): play/run"):
        vfs.configure(configure(1))


def test_a_vf_in_another_namespace_is_somebodys(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    with container() as there:
        move("pf0v0", HERE, there, "eth0")
        with refused("conflict", "another network namespace (process ", "the ledger does not hold it"):
            vfs.configure(configure(0))


def test_a_vf_of_a_virtual_machine_is_told_as_that(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    card.tree.write(card.tree.function(vf_pci(0)) / "driver/unbind", vf_pci(0))
    (card.tree.function(vf_pci(0)) / "driver").symlink_to("../bus/pci/drivers/vfio-pci")
    with refused("conflict", "is bound to vfio-pci"):
        vfs.configure(configure(0))


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (lambda route, index: route.addr("add", index=index, address="192.0.2.7", prefixlen=24), "192.0.2.7/24"),
        (lambda route, index: route.link("add", ifname="sits", kind="macvlan", link=index), "sits uses pf0v0"),
        (lambda route, index: enslave(route, index, "br"), "part of br"),
    ],
)
def test_a_vf_that_the_host_itself_uses_stays_the_hosts(
    vfs: VirtualFunctions, card: VfHardware, use: Callable[[Any, int], object], told: str
) -> None:
    card.tree.write_count("pf0", 1)
    link = card.interface(vf_pci(0))
    assert link is not None
    with IPRoute() as route:
        use(route, link.index)
    with refused("conflict", "is used on the host", told):
        vfs.configure(configure(0))


def enslave(route: Any, index: int, bridge: str) -> None:
    route.link("add", ifname=bridge, kind="bridge")
    route.link("set", index=index, master=route.link_lookup(ifname=bridge)[0])


def test_a_setting_that_the_driver_does_not_know_leaves_nothing_behind(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    card.tree.write_count("pf0", 1)
    (card.tree.sys / "refused").write_text("trust")
    before = seen(card)
    with refused("failed", "VF 0 (0000:41:10.0)", "trust True", "not supported"):
        vfs.configure(configure(0, mac=MAC, vlan=100, trust=True))
    assert (seen(card), ledger.read()) == (before, Held())


def test_a_vf_is_never_given_a_larger_mtu_than_its_pf(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    with refused("conflict", "cannot have the MTU 9000: its PF has 1500", "interface/pf0/mtu"):
        vfs.configure(configure(0, mtu=9000))
    assert vfs.held() == ()


def test_a_pf_that_is_down_is_up_while_somebody_has_a_vf(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 2)
    pf = card.links.find("pf0")
    assert pf is not None
    card.links.set_up(pf, up=False)
    vfs.configure(configure(0))
    vfs.configure(configure(1))
    assert vfs.pfs.is_up("pf0")
    vfs.release(release(0))
    assert vfs.pfs.is_up("pf0"), "VF 1 is still somebody's"
    vfs.release(release(1))
    assert not vfs.pfs.is_up("pf0")


def test_a_vf_in_a_container_is_not_given_back(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    before = seen(card)
    vfs.configure(configure(0, vlan=100))
    with container() as there:
        move("pf0v0", HERE, there, "eth0")
        with refused("conflict", "VF 0 (0000:41:10.0)", "(process ", "it cannot be released now"):
            vfs.release(release(0))
        assert [vf.now and vf.now.vlan for vf in vfs.held()] == [100]
        move("eth0", there, HERE, "dev7")
    assert vfs.release(release(0)).changed
    assert seen(card) == before, "back under its own name"


def test_a_vf_that_is_gone_is_forgotten(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0))
    card.tree.write_count("pf0", 0)
    assert [vf.now for vf in vfs.held()] == [None]
    assert "not there any more" in vfs.release(release(0)).detail
    assert vfs.held() == ()


def test_a_mac_that_a_driver_keeps_is_told_and_holds_nothing_up(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0, mac=MAC, vlan=5))
    (card.tree.sys / "refused").write_text("mac")
    assert "the driver keeps mac" in vfs.release(release(0)).detail
    assert (row(card).vlan, ledger.read()) == (0, Held())


@pytest.mark.parametrize("was_up", [True, False])
def test_a_card_that_takes_an_interfaces_mac_into_its_table_has_it_as_it_was(vfs: VirtualFunctions, card: VfHardware, was_up: bool) -> None:
    card.tree.write_count("pf0", 1)
    pf = card.links.find("pf0")
    assert pf is not None
    card.links.set_up(pf, up=was_up)
    (card.tree.sys / "takes-macs").touch()
    before = seen(card)
    vfs.configure(configure(0, mac=MAC, vlan=5))
    assert vfs.release(release(0)).detail == ""
    assert seen(card) == before


# --- after a reboot, a crash -----------------------------------------------------------------------------------------


def test_after_a_reboot_pfs_and_vfs_are_again_what_the_ledger_says(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    vfs.set_count(count(2))
    vfs.configure(configure(1, mac=MAC, vlan=100, mtu=1400))
    card.tree.write_count("pf0", 0)  # a reboot takes the VFs and forgets the table
    again = VirtualFunctions(ledger, hardware(card.tree.sys), boot="second")
    again.restore()
    assert card.tree.count("pf0") == 2
    assert (row(card, 1).mac, row(card, 1).vlan) == (MAC, 100)
    assert [(link.name, link.mac, link.mtu) for link in [card.interface(vf_pci(1))] if link] == [("pf0v1", MAC, 1400)]
    again.restore()
    again.release(release(1))
    assert again.set_count(count(0)).changed


class NotedTree(SriovTree):
    """Plain files for two cards' PFs; notes who gets VFs."""

    def __init__(self, sys: Path, **pfs: str) -> None:
        super().__init__(sys)
        self.counted: list[str] = []
        for name, pci in pfs.items():
            function = sys / "bus/pci/devices" / pci
            (function / "net" / name).mkdir(parents=True)
            (function / "sriov_totalvfs").write_text("8")
            self.forget(pci)
            (sys / "class/net" / name).mkdir(parents=True)
            (sys / "class/net" / name / "device").symlink_to(function)

    def forget(self, pci: str) -> None:
        (self.function(pci) / "sriov_numvfs").write_text("0")

    def write(self, path: Path, text: str) -> None:
        self.counted.append(f"{path.parent.name} {text}")
        super().write(path, text)


def test_pfs_get_their_vfs_in_the_order_in_which_they_first_did(ledger: Ledger, tmp_path: Path) -> None:
    """The kernel numbers verbs devices as they appear, and containers keep the numbers that they were made with."""
    first, second = "0000:81:00.0", "0000:41:00.0"
    tree = NotedTree(tmp_path / "sys", zz0=first, aa0=second)
    vfs = VirtualFunctions(ledger, VfHardware(tree, udev=tmp_path / "none", start_seconds=0), boot="first")
    for pf in ("zz0", "aa0"):
        vfs.set_count(SetVfCount(site="play", pf=pf, count=4))
    (tree.function(first) / "sriov_numvfs").write_text("2")  # by hand
    vfs.set_count(SetVfCount(site="play", pf="zz0", count=2))
    for pci in (first, second):
        tree.forget(pci)
    tree.counted.clear()
    vfs.restore()
    assert tree.counted == [f"{first} 2", f"{second} 4"]
    vfs.set_count(SetVfCount(site="play", pf="zz0", count=3))
    assert [pf.pf for pf in ledger.read().pfs] == ["aa0", "zz0"], "its functions are the newest now"


def test_a_new_boots_name_is_kept_and_this_boots_name_comes_back(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    card.tree.write_count("pf0", 2)
    vfs.configure(configure(0))
    with container() as there:
        move("pf0v0", HERE, there, "eth0")
        move("eth0", there, HERE, "dev3")
    vfs.restore()
    assert interface_of(card, 0) == "pf0v0", "the same boot: it came back from a container"
    link = card.interface(vf_pci(0))
    assert link is not None
    card.links.rename(link, "ens5v0")
    again = VirtualFunctions(ledger, card, boot="second")
    again.restore()
    assert interface_of(card, 0) == "ens5v0", "another boot: it was named anew"
    again.release(release(0))
    assert interface_of(card, 0) == "ens5v0"


def test_what_is_made_again_unasked_has_its_line_and_what_was_so_has_none(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    vfs.set_count(count(2))
    for index in (0, 1):
        vfs.configure(configure(index, vlan=100))
    output = io.StringIO()
    again = VirtualFunctions(ledger, card, boot="second", audit=Audit(Lines(output), "agent"))
    again.restore()
    assert unasked(output) == []
    card.tree.write_count("pf0", 0)
    again.restore()
    assert unasked(output) == [("set-vf-count", "pf0", "done"), *[("configure-vf", "pf0", "done")] * 2]
    card.tree.write_count("pf0", 0)
    (card.tree.sys / "refused").write_text("vlan")
    again.restore()
    assert unasked(output)[3:] == [("set-vf-count", "pf0", "done"), *[("configure-vf", "pf0", "failed")] * 2]


def test_interface_that_the_kernel_brought_back_has_its_line_when_it_is_named(
    vfs: VirtualFunctions, card: VfHardware, ledger: Ledger
) -> None:
    card.tree.write_count("pf0", 2)
    vfs.configure(configure(0))
    link = card.interface(vf_pci(0))
    assert link is not None
    card.links.rename(link, "dev7")
    output = io.StringIO()
    again = VirtualFunctions(ledger, card, boot="first", audit=Audit(Lines(output), "agent"))
    stop = threading.Event()
    assert again._caught(stop, frozenset()) == frozenset()
    assert unasked(output) == [("take-back", vf_pci(0), "done")]


class TreeOfAPf(VethTree):
    """Notes whether the PF was up each time its count was written."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.up_at_count: list[bool] = []

    def write(self, path: Path, text: str) -> None:
        if path.name == "sriov_numvfs":
            self.up_at_count += [link.is_up for link in KernelLinks().all() if link.name == "pf0"]
        super().write(path, text)


@pytest.mark.parametrize("ours", [True, False])
def test_a_pf_that_somebody_raised_is_up_again_before_it_has_its_vfs(
    vfs: VirtualFunctions, card: VfHardware, ledger: Ledger, ours: bool
) -> None:
    vfs.set_count(count(2)) if ours else card.tree.write_count("pf0", 2)
    vfs.configure(configure(1))
    (held,) = ledger.read().vfs
    assert not held.raised_pf
    pf = card.links.find("pf0")
    assert pf is not None
    card.links.set_up(pf, up=False)
    if ours:
        card.tree.write_count("pf0", 0)
    tree = TreeOfAPf(card.tree.sys)
    VirtualFunctions(ledger, replace(card, tree=tree), boot="second").restore()
    assert card.tree.count("pf0") == 2
    assert tree.up_at_count == ([True] if ours else [])
    assert card.links.find("pf0") == pf, "up, as it was found"


def test_a_pf_that_was_down_when_it_got_its_vfs_is_raised_after_that_again(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    pf = card.links.find("pf0")
    assert pf is not None
    card.links.set_up(pf, up=False)
    vfs.set_count(count(2))
    vfs.configure(configure(1))
    card.links.set_up(pf, up=False)
    card.tree.write_count("pf0", 0)
    tree = TreeOfAPf(card.tree.sys)
    VirtualFunctions(ledger, replace(card, tree=tree), boot="second").restore()
    assert tree.up_at_count == [False], "igb takes the MACs of VFs that start while it is up into its table"
    assert vfs.pfs.is_up("pf0")


def test_a_pf_none_of_whose_vfs_anybody_has_stays_down(vfs: VirtualFunctions, card: VfHardware) -> None:
    vfs.set_count(count(2))
    pf = card.links.find("pf0")
    assert pf is not None
    card.links.set_up(pf, up=False)
    vfs.restore()
    assert not vfs.pfs.is_up("pf0")


def test_an_interface_whose_own_name_udev_made_an_alternative_one_gets_it_back(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0))
    link = card.interface(vf_pci(0))
    assert link is not None
    card.links.set_up(link, up=False)
    card.links.rename(link, "eth0")
    with IPRoute() as route:
        route.link("property_add", index=link.index, altname="pf0v0")
    vfs.restore()
    assert interface_of(card, 0) == "pf0v0"


@contextmanager
def watched(vfs: VirtualFunctions) -> Iterator[None]:
    stop = threading.Event()
    watcher = threading.Thread(target=vfs.watch, args=(stop,))
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def test_an_interface_that_the_kernel_brings_back_gets_its_own_name_at_once(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 2)
    vfs.configure(configure(0))
    vfs.configure(configure(1))
    with container() as there, watched(vfs):
        move("pf0v0", HERE, there, "eth0")
        move("pf0v1", HERE, there, "eth1")
        move("eth0", there, HERE, "dev3")
        move("eth1", there, HERE, "eth0")
        assert card.links.wait_until(lambda: card.links.find("pf0v0") is not None, 10)
        assert card.links.wait_until(lambda: card.links.find("pf0v1") is not None, 10)
    assert (interface_of(card, 0), interface_of(card, 1)) == ("pf0v0", "pf0v1")


def test_a_name_that_is_taken_meanwhile_stays_with_who_has_it(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0, vlan=5))
    link = card.interface(vf_pci(0))
    assert link is not None
    card.links.rename(link, "dev0")
    with IPRoute() as route:
        route.link("add", ifname="pf0v0", kind="bridge")
    vfs.restore()
    assert interface_of(card, 0) == "dev0"
    assert vfs.release(release(0)).changed


def test_one_vf_that_cannot_be_restored_keeps_no_other_from_it(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 2)
    vfs.configure(configure(0))
    vfs.configure(configure(1, vlan=100))
    card.tree.function(vf_pci(0)).unlink()
    card.links.set_vf("pf0", 1, VfSettings(vlan=0))
    vfs.restore()
    assert row(card, 1).vlan == 100


def test_a_vf_whose_driver_was_not_started_again_gets_it(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0, mac=MAC))
    card.tree.write(card.tree.function(vf_pci(0)) / "driver/unbind", vf_pci(0))
    vfs.restore()
    assert interface_of(card, 0) == "pf0v0"


# --- lending ---------------------------------------------------------------------------------------------------------


def test_what_is_lent_is_as_the_ledger_says_down_and_without_addresses(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0, mac=MAC, vlan=100))
    link = card.interface(vf_pci(0))
    assert link is not None
    card.links.set_up(link, up=True)
    with IPRoute() as route:
        route.addr("add", index=link.index, address="192.0.2.9", prefixlen=24)
    card.links.set_vf("pf0", 0, VfSettings(vlan=0))
    lent = vfs.lend(vf_pci(0), mtu=1300)
    found = card.interface(vf_pci(0))
    assert found is not None
    assert (lent.name, found.is_up, found.mtu, found.mac, card.links.addresses(found)) == ("pf0v0", False, 1300, MAC, ())
    assert row(card).vlan == 100


def test_a_mac_that_was_changed_while_a_container_had_the_vf_is_in_force_at_the_next_start(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0, mac=MAC))
    with container() as there:
        move("pf0v0", HERE, there, "eth0")
        vfs.configure(configure(0, mac="02:00:00:00:00:0b", mtu=1400))
        move("eth0", there, HERE, "eth0")
    vfs.lend(vf_pci(0), None)
    link = card.interface(vf_pci(0))
    assert link is not None
    assert (link.name, link.mac, link.mtu) == ("pf0v0", "02:00:00:00:00:0b", 1400)


def test_only_what_somebody_has_is_lent(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    with refused("not-found", "0000:41:10.0 is not reserved", "dtnctl apply"):
        vfs.lend(vf_pci(0), None)
    vfs.configure(configure(0))
    with container() as there:
        move("pf0v0", HERE, there, "eth0")
        with refused("conflict", "another network namespace (process "):
            vfs.lend(vf_pci(0), None)


def test_what_comes_back_gets_its_own_name_and_mac_again(vfs: VirtualFunctions, card: VfHardware) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0, mtu=1400))
    link = card.interface(vf_pci(0))
    assert link is not None
    card.links.set_mac(link, "02:00:00:00:00:ff")
    card.links.set_mtu(link, 1000)
    card.links.rename(link, "dev1")
    vfs.take_back(vf_pci(0))
    back = card.interface(vf_pci(0))
    assert back is not None
    assert (back.name, back.mac, back.mtu) == ("pf0v0", link.mac, 1400)


# --- what the ledger keeps -------------------------------------------------------------------------------------------


def test_the_ledger_says_how_it_was_and_what_was_asked_for(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0, vlan=100))
    (held,) = ledger.read().vfs
    assert isinstance(held, HeldVf)
    assert (held.pf, held.pf_pci, held.pci, held.found.vlan, held.wanted) == ("pf0", PF_PCI, vf_pci(0), 0, VfSettings(vlan=100))
