"""Asks the kernel for links, addresses and queueing disciplines: one dump each, by pyroute2's message layouts on a plain socket.

pyroute2's own socket starts an event loop for each use, which costs more than all three dumps; its layouts decode lazily.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from pyroute2.netlink.rtnl import RTM_GETADDR, RTM_GETLINK, RTM_GETQDISC
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from dtn_agent.probe.answers import LinkAnswer, VfEntry
from dtn_agent.probe.queueing import qdisc_of
from dtn_agent.protocol import OffloadSizes, Qdisc

HEADER = struct.Struct("=IHHII")
REQUEST, DUMP, INTERRUPTED = 0x1, 0x300, 0x10
ERROR, DONE = 2, 3
RECEIVE = 1 << 18  # one message holds a link with its whole VF table
ATTEMPTS = 4
IFLA_EXT_MASK = 29
WITH_VFS, WITHOUT_STATISTICS = 1, 8  # the statistics of many VFs would not fit into one attribute
EVERY_LINK = bytes(16) + struct.pack("=HHI", 8, IFLA_EXT_MASK, WITH_VFS | WITHOUT_STATISTICS)
EVERY_ADDRESS = bytes(8)
EVERY_QDISC = bytes(20)
LINK_HEADER, ATTRIBUTE = 16, 4  # bytes before the first attribute, and before an attribute's value
OFFLOAD_SIZES = {"gso": 41, "gro": 58, "tso": 59, "gso_ipv4": 63, "gro_ipv4": 64}  # IFLA_GSO_MAX_SIZE … of linux/if_link.h
UP, LOOPBACK = 0x1, 0x8
STACKED = ("vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec")  # kinds whose link attribute is the interface below them
UNKNOWN = 0xFFFFFFFF  # a driver that has no such setting
LINK_STATES = {0: "auto", 1: "enable", 2: "disable"}


class InterruptedDumpError(OSError):
    """Interfaces came and went during each of several attempts to list them."""


def ask() -> tuple[tuple[LinkAnswer, ...], Mapping[int, tuple[str, ...]], Mapping[int, tuple[Qdisc, ...]]]:
    """Every link, and addresses and qdiscs by the index of their link."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as route:
        route.bind((0, 0))
        links = tuple(link_of(data) for data in dump(route, RTM_GETLINK, EVERY_LINK))
        addresses = [address_of(data) for data in dump(route, RTM_GETADDR, EVERY_ADDRESS)]
        qdiscs = [qdisc_of(data[HEADER.size :]) for data in dump(route, RTM_GETQDISC, EVERY_QDISC)]
    return links, _by_index(addresses), _by_index(qdiscs)


def _by_index(items: list[tuple[int, Any]]) -> dict[int, tuple[Any, ...]]:
    found: dict[int, tuple[Any, ...]] = {}
    for index, item in items:
        found[index] = (*found.get(index, ()), item)
    return found


# --- the protocol ---------------------------------------------------------------------------------------------------


def dump(route: socket.socket, kind: int, body: bytes) -> list[bytes]:
    """The messages of one consistent dump; a dump during which something changed is taken again."""
    for sequence in range(1, ATTEMPTS + 1):
        route.send(HEADER.pack(HEADER.size + len(body), kind, REQUEST | DUMP, sequence, 0) + body)
        messages = list(_answer(route, sequence))
        if not any(flags & INTERRUPTED for flags, _ in messages):
            return [data for _, data in messages]
    raise InterruptedDumpError(f"the kernel's list kept changing while it was read ({ATTEMPTS} attempts)")


def _answer(route: socket.socket, sequence: int) -> Iterator[tuple[int, bytes]]:
    """Flags and bytes of each message up to the dump's end; OSError if the kernel refuses."""
    while True:
        received = route.recv(RECEIVE)
        start = 0
        while start < len(received):
            length, kind, flags, number, _ = HEADER.unpack_from(received, start)
            if number == sequence:
                if kind == ERROR:
                    (code,) = struct.unpack_from("=i", received, start + HEADER.size)
                    raise OSError(-code, os.strerror(-code))
                if kind == DONE:
                    return
                yield flags, received[start : start + length]
            start += (length + 3) & ~3


