"""VLAN sub-interfaces are made, removed if they are ours, and made again after a reboot; others' are used and left."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from dtn_agent.audit import Audit
from dtn_agent.errors import RefusedError
from dtn_agent.kernel_links import KernelLinks, Link
from dtn_agent.ledger import Ledger
from dtn_agent.log import Lines
from dtn_agent.protocol import Held
from dtn_agent.protocol.tuning import Tune
from dtn_agent.protocol.vlans import HeldVlan, MakeVlan, RemoveVlan
from dtn_agent.server.serve import restore
from dtn_agent.tuning.tune import HostTuning
from dtn_agent.vlan import VlanInterfaces
from pyroute2 import IPRoute

from tests.agent.server.serving import unasked

pytestmark = pytest.mark.lab
MARK = re.compile(r"vlan:(\d+)")


class MacvlanLinks(KernelLinks):
    """A kernel with 802.1Q, played by macvlan interfaces that carry their VLAN in the alias; all else about them is real.

    Nothing can sit on a macvlan, so what is to sit on one says so in its alias, too.
    """

    def all(self) -> tuple[Link, ...]:
        links = tuple(_as_vlan(link) for link in super().all())
        index = {f"on:{link.name}": link.index for link in links}
        return tuple(replace(link, parent=index[link.alias]) if link.alias in index else link for link in links)

    def find(self, name: str) -> Link | None:
        link = super().find(name)
        return _as_vlan(link) if link else None

    def add_vlan(self, parent: Link, vlan: int, name: str) -> None:
        with IPRoute() as route:
            route.link("add", ifname=name, kind="macvlan", link=parent.index)
            route.link("set", index=route.link_lookup(ifname=name)[0], ifalias=f"vlan:{vlan}")


def _as_vlan(link: Link) -> Link:
    mark = MARK.fullmatch(link.alias)
    return replace(link, kind="vlan", vlan=int(mark[1])) if mark else link


@pytest.fixture
def links(own_network: None) -> MacvlanLinks:
    with IPRoute() as route:
        route.link("add", ifname="up0", kind="veth", peer="far0")
        route.link("set", index=route.link_lookup(ifname="up0")[0], mtu=9000, state="up")
    return MacvlanLinks()


@pytest.fixture
def vlans(ledger: Ledger, links: MacvlanLinks) -> VlanInterfaces:
    return VlanInterfaces(ledger, links, parent_seconds=0.2)


def make(vlan: int = 100, site: str = "play", parent: str = "up0", mtu: int | None = None) -> MakeVlan:
    return MakeVlan(site=site, parent=parent, vlan=vlan, mtu=mtu)


def remove(vlan: int = 100, site: str = "play") -> RemoveVlan:
    return RemoveVlan(site=site, parent="up0", vlan=vlan)


def names(links: KernelLinks) -> list[str]:
    return [link.name for link in links.all() if link.name not in ("lo", "up0", "far0")]


@contextmanager
def refused(code: str, *words: str) -> Iterator[None]:
    with pytest.raises(RefusedError) as told:
        yield
    assert told.value.code == code, told.value
    assert [word for word in words if word not in str(told.value)] == [], told.value


def test_a_sub_interface_is_made_up_with_its_mtu_and_removed_again(vlans: VlanInterfaces, links: KernelLinks, ledger: Ledger) -> None:
    assert vlans.make(make(mtu=8900)).changed
    link = links.find("up0.100")
    assert link is not None
    assert (link.vlan, link.mtu, link.is_up) == (100, 8900, True)
    assert not vlans.make(make(mtu=8900)).changed
    assert vlans.make(make(mtu=1500)).changed
    assert vlans.remove(remove()).changed
    assert (names(links), ledger.read()) == ([], Held())
    assert not vlans.remove(remove()).changed


def test_one_that_is_there_is_used_as_it_is_and_never_removed(vlans: VlanInterfaces, links: KernelLinks, ledger: Ledger) -> None:
    parent = links.find("up0")
    assert parent is not None
    links.add_vlan(parent, 100, "up0.100")
    before = links.all()
    done = vlans.make(make(mtu=1500))
    assert (done.changed, "not ours" in done.detail) == (False, True)
    assert not vlans.remove(remove()).changed
    assert (links.all(), ledger.read()) == (before, Held())


def test_a_name_or_vlan_that_another_has_is_told(vlans: VlanInterfaces, links: KernelLinks, ledger: Ledger) -> None:
    parent = links.find("up0")
    assert parent is not None
    links.add_vlan(parent, 100, "storage")
    with refused("conflict", "VLAN 100 of up0 is there under the name storage"):
        vlans.make(make())
    links.add_vlan(parent, 7, "up0.200")
    with refused("conflict", "up0.200 is there and is not VLAN 200 of up0, but VLAN 7 of up0"):
        vlans.make(make(200))
    with IPRoute() as route:
        route.link("add", ifname="up0.300", kind="bridge")
    with refused("conflict", "up0.300", "a bridge"):
        vlans.make(make(300))
    assert ledger.read() == Held()


def test_another_sites_sub_interface_stays(vlans: VlanInterfaces, links: KernelLinks) -> None:
    vlans.make(make())
    with refused("conflict", "made for the site play"):
        vlans.make(make(site="other"))
    assert not vlans.remove(remove(site="other")).changed
    assert names(links) == ["up0.100"]


def test_what_something_sits_on_is_not_removed(vlans: VlanInterfaces, links: KernelLinks) -> None:
    vlans.make(make())
    with IPRoute() as route:
        route.link("add", ifname="child", kind="bridge")
        route.link("set", index=route.link_lookup(ifname="child")[0], ifalias="on:up0.100")
    with refused("conflict", "up0.100 cannot be removed: child uses it"):
        vlans.remove(remove())
    assert "up0.100" in names(links)


def test_what_cannot_be_is_refused_with_the_way_out(vlans: VlanInterfaces, ledger: Ledger) -> None:
    with refused("not-found", "nix: there is no such interface"):
        vlans.make(make(parent="nix"))
    with refused("conflict", "cannot have the MTU 9100: up0 has 9000", "interface/up0/mtu"):
        vlans.make(make(mtu=9100))
    with refused("unsupported", "enp65s0f0np0.100 is longer than the 15"):
        vlans.make(make(parent="enp65s0f0np0"))
    assert ledger.read() == Held()


def test_after_a_reboot_it_is_there_again(vlans: VlanInterfaces, links: KernelLinks, ledger: Ledger) -> None:
    vlans.make(make(mtu=8900))
    vlans.make(make(200))
    for name in ("up0.100", "up0.200"):
        link = links.find(name)
        assert link is not None
        links.remove(link)
    VlanInterfaces(ledger, links, parent_seconds=0.2).restore()
    link = links.find("up0.100")
    assert link is not None
    assert (names(links), link.mtu, link.is_up) == (["up0.100", "up0.200"], 8900, True)


def test_a_parent_that_is_gone_keeps_no_other_from_being_restored(vlans: VlanInterfaces, links: KernelLinks, ledger: Ledger) -> None:
    vlans.make(make())
    with IPRoute() as route:
        route.link("add", ifname="aa0", kind="veth", peer="aa1")
    vlans.make(make(parent="aa0"))
    for name in ("aa0", "up0.100"):
        link = links.find(name)
        assert link is not None
        links.remove(link)
    output = io.StringIO()
    vlans.audit = Audit(Lines(output), "agent")
    for _ in range(2):
        vlans.restore()
    assert unasked(output) == [("make-vlan", "aa0", "not-found"), ("make-vlan", "up0", "done"), ("make-vlan", "aa0", "not-found")]
    assert names(links) == ["up0.100"]
    assert [vlan.name for vlan in ledger.read().vlans] == ["aa0.100", "up0.100"], "it may come back"


class CountedLinks(MacvlanLinks):
    """Counts how often somebody waits."""

    waits = 0

    def wait_until(self, holds: Callable[[], bool], seconds: float) -> bool:
        self.waits += 1
        return super().wait_until(holds, seconds)


def test_parents_that_never_come_are_waited_for_once_and_not_each(links: KernelLinks, ledger: Ledger) -> None:
    vlans = tuple(HeldVlan(name=f"gone{number}.1", parent=f"gone{number}", vlan=1, mtu=None, site="play") for number in range(3))
    ledger.write(lambda held: held.model_copy(update={"vlans": vlans}))
    counted = CountedLinks()
    VlanInterfaces(ledger, counted, parent_seconds=0.1).restore()
    assert counted.waits == 1


def test_tuning_of_a_vlan_is_restored_after_the_vlan(
    vlans: VlanInterfaces, links: KernelLinks, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    vlans.make(make())
    key = "interface/up0.100/tx_queue_len"
    HostTuning(ledger).tune(Tune(site="play", key=key, value="777"))
    link = links.find("up0.100")
    assert link is not None
    links.remove(link)
    tuning = HostTuning(ledger)
    restore((tuning, vlans), Lines(io.StringIO()))
    assert (tuning.read([key])[key], caplog.records) == ("777", [])


def has_802_1q(links: KernelLinks) -> bool:
    parent = links.find("up0")
    assert parent is not None
    try:
        KernelLinks().add_vlan(parent, 4000, "probe")
    except OSError:
        return False
    probe = KernelLinks().find("probe")
    assert probe is not None
    KernelLinks().remove(probe)
    return True


def test_the_kernel_makes_it_and_removes_it(links: MacvlanLinks, ledger: Ledger) -> None:
    if not has_802_1q(links):
        pytest.skip("this kernel has no 802.1Q (module 8021q)")
    vlans = VlanInterfaces(ledger)
    vlans.make(make(mtu=8900))
    link = KernelLinks().find("up0.100")
    assert link is not None
    assert (link.kind, link.vlan, link.mtu, link.is_up) == ("vlan", 100, 8900, True)
    assert vlans.remove(remove()).changed
    assert KernelLinks().find("up0.100") is None


def test_on_a_kernel_without_802_1q_it_is_refused_and_nothing_is_kept(links: MacvlanLinks, ledger: Ledger) -> None:
    if has_802_1q(links):
        pytest.skip("this kernel has 802.1Q")
    with refused("unsupported", "up0.100", "module 8021q"):
        VlanInterfaces(ledger).make(make())
    assert ledger.read() == Held()
