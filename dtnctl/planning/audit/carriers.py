"""Decides which interfaces of an undeclared host carry data, and which networks they are in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_interface
from typing import TYPE_CHECKING

from dtnctl.model.audit import Carried

if TYPE_CHECKING:
    from dtn_agent.protocol import Facts, Interface

SLOWEST_SHARE = 4  # of NICs with at least a quarter of the fastest one's speed data is expected; one for management is slower
LONGEST_NAME = 40
BUNDLES = ("bond", "team")
INSIDE = ("bridge", "dummy", "ipip", "sit", "tun", "vxlan", "wireguard")  # no cable of the host's own ends there


def data_nics(facts: Facts, wanted: Sequence[str] = ()) -> tuple[Interface, ...]:
    """The NICs that data leaves by, in name order: those that were named, else the fast ones that have a link.

    Where no NIC is one of hardware (a container, a network namespace), every interface with an address that leads out.
    """
    if wanted:
        return tuple(item for item in facts.interfaces if item.name in wanted)
    linked = [item for item in facts.interfaces if item.is_up and item.carrier and not _is_part(item, facts)]
    nics = [item for item in linked if not item.kind or item.kind in BUNDLES]
    if not nics:
        nics = [item for item in linked if item.kind not in (*INSIDE, "vlan") and item.addresses]
    fastest = max((item.speed or 0 for item in nics), default=0)
    return tuple(item for item in nics if (item.speed or 0) * SLOWEST_SHARE >= fastest)


def _is_part(interface: Interface, facts: Facts) -> bool:
    """A member of a bond, or a virtual function whose card is here too."""
    above = next((item for item in facts.interfaces if item.name == interface.master), None)
    has_card = bool(interface.physfn) and any(item.pci == interface.physfn for item in facts.interfaces)
    return has_card or (above is not None and above.kind in BUNDLES)


def carried(facts: Facts, nics: Sequence[Interface]) -> tuple[Carried, ...]:
    """What these NICs carry, in name order: themselves, and each VLAN of theirs. No two networks have one name."""
    found: dict[str, Carried] = {}
    for nic in nics:
        for item in _of_nic(facts, nic):
            name = item.network if item.network not in found else f"{item.network}-{name_of(item.interface)}"[:LONGEST_NAME]
            found[name] = Carried(name, item.interface, nic.name, item.vlan, item.subnet, item.address, item.mtu, item.speed)
    return tuple(found[name] for name in sorted(found))


def _of_nic(facts: Facts, nic: Interface) -> Iterator[Carried]:
    vlans = [item for item in facts.interfaces if item.kind == "vlan" and item.parent == nic.name and item.is_up]
    if _address(nic, facts) or not vlans:
        yield _carried(nic, nic, facts)
    for vlan in vlans:
        yield _carried(vlan, nic, facts)


def _carried(interface: Interface, nic: Interface, facts: Facts) -> Carried:
    address = _address(interface, facts)
    subnet = str(ip_interface(address).network) if address else ""
    unnumbered = f"vlan{interface.vlan}" if interface.vlan is not None else name_of(interface.name)
    return Carried(
        network_name(subnet) if subnet else unnumbered, interface.name, nic.name, interface.vlan, subnet, address, interface.mtu, nic.speed
    )


def _address(interface: Interface, facts: Facts) -> str:
    """Its first address that others reach, IPv4 before IPv6; that of the bridge that it is a member of, where it has none."""
    bridge = [item for item in facts.interfaces if item.name == interface.master and item.kind == "bridge"]
    for item in (interface, *bridge):
        reached = [ip_interface(text) for text in item.addresses]
        first = sorted((found for found in reached if not found.ip.is_link_local), key=lambda found: found.version)
        if first:
            return str(first[0])
    return ""


def network_name(subnet: str) -> str:
    """A name that two hosts in one subnet find by themselves: `net-192-168-2-0-24`."""
    return f"net-{name_of(subnet)}"[:LONGEST_NAME]


def name_of(text: str) -> str:
    """The text as a file may be called: of a host's, an interface's or a subnet's name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "host"
