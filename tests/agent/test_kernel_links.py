"""What is said to the kernel about interfaces, and what it says, is understood on both sides."""

from __future__ import annotations

import errno
import threading
from typing import Any

import pytest
from dtn_agent.kernel_links import KernelLinks, read_vf_table
from dtn_agent.protocol.vfs import VfSettings
from pyroute2 import IPRoute
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

UNKNOWN = 0xFFFFFFFF


def answer(*rows: dict[str, Any]) -> Any:
    """A kernel's answer about a PF with these rows, encoded and decoded as on the wire."""
    infos = [
        ("IFLA_VF_INFO", {"attrs": [(f"IFLA_VF_{name}", {"vf": index, **value}) for name, value in row.items()]})
        for index, row in enumerate(rows)
    ]
    message = ifinfmsg()
    message["attrs"] = [("IFLA_IFNAME", "pf0"), ("IFLA_VFINFO_LIST", {"attrs": infos})]
    message.encode()
    received = ifinfmsg(bytes(message.data))
    received.decode()
    return received


def row(spoofchk: int = 1, trust: int = 0) -> dict[str, Any]:
    return {
        "MAC": {"mac": "02:00:00:00:00:0a"},
        "VLAN": {"vlan": 100, "qos": 3},
        "RATE": {"min_tx_rate": 10, "max_tx_rate": 20},
        "SPOOFCHK": {"spoofchk": spoofchk},
        "TRUST": {"trust": trust},
    }


def test_a_pfs_table_is_read_by_index() -> None:
    full = VfSettings(mac="02:00:00:00:00:0a", vlan=100, vlan_priority=3, spoofchk=True, trust=False, min_rate=10, max_rate=20)
    assert read_vf_table(answer(row(), row(0, 1))) == {0: full, 1: full.model_copy(update={"spoofchk": False, "trust": True})}


def test_what_a_driver_does_not_tell_is_none() -> None:
    told = read_vf_table(answer(row(UNKNOWN, UNKNOWN), {"MAC": {"mac": "02:00:00:00:00:0b"}}))
    assert (told[0].spoofchk, told[0].trust) == (None, None)
    assert told[1] == VfSettings(mac="02:00:00:00:00:0b")


def test_an_interface_without_vfs_has_an_empty_table() -> None:
    message = ifinfmsg()
    message["attrs"] = [("IFLA_IFNAME", "eth0")]
    message.encode()
    received = ifinfmsg(bytes(message.data))
    received.decode()
    assert read_vf_table(received) == {}


@pytest.fixture
def links(own_network: None) -> KernelLinks:
    with IPRoute() as route:
        route.link("add", ifname="up0", kind="veth", peer="far0")
        route.link("set", index=route.link_lookup(ifname="up0")[0], state="up")
    return KernelLinks()


@pytest.mark.lab
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (VfSettings(vlan=100, vlan_priority=3), "vlan 100 qos 3"),
        (VfSettings(mac="02:00:00:00:00:0a"), "mac 02:00:00:00:00:0a"),
        (VfSettings(min_rate=10, max_rate=20), "min_rate 10 max_rate 20"),
        (VfSettings(spoofchk=False), "spoofchk off"),
        (VfSettings(trust=True), "trust on"),
    ],
)
def test_the_kernel_understands_every_setting_and_a_card_without_it_is_told(links: KernelLinks, change: VfSettings, told: str) -> None:
    """A message that the kernel could not read would be EINVAL; up0 is up, so one that renames it by mistake would be EBUSY."""
    with pytest.raises(OSError, match=f"up0: VF 3: {told}: Operation not supported") as refused:
        links.set_vf("up0", 3, change)
    assert refused.value.errno == errno.EOPNOTSUPP


@pytest.mark.lab
def test_nothing_to_set_is_nothing_said(links: KernelLinks) -> None:
    """Of an interface that is not there, any setting would be refused."""
    with pytest.raises(OSError, match="nix"):
        links.set_vf("nix", 0, VfSettings(vlan=7))
    links.set_vf("nix", 0, VfSettings())


@pytest.mark.lab
def test_an_interface_is_found_by_its_name_and_changed(links: KernelLinks) -> None:
    assert links.find("nix") is None
    link = links.find("far0")
    assert link is not None
    links.set_mtu(link, 1400)
    links.set_mac(link, "02:00:00:00:00:0b")
    links.rename(link, "near0")
    links.set_up(link, up=True)
    found = links.find("near0")
    assert found is not None
    assert (found.index, found.mtu, found.mac, found.is_up, found.parent) == (link.index, 1400, "02:00:00:00:00:0b", True, None)
    assert links.find("far0") is None


@pytest.mark.lab
def test_addresses_are_told_without_those_of_the_link_and_taken_away(links: KernelLinks) -> None:
    link = links.find("up0")
    assert link is not None
    with IPRoute() as route:
        route.addr("add", index=link.index, address="192.0.2.1", prefixlen=24)
        route.addr("add", index=link.index, address="fe80::1", prefixlen=64)
    assert links.addresses(link) == ("192.0.2.1/24",)
    links.flush_addresses(link)
    assert links.addresses(link) == ()


@pytest.mark.lab
def test_a_refusal_of_the_kernel_names_the_interface(links: KernelLinks) -> None:
    link = links.find("up0")
    assert link is not None
    with pytest.raises(OSError, match="up0: ") as refused:
        links.set_mtu(link, 70000)
    assert refused.value.errno == errno.EINVAL
    links.remove(link)
    with pytest.raises(OSError, match="up0: No such device"):
        links.set_up(link, up=True)


@pytest.mark.lab
def test_waiting_ends_with_the_change_that_is_waited_for_and_not_before(links: KernelLinks) -> None:
    asked = threading.Event()

    def come() -> None:
        asked.wait(60)
        with IPRoute() as route:
            route.link("add", ifname="late0", kind="veth", peer="late1")

    def there() -> bool:
        found = links.find("late0") is not None
        asked.set()
        return found

    comer = threading.Thread(target=come)
    comer.start()
    assert links.wait_until(there, 60)
    comer.join()
    assert not links.wait_until(lambda: links.find("never") is not None, 0.05)
