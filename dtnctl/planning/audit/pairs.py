"""Decides which interfaces of two hosts belong together, which packets to send between them, and what is wrong with them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_interface

from dtnctl.model.audit import Carried, Pair, PairFault, Size

USUAL = (9000, 1500, 1280)  # bytes; what switches, most hosts and every IPv6 link carry
HEADERS = {4: 28, 6: 48}  # bytes of IP and ICMP before the data of a ping
LARGEST = 65535
REFUSED = "the login at the first host may not send ICMP packets; as root it may"
NO_ADDRESS = "a VLAN of both hosts, where one of them has no address"
SILENT = "no packet came back, whatever its size: is ICMP filtered, or is there no route?"


@dataclass(frozen=True, slots=True)
class Ping:
    """An ICMP echo to send: `data` is its size without headers."""

    address: str
    interface: str
    bytes: int
    data: int


def pairs_of(near: Sequence[Carried], far: Sequence[Carried]) -> tuple[Pair, ...]:
    """Interfaces in one subnet; else, between routers, the fastest with an address of each host. And VLANs without addresses, by number."""
    tagged = [Pair("", item, other, trouble=NO_ADDRESS) for item in near for other in far if _is_same_vlan(item, other)]
    found = [Pair(item.subnet, item, other) for item in near for other in far if item.subnet and item.subnet == other.subnet]
    if found:
        return (*found, *tagged)
    ends = [_fastest(near, version) for version in HEADERS], [_fastest(far, version) for version in HEADERS]
    return (*next(((Pair("", one, other),) for one, other in zip(*ends, strict=True) if one and other), ()), *tagged)


def _is_same_vlan(near: Carried, far: Carried) -> bool:
    """An address on one side alone reaches nothing."""
    return near.vlan is not None and near.vlan == far.vlan and not (near.address and far.address)


def _fastest(carried: Sequence[Carried], version: int) -> Carried | None:
    reached = [item for item in carried if item.address and ip_interface(item.address).version == version]
    return max(reached, key=lambda item: item.speed or 0, default=None)


def pings_of(pair: Pair) -> tuple[Ping, ...]:
    """The largest packet first: as large as the first host can send, as the second one takes, the usual sizes; none without addresses."""
    if pair.trouble:
        return ()
    there = ip_interface(pair.far.address)
    most = min(pair.near.mtu, LARGEST)
    sizes = sorted({most, *(size for size in (pair.far.mtu, *USUAL) if size <= most)}, reverse=True)
    headers = HEADERS[there.version]
    return tuple(Ping(str(there.ip), pair.near.interface, size, size - headers) for size in sizes if size > headers)


def with_answers(pair: Pair, pings: Sequence[Ping], came_back: Sequence[bool | None]) -> Pair:
    """The pair with what came back; None: that could not be sent. Nothing came back at all: that is no measure of sizes."""
    if pair.trouble:
        return pair
    sizes = tuple(Size(ping.bytes, answer) for ping, answer in zip(pings, came_back, strict=True) if answer is not None)
    if not any(size.came_back for size in sizes):
        return replace(pair, trouble=SILENT if sizes else REFUSED)
    return replace(pair, sizes=sizes)


def faults_of(pair: Pair) -> Iterator[PairFault]:
    """What the rules of each host alone do not see: frames that are lost on the way, and tags that differ."""
    least = min(pair.near.mtu, pair.far.mtu)
    if pair.passes is not None and pair.passes < least:
        found = f"packets of more than {pair.passes} bytes are lost between them, and both interfaces send {least}"
        yield PairFault(pair, "error", found, f"every switch on the way to {least} and more, or both interfaces to {pair.passes}")
    if pair.subnet and pair.near.vlan is not None and pair.far.vlan is not None and pair.near.vlan != pair.far.vlan:
        found = f"VLAN {pair.near.vlan} at one end, VLAN {pair.far.vlan} at the other, and one subnet"
        yield PairFault(pair, "warning", found, "one VLAN, unless a switch on the way translates it")
