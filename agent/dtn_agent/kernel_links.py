"""The kernel's network interfaces of one network namespace, over rtnetlink: read, changed, waited for.

Every refusal of the kernel is an OSError whose text names the interface; what a refusal means is for the caller to say.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from dtn_agent.netlink import whole
from dtn_agent.protocol.vfs import VfSettings

IFF_UP = 1
LINK_EVENTS = 1  # RTMGRP_LINK
WITH_VFS = 1  # RTEXT_FILTER_VF: without it the kernel leaves a PF's table out of its answer
UNKNOWN = 0xFFFFFFFF  # what the kernel writes for settings that the driver does not report
LINK_LOCAL = 253  # RT_SCOPE_LINK


@dataclass(frozen=True, slots=True)
class Link:
    """An interface. `device` is the address of the device that it belongs to (PCI for hardware), where the kernel reports it.

    `parent` is the index of the interface below it, if that is in the same namespace.
    """

    index: int
    name: str
    mac: str
    mtu: int
    is_up: bool
    device: str = ""
    alias: str = ""
    kind: str = ""
    master: int | None = None
    parent: int | None = None
    vlan: int | None = None


class KernelLinks:
    """The interfaces of the network namespace in which the calling thread runs."""

    def all(self) -> tuple[Link, ...]:
        """Every interface, by index."""
        with _netlink("interfaces") as route:
            return tuple(sorted((_link(message) for message in whole(route.get_links)), key=lambda link: link.index))

    def find(self, name: str) -> Link | None:
        """The interface of this name, be it an alternative one, if there is one."""
        try:
            with _netlink(name) as route:
                return _link(route.link("get", ifname=name)[0])
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
            return None

    def device_of(self, link: Link) -> str:
        """The PCI address of the device that this interface belongs to; empty if it is not one of a device."""
        return link.device

    def addresses(self, link: Link) -> tuple[str, ...]:
        """Its addresses with prefix length, without those of scope link, which every interface that is up has."""
        with _netlink(link.name) as route:
            return tuple(
                sorted(
                    f"{message.get_attr('IFA_ADDRESS')}/{message['prefixlen']}"
                    for message in whole(lambda: route.get_addr(index=link.index))
                    if message["scope"] != LINK_LOCAL
                )
            )

    def vf_table(self, pf: str) -> dict[int, VfSettings]:
        """A PF's settings of its VFs, by index; `mtu` is not among them. Empty where the PF has none."""
        with _netlink(pf) as route:
            return read_vf_table(route.link("get", ifname=pf, ext_mask=WITH_VFS)[0])

    def set_vf(self, pf: str, index: int, change: VfSettings) -> None:
        """Write those settings that are not None into the PF's table, one message each, in the order that drivers need.

        One each, because a driver that does not know one of them would refuse all, without saying which it was.
        """
        for setting, words in _vf_words(change):
            with _netlink(f"{pf}: VF {index}: {setting}") as route:
                route.link("set", index=_index(route, pf), vf={"vf": index, **words})

    def rename(self, link: Link, name: str) -> None:
        """Give it this name; it has to be down for that, on all but new kernels."""
        self._set(link, ifname=name)

    def remove_alternative_name(self, link: Link, name: str) -> None:
        with _netlink(f"{link.name}: alternative name {name}") as route:
            route.link("property_del", index=link.index, altname=name)

    def set_up(self, link: Link, *, up: bool) -> None:
        self._set(link, state="up" if up else "down")

    def set_mtu(self, link: Link, mtu: int) -> None:
        self._set(link, mtu=mtu)

    def set_mac(self, link: Link, mac: str) -> None:
        self._set(link, address=mac)

    def flush_addresses(self, link: Link) -> None:
        """Take all addresses away from it."""
        with _netlink(link.name) as route:
            route.flush_addr(index=link.index)

    def add_vlan(self, parent: Link, vlan: int, name: str) -> None:
        """Make an 802.1Q sub-interface."""
        with _netlink(name) as route:
            route.link("add", ifname=name, kind="vlan", link=parent.index, vlan_id=vlan)

    def remove(self, link: Link) -> None:
        with _netlink(link.name) as route:
            route.link("del", index=link.index)

    def wait_until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether it holds, asked again whenever an interface came, went or changed, until the time is over."""
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as events:
            events.bind((0, LINK_EVENTS))  # before the first look, so that nothing is missed between the two
            deadline = time.monotonic() + seconds
            while not holds():
                left = deadline - time.monotonic()
                if left <= 0 or not _came(events, left):
                    return holds()
        return True

    def _set(self, link: Link, **words: Any) -> None:
        with _netlink(link.name) as route:
            route.link("set", index=link.index, **words)


def reason(error: OSError) -> str:
    """The error without its number, as part of a sentence."""
    return error.strerror or str(error)


def read_vf_table(message: Any) -> dict[int, VfSettings]:
    """The table in the kernel's answer about a PF."""
    listed = message.get_attr("IFLA_VFINFO_LIST")
    rows = [_vf_row(entry) for entry in listed.get_attrs("IFLA_VF_INFO")] if listed is not None else []
    return dict(sorted(rows, key=lambda row: row[0]))


