"""What the kernel's queueing disciplines and filters take as options, as values and as bytes. Pure.

The layouts are those of the kernel's `include/uapi/linux/pkt_sched.h` and `pkt_cls.h`. pyroute2 knows neither fq nor flower, and
no rates above 4 GB/s of tbf; its messages carry these bytes.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass

ATTRIBUTE = struct.Struct("=HH")
NO_RATE = 0xFFFF_FFFF  # fq: no limit
WHOLE = 0xFFFF_FFFF  # a share of 100 %
TICK = 64  # nanoseconds of the scheduler's clock
ETHERNET = 1  # a rate table would be asked for without it
FQ_FLOW_MAX_RATE = 7
TBF_PARAMETERS, TBF_RATE64, TBF_BURST = 1, 4, 6
NETEM_REORDER, NETEM_CORRUPT, NETEM_LATENCY64, NETEM_JITTER64 = 3, 4, 10, 11
FLOWER_CLASS, FLOWER_ETHER_TYPE, FLOWER_IP_PROTOCOL, FLOWER_TCP_TO, FLOWER_UDP_TO = 1, 8, 9, 19, 21
FLOWER_TO = {4: (12, 13), 6: (16, 17)}  # address and mask
TCP, UDP = 6, 17

_RATE = struct.Struct("=BBHhHI")  # cell_log, linklayer, overhead, cell_align, mpu, rate
_TBF = struct.Struct("=12s12sIII")  # rate, peak rate, limit, buffer, mtu
_NETEM = struct.Struct("=6I")  # latency, limit, loss, gap, duplicate, jitter
_SHARE = struct.Struct("=II")  # probability, correlation


def attribute(kind: int, payload: bytes) -> bytes:
    """One netlink attribute, padded to four bytes."""
    size = ATTRIBUTE.size + len(payload)
    return ATTRIBUTE.pack(size, kind) + payload + bytes(-size % 4)


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in the order in which they stand, without the flags in their numbers."""
    return dict(_attributes(data))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= ATTRIBUTE.size:
        size, kind = ATTRIBUTE.unpack_from(data)
        if size < ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, data[ATTRIBUTE.size : size]
        data = data[size + -size % 4 :]


# --- fq: paces each flow --------------------------------------------------------------------------------------------


def fq_options(max_rate: int | None) -> bytes:
    """`max_rate` in bytes/s."""
    return attribute(FQ_FLOW_MAX_RATE, struct.pack("=I", NO_RATE if max_rate is None else max_rate))


def fq_max_rate(data: bytes) -> int | None:
    """Bytes/s of each flow at most; None is no limit."""
    found = attributes(data).get(FQ_FLOW_MAX_RATE)
    rate = NO_RATE if found is None else int(struct.unpack("=I", found)[0])
    return None if rate == NO_RATE else rate


# --- tbf: shapes all that goes through it ---------------------------------------------------------------------------


def tbf_options(rate: int, burst: int, limit: int) -> bytes:
    """`rate` in bytes/s, `burst` and `limit` in bytes."""
    rate_spec = _RATE.pack(0, ETHERNET, 0, 0, 0, min(rate, 0xFFFF_FFFF))
    parameters = _TBF.pack(rate_spec, bytes(_RATE.size), limit, 0, 0)
    return (
        attribute(TBF_PARAMETERS, parameters)
        + attribute(TBF_RATE64, struct.pack("=Q", rate))
        + attribute(TBF_BURST, struct.pack("=I", burst))
    )


def tbf_rate(data: bytes) -> int:
    """Bytes/s."""
    found = attributes(data)
    rate_spec = _TBF.unpack(found[TBF_PARAMETERS][: _TBF.size])[0]
    rate = int(_RATE.unpack(rate_spec)[5])
    return max(rate, int(struct.unpack("=Q", found[TBF_RATE64])[0])) if TBF_RATE64 in found else rate


# --- netem: delays, loses, damages and reorders ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Netem:
    """Times in nanoseconds, shares in percent, `limit` in packets."""

    delay: int = 0
    jitter: int = 0
    loss: float = 0.0
    corrupt: float = 0.0
    reorder: float = 0.0
    limit: int = 1000


