"""The rows of a host's tables: each device as texts. `-` is what its kernel does not report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.render.quantities import link_speed_text, size_text

if TYPE_CHECKING:
    from dtn_agent.protocol import BlockDevice, Interface, NumaNode, PcieLink, RdmaDevice, RdmaPort, Vf
    from dtn_agent.protocol.volumes import HeldExport, HeldMount, HeldVolume

UNKNOWN = "-"


def unknown_or(text: str | None) -> str:
    return text or UNKNOWN


def on_off(value: bool | None) -> str:
    return UNKNOWN if value is None else "on" if value else "off"


def number_text(value: int | None) -> str:
    return UNKNOWN if value is None else str(value)


def _size(value: int | None) -> str:
    return UNKNOWN if value is None else size_text(value)


# --- memory ---------------------------------------------------------------------------------------------------------


def node_row(node: NumaNode) -> list[str]:
    pools = [f"{pool.free:,} of {pool.total:,} x {size_text(pool.size)} free" for pool in node.huge_pages if pool.total]
    return [
        str(node.node),
        node.cpus,
        _size(node.memory),
        _size(node.memory_free),
        " ".join(map(str, node.distances)),
        ", ".join(pools),
    ]


# --- interfaces -----------------------------------------------------------------------------------------------------


def is_of_a_container(interface: Interface) -> bool:
    """The host's end of a cable into a container: there are as many as containers, and none of them is a NIC."""
    return interface.kind == "veth" and bool(interface.master)


def interface_row(interface: Interface) -> list[str]:
    is_device = bool(interface.pci)
    return [
        interface.name,
        number_text(interface.numa_node) if is_device else "",
        _state(interface),
        UNKNOWN if interface.speed is None else link_speed_text(interface.speed),
        unknown_or(interface.driver or interface.kind),
        str(interface.mtu),
        interface.pci,
        ", ".join(interface.addresses),
        _sits_on(interface),
        pcie_text(interface.pcie) if is_device else "",
        _qdisc(interface),
        f"{interface.sriov.current} of {interface.sriov.total}" if interface.sriov else "",
        ",".join(sorted({irq.cpus for irq in interface.irqs}, key=_cpu_order)),
        interface.mac,
        unknown_or(interface.firmware) if is_device else "",
        interface.alias,
    ]


def _state(interface: Interface) -> str:
    if not interface.is_up:
        return "down"
    return "no carrier" if interface.carrier is False else "up"


def _sits_on(interface: Interface) -> str:
    """What it belongs to: `vlan 222 of ens1f0`, `in docker0`, `VF of 0000:41:00.0`."""
    parts = [
        f"vlan {interface.vlan} of {interface.parent}" if interface.vlan is not None else "",
        f"on {interface.parent}" if interface.parent and interface.vlan is None else "",
        f"in {interface.master}" if interface.master else "",
        f"VF of {interface.physfn}" if interface.physfn else "",
    ]
    return ", ".join(filter(None, parts))


def pcie_text(link: PcieLink | None) -> str:
    """`16 GT/s x16`; a link below what the device can do says so: `16 GT/s x8 of 16 GT/s x16`."""
    if link is None:
        return UNKNOWN
    now, most = _link(link.speed, link.width), _link(link.max_speed, link.max_width)
    return now if now == most or most == _link(None, None) else f"{now} of {most}"


def _link(speed: float | None, width: int | None) -> str:
    return f"{UNKNOWN if speed is None else f'{speed:g}'} GT/s x{number_text(width)}"


def _qdisc(interface: Interface) -> str:
    """The discipline at the root; of one queue each (mq), those of its queues."""
    root = next((item for item in interface.qdiscs if item.parent == "root"), None)
    if root is None:
        return UNKNOWN
    leaves = {f"{item.kind} {item.options}".strip() for item in interface.qdiscs if item.parent.startswith((root.handle, ":"))}
    return " ".join([root.kind, root.options, *([f"({', '.join(sorted(leaves))})"] if leaves else [])]).replace("  ", " ").strip()


