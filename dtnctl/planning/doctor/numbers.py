"""Numbers that rules compare: CPU lists, what a PCIe link carries, what a NIC's speed asks of the host. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dtn_agent.protocol import PcieLink

TLP_PAYLOAD = 256  # bytes; what almost all hosts negotiate
TLP_OVERHEAD = 26  # bytes of headers and framing for each payload
_RATE = re.compile(r"maxrate (\d+(?:\.\d+)?)\s*([KMGT]?)bit", re.IGNORECASE)
_MEGABITS = {"": 1e-6, "K": 1e-3, "M": 1.0, "G": 1e3, "T": 1e6}


@dataclass(frozen=True, slots=True)
class Needs:
    """What a data NIC of at least `speed` Mb/s asks of its host: buffers in bytes, queues in packets."""

    speed: int
    socket_buffer: int
    tcp_buffer: int
    backlog: int
    queue: int


# Socket and TCP buffers as ESnet's own script has them for hosts whose movers use several streams; the queues are OSG's.
NEEDS = (
    Needs(400_000, 2**31 - 1, 2**30, 1_000_000, 25_000),
    Needs(200_000, 2**31 - 1, 2**30, 750_000, 25_000),
    Needs(100_000, 2**31 - 1, 2**30, 500_000, 25_000),
    Needs(40_000, 128 * 2**20, 64 * 2**20, 400_000, 18_000),
    Needs(25_000, 96 * 2**20, 48 * 2**20, 300_000, 12_000),
    Needs(0, 64 * 2**20, 32 * 2**20, 250_000, 10_000),
)
FAST = 100_000  # Mb/s from which zero-copy and its memory matter


def needs_of(speed: int) -> Needs:
    """What a NIC of this speed in Mb/s asks for."""
    return next(row for row in NEEDS if speed >= row.speed)


def cpu_set(text: str) -> frozenset[int]:
    """The CPUs of a list as the kernel writes it: `0-3,8`."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def cpu_list(cpus: frozenset[int]) -> str:
    """The other way round."""
    spans: list[list[int]] = []
    for cpu in sorted(cpus):
        if spans and spans[-1][1] == cpu - 1:
            spans[-1][1] = cpu
        else:
            spans.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def pcie_goodput(link: PcieLink) -> float | None:
    """Gb/s of data that the link carries now, after line encoding and packet headers; None where speed or width are not known."""
    if not link.speed or not link.width:
        return None
    encoding = 0.8 if link.speed < 8 else 128 / 130
    return link.speed * link.width * encoding * TLP_PAYLOAD / (TLP_PAYLOAD + TLP_OVERHEAD)


def pcie_can(link: PcieLink) -> tuple[float, int] | None:
    """(GT/s, width) that card and slot both can; None where the card's own limits are not known, the slot's alone say too much."""
    if not link.max_speed or not link.max_width:
        return None
    return min(link.max_speed, link.slot_speed or link.max_speed), min(link.max_width, link.slot_width or link.max_width)


def pace_of(options: str) -> float | None:
    """Mb/s of `maxrate` in a qdisc's options, in tc's words; None without one."""
    match = _RATE.search(options)
    return float(match[1]) * _MEGABITS[match[2].upper()] if match else None


def last_number(text: str) -> int | None:
    """The last number of a setting such as `4096 131072 6291456`, whatever blanks are between; None if it is none."""
    words = text.split()
    return int(words[-1]) if words and words[-1].isdecimal() else None
