"""Reads a queueing discipline from its netlink message. It reports the settings that limit or disturb a transfer; the rest is left out.

pyroute2 has no layout for fq, which is the discipline that data transfer wants, so attributes are taken apart here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping

from dtn_agent.protocol import Qdisc

MESSAGE = struct.Struct("=BxxxiIII")  # family, link, handle, parent, reference count
KIND, OPTIONS = 1, 2
ROOT = 0xFFFFFFFF
FQ_MAX_RATE = 7
NO_RATE = 0xFFFFFFFF
TBF_PARAMETERS, TBF_RATE64 = 1, 4
RATE_AT = 8  # of the 32-bit rate in the kernel's rate structure
NETEM = struct.Struct("=IIIIII")  # latency, limit, loss, gap, duplicates, jitter
NETEM_CORRUPT, NETEM_RATE, NETEM_RATE64, NETEM_LATENCY64, NETEM_JITTER64 = 4, 6, 8, 10, 11


def qdisc_of(body: bytes) -> tuple[int, Qdisc]:
    """The index of its link, and the discipline, from a message without its netlink header."""
    _, link, handle, parent, _ = MESSAGE.unpack_from(body)
    found = attributes(body[MESSAGE.size :])
    kind = _text(found[KIND])
    options = OPTIONS_OF.get(kind, _nothing)(found.get(OPTIONS, b""))
    return link, Qdisc(kind=kind, handle=f"{handle >> 16:x}:", parent=_parent(parent), options=options)


def _parent(parent: int) -> str:
    if parent == ROOT:
        return "root"
    major, minor = parent >> 16, parent & 0xFFFF
    return f"{major:x}:{minor:x}" if major else f":{minor:x}"


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes of a message or of a nest, by number."""
    return dict(attribute_list(data))


def attribute_list(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The same one after the other, where several have one number."""
    start = 0
    while start + 4 <= len(data):
        length, number = struct.unpack_from("=HH", data, start)
        if length < 4:
            return
        yield number & 0x3FFF, data[start + 4 : start + length]
        start += (length + 3) & ~3


# --- options by kind ------------------------------------------------------------------------------------------------


def _nothing(_: bytes) -> str:
    return ""


def _fq(data: bytes) -> str:
    rate = _number(attributes(data).get(FQ_MAX_RATE))
    return "" if rate in (None, NO_RATE) else f"maxrate {rate_text(rate)}"


def _tbf(data: bytes) -> str:
    found = attributes(data)
    rate = _number(found.get(TBF_RATE64)) or _number(found.get(TBF_PARAMETERS, b"")[RATE_AT : RATE_AT + 4])
    return f"rate {rate_text(rate)}" if rate else ""


def _netem(data: bytes) -> str:
    _, _, loss, _, _, _ = NETEM.unpack_from(data)
    found = attributes(data[NETEM.size :])
    corrupt = _number(found.get(NETEM_CORRUPT, b"")[:4])
    rate = _number(found.get(NETEM_RATE64)) or _number(found.get(NETEM_RATE, b"")[:4])
    words = [
        _delay(_number(found.get(NETEM_LATENCY64)), _number(found.get(NETEM_JITTER64))),
        f"loss {_percent(loss)}" if loss else "",
        f"corrupt {_percent(corrupt)}" if corrupt else "",
        f"rate {rate_text(rate)}" if rate else "",
    ]
    return " ".join(filter(None, words))


def _delay(delay: int | None, spread: int | None) -> str:
    """From nanoseconds, which kernels report since 4.15."""
    if not delay:
        return ""
    return f"delay {delay / 1e6:g}ms" + (f" {spread / 1e6:g}ms" if spread else "")


def _percent(share: int) -> str:
    return f"{share / NO_RATE * 100:.4g}%"


def rate_text(bytes_per_second: int) -> str:
    """`20000mbit`, in the largest unit up to it in which it is whole."""
    bits = bytes_per_second * 8
    for unit, size in (("mbit", 1_000_000), ("kbit", 1_000)):
        if bits % size == 0:
            return f"{bits // size}{unit}"
    return f"{bits}bit"


def _number(data: bytes | None) -> int | None:
    return int.from_bytes(data, "little") if data else None


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode(errors="replace")


OPTIONS_OF: Mapping[str, Callable[[bytes], str]] = {"fq": _fq, "tbf": _tbf, "netem": _netem}
