"""kill -9 before every single change: whoever comes after can go on, and can put everything back as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dtn_agent.kernel_links import Link
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import Held
from dtn_agent.protocol.vfs import ConfigureVf, ReleaseVf, SetVfCount, VfSettings
from dtn_agent.vf.hardware import VfHardware
from dtn_agent.vf.virtual_functions import VirtualFunctions

from tests.agent.veth_card import VethLinks, VethTree, insert_card, vf_pci

pytestmark = [pytest.mark.lab, pytest.mark.slow]


class KilledError(BaseException):
    """What `kill -9` is to the code: nothing catches it."""


class Fuse:
    """Counts changes, and blows before the one that it is set to."""

    def __init__(self, before: int) -> None:
        self.before = before
        self.burnt = 0

    def burn(self) -> None:
        if self.burnt == self.before:
            raise KilledError
        self.burnt += 1


class FusedLedger(Ledger):
    def __init__(self, path: Path, fuse: Fuse) -> None:
        super().__init__(path)
        self.fuse = fuse

    def write(self, edit: Callable[[Held], Held]) -> Held:
        self.fuse.burn()
        return super().write(edit)


class FusedTree(VethTree):
    def __init__(self, root: Path, fuse: Fuse) -> None:
        super().__init__(root)
        self.fuse = fuse

    def write(self, path: Path, text: str) -> None:
        self.fuse.burn()
        super().write(path, text)


class FusedLinks(VethLinks):
    """Blows also between the settings of one VF, which are written one by one."""

    def __init__(self, root: Path, fuse: Fuse) -> None:
        super().__init__(root)
        self.fuse = fuse

    def set_vf(self, pf: str, index: int, change: VfSettings) -> None:
        for name, value in change.model_dump(exclude_none=True).items():
            self.fuse.burn()
            super().set_vf(pf, index, VfSettings.model_validate({name: value}))

    def flush_addresses(self, link: Link) -> None:
        self.fuse.burn()
        super().flush_addresses(link)

    def _set(self, link: Link, **words: Any) -> None:
        self.fuse.burn()
        super()._set(link, **words)


def fused(root: Path, ledger: Path, before: int) -> tuple[VirtualFunctions, Fuse]:
    """An agent that is killed before this change."""
    fuse = Fuse(before)
    card = VfHardware(FusedTree(root, fuse), FusedLinks(root, fuse), udev=root / "no-udev", start_seconds=1, return_seconds=1)
    return VirtualFunctions(FusedLedger(ledger, fuse), card, boot="first"), fuse


def take(vfs: VirtualFunctions) -> None:
    """Two VFs, one of them with everything, lent and asked for anew with less."""
    settings: dict[str, Any] = {"mac": "02:00:00:00:00:0a", "vlan": 100, "vlan_priority": 3, "trust": True, "max_rate": 20, "mtu": 1400}
    owner = {"site": "play", "session": "run", "network": "data", "pf": "pf0", "index": 1}
    vfs.set_count(SetVfCount(site="play", pf="pf0", count=2))
    vfs.configure(ConfigureVf.model_validate({**owner, **settings}))
    vfs.lend(vf_pci(1), 1300)
    vfs.take_back(vf_pci(1))
    vfs.configure(ConfigureVf.model_validate({**owner, "vlan": 200}))


def give(vfs: VirtualFunctions) -> None:
    vfs.release(ReleaseVf(site="play", pf="pf0", index=1))
    vfs.set_count(SetVfCount(site="play", pf="pf0", count=0))


def take_and_give(vfs: VirtualFunctions) -> None:
    take(vfs)
    give(vfs)


def seen(card: VfHardware) -> object:
    links = sorted((link.name, link.mac, link.mtu, link.is_up) for link in card.links.all())
    return card.links.vf_table("pf0"), card.tree.count("pf0"), links


def changes(root: Path, ledger: Path) -> int:
    """How many changes there are from the first to the last request."""
    vfs, fuse = fused(root, ledger, before=-1)
    take_and_give(vfs)
    return fuse.burnt


def test_a_kill_before_any_change_loses_nothing(own_network: None, tmp_path: Path) -> None:
    root, path = tmp_path / "sys", tmp_path / "ledger.json"
    card = insert_card(root)
    pf = card.links.find("pf0")
    assert pf is not None
    card.links.set_up(pf, up=False)
    before = seen(card)
    points = changes(root, path)
    assert points > 30
    for point in range(points):
        killed, _ = fused(root, path, point)
        with pytest.raises(KilledError):
            take_and_give(killed)
        after = VirtualFunctions(Ledger(path), card, boot="first")
        after.restore()
        if point % 2:
            take(after)
            assert (card.links.vf_table("pf0")[1].vlan, card.links.vf_table("pf0")[1].trust) == (200, False), f"point {point}"
        give(after)
        assert (seen(card), Ledger(path).read()) == (before, Held()), f"point {point}"
