"""A VF that a container borrows goes and returns with its own name and MAC."""

from __future__ import annotations

import pytest
from dtn_agent.protocol.vfs import VfSettings
from dtn_agent.vf.hardware import VfHardware
from dtn_agent.vf.virtual_functions import VirtualFunctions
from pyroute2 import IPRoute

from tests.agent.veth_card import vf_pci
from tests.agent.vf.asking import HERE, MAC, configure, container, move, refused, row

pytestmark = pytest.mark.lab


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
