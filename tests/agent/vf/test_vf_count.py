"""How many VFs a PF has: made once, left where others made them, changed only while no session has one."""

from __future__ import annotations

import pytest
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import Held
from dtn_agent.protocol.vfs import SetVfCount
from dtn_agent.vf.hardware import VfHardware
from dtn_agent.vf.virtual_functions import VirtualFunctions

from tests.agent.veth_card import vf_pci
from tests.agent.vf.asking import HERE, configure, container, count, interface_of, move, refused, release, seen

pytestmark = pytest.mark.lab


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
