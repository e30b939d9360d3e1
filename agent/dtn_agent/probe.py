"""Reads the host's facts: psutil for what it knows, sysfs for where devices sit. Changes nothing.

The sysfs root is passed in, so that a test can show a host that it does not run on.
"""

from __future__ import annotations

import platform
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil

from dtn_agent.protocol import BlockDevice, Facts, Interface, NumaNode

SECTOR = 512  # /sys/block/*/size counts these, whatever the device's own sectors are
VIRTUAL_BLOCK = re.compile(r"^(loop|ram|zram)\d")
ADDRESS_FAMILIES = (socket.AF_INET, socket.AF_INET6)


def probe(sys: Path = Path("/sys")) -> Facts:
    """Everything, now."""
    memory = psutil.virtual_memory()
    return Facts(
        hostname=socket.gethostname(),
        kernel=platform.release(),
        cpus=psutil.cpu_count() or 0,
        memory=memory.total,
        memory_available=memory.available,
        interfaces=tuple(_interfaces(sys)),
        numa=tuple(_numa_nodes(sys)),
        block_devices=tuple(_block_devices(sys)),
    )


def _interfaces(sys: Path) -> Iterator[Interface]:
    addresses, states = psutil.net_if_addrs(), psutil.net_if_stats()
    for name, state in sorted(states.items()):
        if name == "lo":
            continue
        known = addresses.get(name, [])
        device = sys / "class/net" / name / "device"
        yield Interface(
            name=name,
            mac=next((item.address for item in known if item.family == psutil.AF_LINK), ""),
            addresses=tuple(item.address.partition("%")[0] for item in known if item.family in ADDRESS_FAMILIES),
            mtu=state.mtu,
            is_up=state.isup,
            speed=state.speed or None,
            driver=_link_name(device / "driver"),
            pci=_link_name(device),
            numa_node=_node(device / "numa_node"),
            cpus=_text(device / "local_cpulist"),
            vfs=int(_text(device / "sriov_numvfs") or 0),
            vfs_total=int(_text(device / "sriov_totalvfs") or 0),
        )


def _numa_nodes(sys: Path) -> Iterator[NumaNode]:
    for folder in sorted((sys / "devices/system/node").glob("node[0-9]*"), key=lambda path: int(path.name[4:])):
        match = re.search(r"MemTotal:\s+(\d+) kB", _text(folder / "meminfo"))
        yield NumaNode(int(folder.name[4:]), _text(folder / "cpulist"), int(match[1]) * 1024 if match else 0)


def _block_devices(sys: Path) -> Iterator[BlockDevice]:
    for folder in sorted((sys / "block").glob("*")):
        if VIRTUAL_BLOCK.match(folder.name):
            continue
        yield BlockDevice(
            name=folder.name,
            size=int(_text(folder / "size") or 0) * SECTOR,
            model=_text(folder / "device/model"),
            numa_node=_node(folder / "device/numa_node"),
            is_rotational=_text(folder / "queue/rotational") == "1",
        )


def _text(path: Path) -> str:
    """The file's content, or nothing where the kernel has no such file or will not tell."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _node(path: Path) -> int | None:
    """A NUMA node; the kernel writes -1 for unknown."""
    text = _text(path)
    return int(text) if text.isdigit() else None


def _link_name(path: Path) -> str:
    return path.resolve().name if path.exists() else ""
