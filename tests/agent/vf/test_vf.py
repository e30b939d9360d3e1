"""A VF is taken, becomes what was asked for, and is given back as it was; what others have stays theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import Held
from dtn_agent.protocol.vfs import HeldVf, VfSettings
from dtn_agent.vf.hardware import VfHardware
from dtn_agent.vf.virtual_functions import VirtualFunctions
from pyroute2 import IPRoute

from tests.agent.veth_card import PF_PCI, vf_pci
from tests.agent.vf.asking import HERE, MAC, configure, container, move, refused, release, row, seen

pytestmark = pytest.mark.lab


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


def test_the_ledger_says_how_it_was_and_what_was_asked_for(vfs: VirtualFunctions, card: VfHardware, ledger: Ledger) -> None:
    card.tree.write_count("pf0", 1)
    vfs.configure(configure(0, vlan=100))
    (held,) = ledger.read().vfs
    assert isinstance(held, HeldVf)
    assert (held.pf, held.pf_pci, held.pci, held.found.vlan, held.wanted) == ("pf0", PF_PCI, vf_pci(0), 0, VfSettings(vlan=100))
