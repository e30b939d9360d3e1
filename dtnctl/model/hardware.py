"""What can be read off a host's facts: lists of CPUs, interfaces, virtual functions, where things sit. Pure, no choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dtn_agent.protocol import BlockDevice, Host, Interface, RdmaDevice

VFS_PER_DEVICE = 8  # functions of one PCI device


def cpu_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a list as the kernel writes it: `0-3,8`."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        low, _, high = part.partition("-")
        found |= set(range(int(low), int(high or low) + 1))
    return tuple(sorted(found))


def cpu_text(numbers: Iterable[int]) -> str:
    """The list as the kernel writes it."""
    spans: list[list[int]] = []
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)


def interface_named(host: Host, name: str) -> Interface | None:
    return next((item for item in host.facts.interfaces if item.name == name), None)


def nodes_of(host: Host, cpus: Iterable[int]) -> tuple[int, ...]:
    """The NUMA nodes that these CPUs are on; none where the host reports no nodes."""
    wanted = set(cpus)
    return tuple(node.node for node in host.facts.cpus.numa if wanted.intersection(cpu_numbers(node.cpus)))


def vf_pci(pf: Interface, index: int) -> str:
    """The PCI address of a virtual function, also before it exists; empty if the host does not report it. Source: SR-IOV 1.1, 3.3.9."""
    assert pf.sriov is not None
    known = next((vf.pci for vf in pf.sriov.vfs if vf.index == index), "")
    if known or pf.sriov.offset is None or pf.sriov.stride is None:
        return known
    domain, bus, rest = pf.pci.split(":")
    device, function = rest.split(".")
    routing = (int(bus, 16) << 8) + int(device, 16) * VFS_PER_DEVICE + int(function) + pf.sriov.offset + index * pf.sriov.stride
    return f"{domain}:{routing >> 8:02x}:{(routing & 0xFF) // VFS_PER_DEVICE:02x}.{routing % VFS_PER_DEVICE}"


def rdma_devices(host: Host, *, pci: str = "", interface: Interface | None = None) -> tuple[RdmaDevice, ...]:
    """The RDMA devices of a PCI function or of an interface; software ones have no function and are known by their interface."""
    names = {interface.name} if interface is not None else set()
    addresses = {pci, interface.pci if interface is not None else ""} - {""}
    return tuple(item for item in host.facts.rdma if item.pci in addresses or item.netdev in names)


def disks_below(host: Host, path: str) -> tuple[BlockDevice, ...]:
    """The block devices that a folder of the host is on: those of the innermost mount above it, arrays together with their disks.

    Only mounts of block devices are known: a folder of the root could be on a network file system.
    """
    targets = {mount.target for device in host.facts.block_devices for mount in device.mounts}
    above = [target for target in targets if path == target or path.startswith(target.rstrip("/") + "/")]
    innermost = max(above, key=len, default=None)
    if innermost == "/" and path != "/":
        return ()
    return tuple(device for device in host.facts.block_devices if innermost in [mount.target for mount in device.mounts])


def interrupt_cpus(host: Host, interfaces: Iterable[str]) -> tuple[int, ...]:
    """The CPUs that serve the interrupts of these interfaces."""
    names = set(interfaces)
    found = [cpu_numbers(irq.cpus) for item in host.facts.interfaces if item.name in names for irq in item.irqs]
    return tuple(sorted({number for numbers in found for number in numbers}))


def pinned_by_node(host: Host, lists: Iterable[str]) -> Mapping[int, int]:
    """How many of the CPUs in these lists each NUMA node has."""
    pinned = {number for text in lists for number in cpu_numbers(text)}
    return {node.node: len(pinned.intersection(cpu_numbers(node.cpus))) for node in host.facts.cpus.numa}
