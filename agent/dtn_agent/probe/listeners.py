"""Ports that something listens on in the host's network namespace, and who does.

The engine's proxy for a published port is a process of its own, `docker-proxy`, outside of the container, and nothing of it names the
container's id: its `container` stays empty, and `process` says what it is.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dtn_agent.cgroups import container_of
from dtn_agent.probe.files import Files
from dtn_agent.protocol import Listener

Transport: TypeAlias = Literal["tcp", "udp"]
# the state of a socket that waits for others: TCP's LISTEN; a UDP socket that is bound and not connected
WAITING: Mapping[Transport, str] = {"tcp": "0A", "udp": "07"}
SOCKET = "socket:["


@dataclass(frozen=True, slots=True)
class Bound:
    """A waiting socket; `inode` is by what its process is found."""

    protocol: Transport
    address: str
    port: int
    inode: str


@dataclass(frozen=True, slots=True)
class Process:
    name: str = ""  # a socket of the kernel's own (RDMA, NFS) has no process
    container: str = ""


def listeners(files: Files) -> tuple[Listener, ...]:
    """Every one, by protocol, port and address."""
    bound = [item for protocol in WAITING for suffix in ("", "6") for item in _bound(files, protocol, suffix)]
    owners = _owners(files, {item.inode for item in bound})
    found = {
        (item.protocol, item.port, item.address, owner.name, owner.container)
        for item in bound
        for owner in [owners.get(item.inode, Process())]
    }
    return tuple(
        Listener(protocol=protocol, address=address, port=port, process=process, container=container)
        for protocol, port, address, process, container in sorted(found)
    )


def _bound(files: Files, protocol: Transport, suffix: str) -> Iterator[Bound]:
    for line in files.value(f"{files.proc}/net/{protocol}{suffix}").splitlines()[1:]:
        words = line.split()
        if len(words) > 9 and words[3] == WAITING[protocol]:
            address, _, port = words[1].partition(":")
            yield Bound(protocol, _address(address), int(port, 16), words[9])


def _address(text: str) -> str:
    """The kernel writes each 32 bits of an address as a number of the processor's byte order; all of ours are little-endian."""
    data = b"".join(bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8))
    return socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data)


def _owners(files: Files, inodes: set[str]) -> dict[str, Process]:
    """The process of each socket, the oldest where several share it; the search ends when all are found.

    Whose processes are not ours only root sees.
    """
    missing = inodes - {"0"}
    found: dict[str, Process] = {}
    for number in sorted(int(name) for name in files.names(files.proc) if name.isdecimal()):
        if not missing:
            break
        folder = f"{files.proc}/{number}"
        if held := missing & set(_sockets(files, f"{folder}/fd")):
            found |= dict.fromkeys(held, _process(files, folder))
            missing -= held
    return found


def _sockets(files: Files, folder: str) -> Iterator[str]:
    for name in files.names(folder):
        target = files.target(f"{folder}/{name}")
        if target.startswith(SOCKET):
            yield target[len(SOCKET) : -1]


def _process(files: Files, folder: str) -> Process:
    return Process(files.value(f"{folder}/comm"), container_of(files.value(f"{folder}/cgroup")))