def _cpu_order(cpus: str) -> tuple[int, str]:
    first = cpus.replace("-", ",").partition(",")[0]
    return (int(first) if first.isdecimal() else 0, cpus)


# --- virtual functions ----------------------------------------------------------------------------------------------


def vf_rows(interface: Interface) -> list[list[str]]:
    return [_vf_row(interface.name, vf) for vf in interface.sriov.vfs] if interface.sriov else []


def _vf_row(pf: str, vf: Vf) -> list[str]:
    return [
        pf,
        str(vf.index),
        vf.pci,
        vf.netdev,
        unknown_or(vf.mac),
        _vlan(vf),
        on_off(vf.trust),
        on_off(vf.spoofchk),
        _rate(vf),
        vf.rdma,
        vf.driver,
        vf.holder or "free",
    ]


def _vlan(vf: Vf) -> str:
    """Empty without one, which the kernel writes as 0."""
    if vf.vlan is None:
        return UNKNOWN
    if vf.vlan == 0:
        return ""
    return f"{vf.vlan} prio {vf.vlan_priority}" if vf.vlan_priority else str(vf.vlan)


def _rate(vf: Vf) -> str:
    """Empty without a limit, which the kernel writes as 0."""
    if vf.max_rate is None:
        return UNKNOWN
    least, most = (link_speed_text(rate) if rate else "" for rate in (vf.min_rate, vf.max_rate))
    return " ".join(filter(None, [f"≥ {least}" if least else "", f"≤ {most}" if most else ""]))


# --- RDMA -----------------------------------------------------------------------------------------------------------


def rdma_rows(device: RdmaDevice) -> Iterator[list[str]]:
    """A row for each port; the device is named in the first."""
    names = [device.name, unknown_or(device.uverbs), unknown_or(device.netdev)]
    for number, port in enumerate(device.ports):
        yield [*(names if number == 0 else ["", "", ""]), *_port_cells(port), device.pci]


def _port_cells(port: RdmaPort) -> list[str]:
    kinds = sorted({gid.type for gid in port.gids if gid.type})
    return [
        str(port.port),
        unknown_or(port.state),
        UNKNOWN if port.rate is None else f"{port.rate:g} Gb/s",
        unknown_or(port.link_layer),
        f"{len(port.gids)}" + (f" ({', '.join(kinds)})" if kinds else ""),
    ]


# --- disks ----------------------------------------------------------------------------------------------------------


def disk_row(disk: BlockDevice) -> list[str]:
    sits_somewhere = disk.pcie is not None or disk.numa_node is not None
    return [
        disk.name,
        number_text(disk.numa_node),
        size_text(disk.size),
        disk.model,
        disk.transport,
        unknown_or(disk.scheduler),
        pcie_text(disk.pcie) if sits_somewhere else "",
        ", ".join(disk.holders),
        ", ".join(f"{mount.target} ({mount.filesystem})" for mount in disk.mounts),
    ]


# --- volumes over NVMe-oF -------------------------------------------------------------------------------------------


def export_row(held: HeldExport) -> list[str]:
    portal = held.portal
    backing = held.backing.device or held.backing.file or ""
    return [
        held.volume,
        held.site,
        "exported",
        held.fault or "as asked for",
        f"{portal.address}:{portal.port}",
        portal.transport,
        backing,
        "",
    ]


def volume_row(held: HeldVolume) -> list[str]:
    """`gone` and `connecting` are the kernel's words; a mount that is not there is said."""
    portal = held.portal
    where = _where_mounted(held.mount) if held.mount is not None else ""
    return [held.volume, held.site, "connected", held.state, f"{portal.address}:{portal.port}", portal.transport, held.device, where]


def _where_mounted(mount: HeldMount) -> str:
    if mount.is_being_unmounted:
        return "unmounting: what it held is still being written"
    return f"{mount.path} ({mount.file_system}, {mount.mode})" if mount.is_mounted else "not mounted"