# --- its messages ---------------------------------------------------------------------------------------------------


def link_of(data: bytes) -> LinkAnswer:
    """One message about a link, as bytes with its header."""
    message = ifinfmsg(data)
    message.decode()
    flags = message["flags"]
    info = message.get_attr("IFLA_LINKINFO")
    kind = (info.get_attr("IFLA_INFO_KIND") if info else None) or ""
    return LinkAnswer(
        index=message["index"],
        name=message.get_attr("IFLA_IFNAME"),
        alias=message.get_attr("IFLA_IFALIAS") or "",
        mac=message.get_attr("IFLA_ADDRESS") or "",
        mtu=message.get_attr("IFLA_MTU") or 0,
        max_mtu=message.get_attr("IFLA_MAX_MTU") or None,  # 0 is "no limit known"
        is_up=bool(flags & UP),
        carrier=bool(message.get_attr("IFLA_CARRIER")) if flags & UP else None,
        tx_queue_len=message.get_attr("IFLA_TXQLEN"),
        offload_sizes=_offload_sizes(data),
        kind=kind,
        parent=_parent(message) if kind in STACKED else None,
        master=message.get_attr("IFLA_MASTER"),
        vlan=_vlan(info) if kind == "vlan" else None,
        is_loopback=bool(flags & LOOPBACK),
        vfs=_vfs(message.get_attr("IFLA_VFINFO_LIST")),
    )


def _parent(message: ifinfmsg) -> int | None:
    """The index counts only in our own network namespace."""
    return None if message.get_attr("IFLA_LINK_NETNSID") is not None else message.get_attr("IFLA_LINK")


def _offload_sizes(data: bytes) -> OffloadSizes:
    found = dict(_numbers(data))
    return OffloadSizes.model_validate({name: found.get(kind) for name, kind in OFFLOAD_SIZES.items()})


def _numbers(data: bytes) -> Iterator[tuple[int, int]]:
    """The link's attributes that are of four bytes, also those that pyroute2's layout does not have yet."""
    start = HEADER.size + LINK_HEADER
    while start < len(data):
        length, kind = struct.unpack_from("=HH", data, start)
        if length == ATTRIBUTE + 4:
            yield kind, struct.unpack_from("=I", data, start + ATTRIBUTE)[0]
        start += max(length + 3 & ~3, ATTRIBUTE)


def _vlan(info: Any) -> int | None:
    data = info.get_attr("IFLA_INFO_DATA")
    return data.get_attr("IFLA_VLAN_ID") if data else None


def _vfs(table: Any) -> tuple[VfEntry, ...]:
    return tuple(_vf(dict(entry["attrs"])) for _, entry in table["attrs"]) if table else ()


def _vf(found: Mapping[str, Any]) -> VfEntry:
    vlan, rate = found.get("IFLA_VF_VLAN", {}), found.get("IFLA_VF_RATE", {})
    return VfEntry(
        index=found["IFLA_VF_MAC"]["vf"],
        mac=found["IFLA_VF_MAC"]["mac"],
        vlan=vlan.get("vlan"),
        vlan_priority=vlan.get("qos"),
        spoofchk=_setting(found.get("IFLA_VF_SPOOFCHK", {}).get("spoofchk")),
        trust=_setting(found.get("IFLA_VF_TRUST", {}).get("trust")),
        min_rate=rate.get("min_tx_rate"),
        max_rate=rate.get("max_tx_rate"),
        link_state=LINK_STATES.get(found.get("IFLA_VF_LINK_STATE", {}).get("link_state"), ""),
    )


def _setting(found: int | None) -> bool | None:
    return None if found is None or found == UNKNOWN else bool(found)


def address_of(data: bytes) -> tuple[int, str]:
    """The link's index and the address with its prefix length."""
    message = ifaddrmsg(data)
    message.decode()
    # IFA_LOCAL is our own address where IFA_ADDRESS is the peer's (point to point)
    address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
    return message["index"], f"{address}/{message['prefixlen']}"
