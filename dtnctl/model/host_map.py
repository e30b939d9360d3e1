"""A host as a map: what is on which NUMA node, and who holds it. Frozen values, no I/O.

Sessions are named as they are declared; what other sites or programs hold is named in words, and is no session.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CpuPlace:
    """One logical CPU. `sessions` are pinned to it. `is_reserved`: the endpoint's `reserved_cpus` keep it from sessions.

    `serves_interrupts`: of an interface that carries a network here.
    """

    number: int
    sessions: tuple[str, ...] = ()
    is_reserved: bool = False
    serves_interrupts: bool = False


@dataclass(frozen=True, slots=True)
class FunctionPlace:
    """One virtual function: a session of the site has it for `network`, or `other` says who has it; free if both are empty."""

    index: int
    session: str = ""
    network: str = ""
    other: str = ""

    @property
    def is_free(self) -> bool:
        return not (self.session or self.other)


@dataclass(frozen=True, slots=True)
class CarriedNetwork:
    """A network that an interface carries, and the sessions that are attached to it without a virtual function."""

    name: str
    driver: str
    vlan: int | None = None
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CardPlace:
    """A network card, or another interface that carries a network. `speed` in Mb/s. None: not known.

    `is_there` is False where the endpoint's file names it and the host does not have it (now). `functions_most`: virtual functions that
    the card could have.
    """

    name: str
    is_there: bool = True
    is_up: bool = False
    carrier: bool | None = None
    speed: int | None = None
    mtu: int = 0
    driver: str = ""
    pci: str = ""
    rdma: tuple[str, ...] = ()
    networks: tuple[CarriedNetwork, ...] = ()
    functions: tuple[FunctionPlace, ...] = ()
    functions_most: int = 0


@dataclass(frozen=True, slots=True)
class DiskPlace:
    """A block device with a place of its own. `size` in bytes. `sessions` mount something of it.

    `exported` is the volume that it is the backing of, `volume` the one whose block device it is here.
    """

    name: str
    size: int
    model: str = ""
    transport: str = ""
    mounts: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    exported: str = ""
    volume: str = ""


@dataclass(frozen=True, slots=True)
class NodePlace:
    """A NUMA node and what is on it; `node` None: the host does not say where these are. `memory` in bytes.

    `socket` is None where the host does not show which nodes a socket has.
    """

    node: int | None
    socket: int | None = None
    memory: int | None = None
    memory_free: int | None = None
    cpus: tuple[CpuPlace, ...] = ()
    cards: tuple[CardPlace, ...] = ()
    disks: tuple[DiskPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldHere:
    """A session's service here and what it holds: `cpus` as the kernel writes lists, `functions` as `ens1f0 2`, `folders` of the host."""

    session: str
    state: str
    cpus: str = ""
    functions: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostMap:
    """An endpoint's host. `unknown` says in words why there is no hardware to show; empty: it is known.

    `hardware` are the host's own words of itself. `nodes` in their order; the one with `node` None is the last.
    """

    endpoint: str
    unknown: str = ""
    hardware: tuple[str, ...] = ()
    sockets: int | None = None
    nodes: tuple[NodePlace, ...] = ()
    sessions: tuple[HeldHere, ...] = ()
