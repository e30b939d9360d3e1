"""Queueing disciplines and filters of an interface over netlink, in the network namespace of the thread that opens it.

What the kernel refuses is an OSError with the kernel's own words.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink import NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.rtnl import (
    RTM_DELQDISC,
    RTM_GETQDISC,
    RTM_GETTFILTER,
    RTM_NEWQDISC,
    RTM_NEWTFILTER,
)
from pyroute2.netlink.rtnl.tcmsg import tcmsg

from dtn_agent.netlink import whole

ROOT = 0xFFFF_FFFF
INGRESS = 0xFFFF_FFF1
MAKE = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
REPLACE = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | 0x100
DUMP = NLM_F_REQUEST | NLM_F_DUMP


class QueueMessage(tcmsg):  # type: ignore[misc]  # pyroute2 has no types
    """pyroute2's message with all but the kind left as bytes: it does not know the options of every kind."""

    nla_map = tuple((name, kind if kind in ("none", "asciiz") else "cdata") for name, kind in tcmsg.nla_map)


@dataclass(frozen=True, slots=True)
class Queue:
    """One queueing discipline. Handle 0 is the kernel's own default; `parent` is ROOT or a class."""

    kind: str
    handle: int = 0
    parent: int = ROOT
    options: bytes = b""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter below `parent`; `protocol` is an ethernet type."""

    kind: str
    parent: int
    priority: int
    protocol: int
    options: bytes = b""


@dataclass(frozen=True, slots=True)
class QueuedLink:
    """An interface as far as queueing cares."""

    index: int
    name: str
    mtu: int
    tx_queue_len: int


class Wire:
    """One netlink socket."""

    def __init__(self, netlink: Any) -> None:
        self._netlink = netlink

    def link(self, name: str) -> QueuedLink | None:
        """The interface with this name."""
        return next((link for link in self._links() if link.name == name), None)

    def link_with(self, address: str) -> QueuedLink | None:
        """The interface that has this IP address."""
        wanted = ipaddress.ip_address(address)
        with _kernels_words():
            found = [
                item["index"]
                for item in whole(self._netlink.get_addr)
                if (text := item.get_attr("IFA_LOCAL") or item.get_attr("IFA_ADDRESS")) and ipaddress.ip_address(text) == wanted
            ]
        return next((link for link in self._links() if link.index in found), None)

    def change_link(self, link: QueuedLink, **values: int) -> None:
        """Set its `mtu` or `txqlen`."""
        with _kernels_words():
            self._netlink.link("set", index=link.index, **values)

    def queues(self, link: QueuedLink) -> tuple[Queue, ...]:
        """What is on the way out, the root first; without what is on the way in."""
        found = (
            Queue(item.get_attr("TCA_KIND"), item["handle"], item["parent"], item.get_attr("TCA_OPTIONS") or b"")
            for item in self._ask(_message(link, 0, 0), RTM_GETQDISC, DUMP)
            if item["index"] == link.index and item["parent"] != INGRESS
        )
        return tuple(sorted(found, key=lambda queue: (queue.parent != ROOT, queue.parent)))

    def filters(self, link: QueuedLink, parent: int) -> tuple[Filter, ...]:
        """Those of one queueing discipline, without the empty heads that the kernel lists too."""
        return tuple(
            Filter(item.get_attr("TCA_KIND"), item["parent"], item["info"] >> 16, socket.ntohs(item["info"] & 0xFFFF), options)
            for item in self._ask(_message(link, 0, parent), RTM_GETTFILTER, DUMP)
            if (options := item.get_attr("TCA_OPTIONS"))
        )

    def make(self, link: QueuedLink, queue: Queue) -> None:
        """A new one; what stands at its place is an error unless it is the kernel's default."""
        self._ask(_message(link, queue.handle, queue.parent, 0, queue.kind, queue.options), RTM_NEWQDISC, MAKE)

    def replace(self, link: QueuedLink, queue: Queue) -> None:
        """In the place of whatever is there."""
        self._ask(_message(link, queue.handle, queue.parent, 0, queue.kind, queue.options), RTM_NEWQDISC, REPLACE)

    def make_filter(self, link: QueuedLink, item: Filter) -> None:
        info = item.priority << 16 | socket.htons(item.protocol)
        self._ask(_message(link, 0, item.parent, info, item.kind, item.options), RTM_NEWTFILTER, MAKE)

    def remove_root(self, link: QueuedLink) -> None:
        """The kernel's default comes back, all below is gone. Nothing to remove is success."""
        if any(queue.parent == ROOT and queue.handle != 0 for queue in self.queues(link)):
            self._ask(_message(link, 0, ROOT), RTM_DELQDISC, NLM_F_REQUEST | NLM_F_ACK)

    def _links(self) -> Iterator[QueuedLink]:
        with _kernels_words():
            found = whole(self._netlink.get_links)
        for item in found:
            yield QueuedLink(item["index"], item.get_attr("IFLA_IFNAME"), item.get_attr("IFLA_MTU"), item.get_attr("IFLA_TXQLEN"))

    def _ask(self, message: QueueMessage, kind: int, flags: int) -> tuple[Any, ...]:
        with _kernels_words():
            answers = whole(lambda: self._netlink.nlm_request(message, kind, flags))
        return tuple(item for item in answers if isinstance(item, QueueMessage))


@contextmanager
def open_wire() -> Iterator[Wire]:
    """A socket in this thread's network namespace."""
    with IPRoute(ext_ack=True, groups=0) as netlink:
        netlink.status["nlm_generator"] = False
        marshal = netlink.marshal
        marshal.msg_map = {**marshal.msg_map, RTM_NEWQDISC: QueueMessage, RTM_NEWTFILTER: QueueMessage}  # of this socket alone
        yield Wire(netlink)


@contextmanager
def _kernels_words() -> Iterator[None]:
    try:
        yield
    except NetlinkError as error:
        words = error.args[1] if len(error.args) > 1 and error.args[1] else ""
        raise OSError(error.code, str(words)) from None


def _message(link: QueuedLink, handle: int, parent: int, info: int = 0, kind: str = "", options: bytes = b"") -> QueueMessage:
    message = QueueMessage()
    message.update(family=socket.AF_UNSPEC, index=link.index, handle=handle, parent=parent, info=info)
    message["attrs"] = [(name, value) for name, value in (("TCA_KIND", kind), ("TCA_OPTIONS", options)) if value]
    return message
