"""After a reboot, a crash or a container's end, PFs and VFs are again what the ledger says."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from dtn_agent.audit import Audit
from dtn_agent.kernel_links import KernelLinks
from dtn_agent.ledger import Ledger
from dtn_agent.log import Lines
from dtn_agent.protocol.vfs import SetVfCount, VfSettings
from dtn_agent.vf.hardware import VfHardware
from dtn_agent.vf.sriov_tree import SriovTree
from dtn_agent.vf.virtual_functions import VirtualFunctions
from pyroute2 import IPRoute

from tests.agent.server.serving import unasked
from tests.agent.veth_card import VethTree, hardware, vf_pci
from tests.agent.vf.asking import HERE, MAC, configure, container, count, interface_of, move, release, row

pytestmark = pytest.mark.lab


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
        assert card.links.wait_until(lambda: card.links.find("pf0v0") is not None, 60)
        assert card.links.wait_until(lambda: card.links.find("pf0v1") is not None, 60)
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
