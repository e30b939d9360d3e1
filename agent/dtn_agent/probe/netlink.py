"""Asks the kernel for links, addresses and queueing disciplines: one dump each, on a plain socket.

pyroute2's own socket starts an event loop for each use, which costs more than all three dumps.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from dtn_agent.probe.answers import LinkAnswer
from dtn_agent.probe.links import address_of, link_of
from dtn_agent.probe.queueing import qdisc_of
from dtn_agent.protocol import Qdisc

RTM_GETLINK, RTM_GETADDR, RTM_GETQDISC = 18, 22, 38
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

# The messages of one consistent dump, each with its header: by its kind and the body of the question.
Dump: TypeAlias = Callable[[int, bytes], list[bytes]]


class InterruptedDumpError(OSError):
    """Interfaces came and went during each of several attempts to list them."""


@contextmanager
def kernel_dump() -> Iterator[Dump]:
    """Dumps of the network namespace that we are in."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as route:
        route.bind((0, 0))
        yield lambda kind, body: dump(route, kind, body)


def ask(take: Dump) -> tuple[tuple[LinkAnswer, ...], Mapping[int, tuple[str, ...]], Mapping[int, tuple[Qdisc, ...]]]:
    """Every link, and addresses and qdiscs by the index of their link."""
    links = tuple(link_of(data[HEADER.size :]) for data in take(RTM_GETLINK, EVERY_LINK))
    bodies = (data[HEADER.size :] for data in take(RTM_GETADDR, EVERY_ADDRESS))
    addresses = [address_of(body) for body in bodies if body[0] in (socket.AF_INET, socket.AF_INET6)]
    qdiscs = [qdisc_of(data[HEADER.size :]) for data in take(RTM_GETQDISC, EVERY_QDISC)]
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