@contextmanager
def _netlink(what: str) -> Iterator[Any]:
    """A socket for a few messages; pyroute2's errors leave as OSError."""
    try:
        with IPRoute() as route:
            yield route
    except NetlinkError as error:
        raise OSError(error.code, f"{what}: {os.strerror(error.code)}") from error


def _index(route: Any, name: str) -> int:
    index: int = route.link("get", ifname=name)[0]["index"]
    return index


def _came(events: socket.socket, seconds: float) -> bool:
    """Whether the kernel reported a change in this time. Its report is dropped: the caller reads the links again."""
    readable, _, _ = select.select([events], [], [], seconds)
    if readable:
        try:
            events.recv(1 << 16)
        except OSError:  # more came than the socket holds: it is time to look, whatever it was
            return True
    return bool(readable)


def _link(message: Any) -> Link:
    about = message.get_attr("IFLA_LINKINFO")
    data = about.get_attr("IFLA_INFO_DATA") if about is not None else None
    kind = (about.get_attr("IFLA_INFO_KIND") or "") if about is not None else ""
    no_parent = kind == "veth" or message.get_attr("IFLA_LINK_NETNSID") is not None  # a veth names its other end there
    return Link(
        index=message["index"],
        name=message.get_attr("IFLA_IFNAME"),
        mac=message.get_attr("IFLA_ADDRESS") or "",
        mtu=message.get_attr("IFLA_MTU") or 0,
        is_up=bool(message["flags"] & IFF_UP),
        device=message.get_attr("IFLA_PARENT_DEV_NAME") or "",
        alias=message.get_attr("IFLA_IFALIAS") or "",
        kind=kind,
        master=message.get_attr("IFLA_MASTER"),
        parent=None if no_parent else message.get_attr("IFLA_LINK"),
        vlan=data.get_attr("IFLA_VLAN_ID") if kind == "vlan" and data is not None else None,
    )


def _vf_row(entry: Any) -> tuple[int, VfSettings]:
    mac, vlan, rate = (entry.get_attr(f"IFLA_VF_{name}") for name in ("MAC", "VLAN", "RATE"))
    return mac["vf"], VfSettings(
        mac=mac["mac"],
        vlan=vlan["vlan"] if vlan else None,
        vlan_priority=vlan["qos"] if vlan else None,
        spoofchk=_flag(entry, "spoofchk"),
        trust=_flag(entry, "trust"),
        min_rate=rate["min_tx_rate"] if rate else None,
        max_rate=rate["max_tx_rate"] if rate else None,
    )


def _flag(entry: Any, name: str) -> bool | None:
    found = entry.get_attr(f"IFLA_VF_{name.upper()}")
    return None if found is None or found[name] == UNKNOWN else bool(found[name])


def _vf_words(change: VfSettings) -> Iterator[tuple[str, dict[str, Any]]]:
    """What pyroute2 wants to hear, new values each time: it takes the dicts apart that it is given.

    A VLAN goes with its priority and the two rates go together; who changes one says what the other is (`vf_rules.change`).
    """
    if change.vlan is not None:
        yield f"vlan {change.vlan} qos {change.vlan_priority or 0}", {"vlan": {"vlan": change.vlan, "qos": change.vlan_priority or 0}}
    if change.mac is not None:
        yield f"mac {change.mac}", {"mac": change.mac}
    if change.max_rate is not None:
        rate = {"min_tx_rate": change.min_rate or 0, "max_tx_rate": change.max_rate}
        yield f"min_rate {change.min_rate or 0} max_rate {change.max_rate}", {"rate": rate}
    if change.spoofchk is not None:
        yield f"spoofchk {_word(change.spoofchk)}", {"spoofchk": int(change.spoofchk)}
    if change.trust is not None:
        yield f"trust {_word(change.trust)}", {"trust": int(change.trust)}


def _word(flag: bool) -> str:
    return "on" if flag else "off"
