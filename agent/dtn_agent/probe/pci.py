"""What a PCI function reports of its place: NUMA node, link, interrupts, virtual functions."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from dtn_agent.probe.files import Files, PciFunction
from dtn_agent.protocol import Irq, PcieLink

CONFIG_SIZE = 256  # bytes: what has the capabilities of PCI, the extended ones lie behind
FIRST_CAPABILITY, MOST_CAPABILITIES = 0x34, 48
PCI_EXPRESS = 0x10
PCIE_REGISTERS = struct.Struct("<BBHIH")  # id, next one, capabilities, Device Capabilities, Device Control
SMALLEST_PAYLOAD, MOST_DOUBLINGS = 128, 5
SPEED = re.compile(r"([\d.]+) GT/s")


def numa_node(files: Files, function: PciFunction | None) -> int | None:
    """The node; None where the firmware did not say (the kernel writes -1)."""
    return None if function is None else files.positive(f"{function.path}/numa_node")


def pcie_link(files: Files, function: PciFunction | None) -> PcieLink | None:
    """Now, at most, and what the port above can do; None for a function that reports nothing, such as a VF or an emulated one."""
    if function is None:
        return None
    now, most = _link(files, function.path, "current"), _link(files, function.path, "max")
    if not any((*now, *most)):
        return None
    slot = _link(files, function.port, "max") if function.port else (None, None)
    sizes = packet_sizes(files, function)
    return PcieLink(
        speed=now[0],
        width=now[1],
        max_speed=most[0],
        max_width=most[1],
        slot_speed=slot[0],
        slot_width=slot[1],
        payload=sizes.payload,
        payload_max=_payload_of_path(files, function, sizes),
        read_request=sizes.read_request,
    )


def _link(files: Files, path: str, which: str) -> tuple[float | None, int | None]:
    return _speed(files, f"{path}/{which}_link_speed"), _width(files, f"{path}/{which}_link_width")


@dataclass(frozen=True, slots=True)
class PacketSizes:
    """What a function says of its packets, in bytes; None where it does not, or not to us."""

    payload_max: int | None = None
    payload: int | None = None
    read_request: int | None = None


def packet_sizes(files: Files, function: PciFunction) -> PacketSizes:
    """By its registers Device Capabilities and Device Control. Source: PCI Express Base Specification 4.0, 7.5.3.3 and 7.5.3.4.

    Who is not root is shown the first 64 bytes only, and the capability lies behind them.
    """
    config = files.start(f"{function.path}/config", CONFIG_SIZE)
    start = _capability(config)
    if not start or start + PCIE_REGISTERS.size > len(config):
        return PacketSizes()
    _, _, _, can, control = PCIE_REGISTERS.unpack_from(config, start)
    return PacketSizes(_bytes(can), _bytes(control >> 5), _bytes(control >> 12))


def _capability(config: bytes) -> int:
    """Where the PCI Express capability starts; 0 if there is none. The list is a chain, and a broken one may be a ring."""
    place = config[FIRST_CAPABILITY] if len(config) > FIRST_CAPABILITY else 0
    for _ in range(MOST_CAPABILITIES):
        place &= ~3
        if not place or place + 1 >= len(config):
            return 0
        if config[place] == PCI_EXPRESS:
            return place
        place = config[place + 1]
    return 0


def _bytes(field: int) -> int | None:
    """Three bits: 128 bytes, doubled that often; two of the eight values have no meaning."""
    times = field & 7
    return SMALLEST_PAYLOAD << times if times <= MOST_DOUBLINGS else None


def _payload_of_path(files: Files, function: PciFunction, sizes: PacketSizes) -> int | None:
    """What every link of the way to the processor can."""
    found, port = [sizes.payload_max], function.port
    while port:
        above = PciFunction("", port)
        found.append(packet_sizes(files, above).payload_max)
        port = above.port
    known = [size for size in found if size is not None]
    return min(known) if len(known) == len(found) else None


def _speed(files: Files, path: str) -> float | None:
    found = SPEED.match(files.value(path))  # `Unknown` without a link
    return float(found[1]) if found else None


def _width(files: Files, path: str) -> int | None:
    width = files.number(path)
    return width if width and width < 255 else None  # 0 and 255 are what a function without a link says


def irqs(files: Files, function: PciFunction | None) -> tuple[Irq, ...]:
    """The function's message interrupts and where they are handled."""
    if function is None:
        return ()
    numbers = sorted(int(name) for name in files.names(f"{function.path}/msi_irqs") if name.isdecimal())
    return tuple(Irq(number=number, cpus=_affinity(files, f"{files.proc}/irq/{number}")) for number in numbers)


def _affinity(files: Files, folder: str) -> str:
    """An interrupt that is not in use yet has no effective CPUs: then those that it may go to."""
    return files.value(f"{folder}/effective_affinity_list") or files.value(f"{folder}/smp_affinity_list")
