"""What a PCI function tells of its place: NUMA node, link, interrupts, virtual functions."""

from __future__ import annotations

import re

from dtn_agent.probe.files import Files, PciFunction
from dtn_agent.protocol import Irq, PcieLink

SPEED = re.compile(r"([\d.]+) GT/s")


def numa_node(files: Files, function: PciFunction | None) -> int | None:
    """The node; None where the firmware did not say (the kernel writes -1)."""
    return None if function is None else files.positive(f"{function.path}/numa_node")


def pcie_link(files: Files, function: PciFunction | None) -> PcieLink | None:
    """Now, at most, and what the port above can do; None for a function that tells nothing, such as a VF or an emulated one."""
    if function is None:
        return None
    now, most = _link(files, function.path, "current"), _link(files, function.path, "max")
    if not any((*now, *most)):
        return None
    slot = _link(files, function.port, "max") if function.port else (None, None)
    return PcieLink(speed=now[0], width=now[1], max_speed=most[0], max_width=most[1], slot_speed=slot[0], slot_width=slot[1])


def _link(files: Files, path: str, which: str) -> tuple[float | None, int | None]:
    return _speed(files, f"{path}/{which}_link_speed"), _width(files, f"{path}/{which}_link_width")


def _speed(files: Files, path: str) -> float | None:
    found = SPEED.match(files.told(path))  # `Unknown` without a link
    return float(found[1]) if found else None


def _width(files: Files, path: str) -> int | None:
    width = files.number(path)
    return width if width and width < 255 else None  # 0 and 255 are what a function without a link says


def irqs(files: Files, function: PciFunction | None) -> tuple[Irq, ...]:
    """The function's message interrupts and where they are handled."""
    if function is None:
        return ()
    numbers = sorted(int(name) for name in files.names(f"{function.path}/msi_irqs") if name.isdigit())
    return tuple(Irq(number=number, cpus=_affinity(files, f"{files.proc}/irq/{number}")) for number in numbers)


def _affinity(files: Files, folder: str) -> str:
    """An interrupt that nobody asked for yet has no effective CPUs: then those that it may go to."""
    return files.told(f"{folder}/effective_affinity_list") or files.told(f"{folder}/smp_affinity_list")