def netem_options(netem: Netem) -> bytes:
    """`gap` 1 makes every packet a candidate for reordering; the kernel looks at the probability only then."""
    gap = 1 if netem.reorder else 0
    fixed = _NETEM.pack(netem.delay // TICK, netem.limit, _share(netem.loss), gap, 0, netem.jitter // TICK)
    return (
        fixed
        + attribute(NETEM_REORDER, _SHARE.pack(_share(netem.reorder), 0))
        + attribute(NETEM_CORRUPT, _SHARE.pack(_share(netem.corrupt), 0))
        + attribute(NETEM_LATENCY64, struct.pack("=q", netem.delay))
        + attribute(NETEM_JITTER64, struct.pack("=q", netem.jitter))
    )


def netem_of(data: bytes) -> Netem:
    """What the kernel has; to the nanosecond where it reports that."""
    latency, limit, loss, _, _, jitter = _NETEM.unpack_from(data)
    found = attributes(data[_NETEM.size :])
    return Netem(
        delay=_time(found.get(NETEM_LATENCY64), latency),
        jitter=_time(found.get(NETEM_JITTER64), jitter),
        loss=_percent(loss),
        corrupt=_percent(_probability(found.get(NETEM_CORRUPT))),
        reorder=_percent(_probability(found.get(NETEM_REORDER))),
        limit=limit,
    )


def _share(percent: float) -> int:
    return round(percent / 100 * WHOLE)


def _percent(share: int) -> float:
    return round(share / WHOLE * 100, 6)


def _probability(data: bytes | None) -> int:
    return 0 if data is None else int(_SHARE.unpack(data[: _SHARE.size])[0])


def _time(exact: bytes | None, ticks: int) -> int:
    return ticks * TICK if exact is None else int(struct.unpack("=q", exact)[0])


# --- prio and flower: which packets go where ------------------------------------------------------------------------


def prio_options(bands: int) -> bytes:
    """Everything goes to the first band unless a filter says otherwise."""
    return struct.pack("=i16s", bands, bytes(16))


@dataclass(frozen=True, slots=True)
class Match:
    """Packets by their ethernet type, and by what is given of IP protocol and port, and address or network; `class_` is where they go."""

    ether_type: int
    class_: int
    protocol: int = 0
    port: int = 0
    to: str = ""


def flower_options(match: Match) -> bytes:
    options = attribute(FLOWER_CLASS, struct.pack("=I", match.class_)) + attribute(FLOWER_ETHER_TYPE, struct.pack("!H", match.ether_type))
    if match.port:
        port = FLOWER_TCP_TO if match.protocol == TCP else FLOWER_UDP_TO
        options += attribute(FLOWER_IP_PROTOCOL, struct.pack("B", match.protocol)) + attribute(port, struct.pack("!H", match.port))
    if match.to:
        network = ipaddress.ip_network(match.to)
        address, mask = FLOWER_TO[network.version]
        options += attribute(address, network.network_address.packed) + attribute(mask, network.netmask.packed)
    return options


def flower_match(data: bytes) -> Match | None:
    """The match, or None where it is another kind of match than ours."""
    found = attributes(data)
    if not {FLOWER_CLASS, FLOWER_ETHER_TYPE} <= found.keys():
        return None
    protocol = found.get(FLOWER_IP_PROTOCOL, b"\0")[0]
    port = found.get({TCP: FLOWER_TCP_TO, UDP: FLOWER_UDP_TO}.get(protocol, 0))
    to = _destination(found)
    if (protocol and port is None) or not (protocol or to):
        return None
    return Match(
        ether_type=struct.unpack("!H", found[FLOWER_ETHER_TYPE][:2])[0],
        class_=struct.unpack("=I", found[FLOWER_CLASS])[0],
        protocol=protocol,
        port=struct.unpack("!H", port[:2])[0] if port is not None else 0,
        to=to,
    )


def _destination(found: dict[int, bytes]) -> str:
    """The address or network in normal form; empty if there is none."""
    for address, mask in FLOWER_TO.values():
        if address in found and any(found.get(mask, b"")):
            return normal_destination(f"{ipaddress.ip_address(found[address])}/{int.from_bytes(found[mask]).bit_count()}")
    return ""


def normal_destination(text: str) -> str:
    """One text for each address and each network; ValueError if it is neither, an address in a network, or everything.

    A kernel does not report a filter's mask that is zero, so that one would not be read back.
    """
    network = ipaddress.ip_network(text)
    if network.prefixlen == 0:
        raise ValueError(f"{text} matches every address; omit it, or name networks")
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
