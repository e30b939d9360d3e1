"""What the agent tells, as values. Pure: no I/O. Sizes in bytes, speeds in Mb/s; None is "the kernel does not say"."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface. `cpus` are those of its NUMA node, as the kernel writes lists; `vfs_total` 0: no SR-IOV."""

    name: str
    mac: str
    addresses: tuple[str, ...]
    mtu: int
    is_up: bool
    speed: int | None
    driver: str
    pci: str
    numa_node: int | None
    cpus: str
    vfs: int
    vfs_total: int


@dataclass(frozen=True, slots=True)
class NumaNode:
    node: int
    cpus: str
    memory: int


@dataclass(frozen=True, slots=True)
class BlockDevice:
    name: str
    size: int
    model: str
    numa_node: int | None
    is_rotational: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the probe finds on one host."""

    hostname: str
    kernel: str
    cpus: int
    memory: int
    memory_available: int
    interfaces: tuple[Interface, ...]
    numa: tuple[NumaNode, ...]
    block_devices: tuple[BlockDevice, ...]


def facts_document(facts: Facts) -> dict[str, Any]:
    """The facts as a JSON document."""
    return {"format_version": FORMAT_VERSION, "kind": "facts"} | asdict(facts)
