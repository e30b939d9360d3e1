"""Reads links and addresses from their netlink messages. Attributes by the numbers of `linux/if_link.h` and `linux/if_addr.h`.

By hand, as queueing disciplines are: whoever reads another host's messages has none of the agent's libraries, and they lack some of these.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping

from dtn_agent.probe.answers import LinkAnswer, VfEntry
from dtn_agent.probe.queueing import attribute_list, attributes
from dtn_agent.protocol import OffloadSizes

LINK = struct.Struct("=BxHiII")  # family, hardware type, index, flags, change
ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, index
UP, LOOPBACK = 0x1, 0x8
STACKED = ("vlan", "macvlan", "macvtap", "ipvlan", "ipvtap", "macsec")  # kinds whose link attribute is the interface below them
MAC, NAME, MTU, BELOW, MASTER, QUEUE_LENGTH, INFO, ALIAS, VFS, CARRIER, BELOW_ELSEWHERE, MOST_MTU = (
    1,
    3,
    4,
    5,
    10,
    13,
    18,
    20,
    22,
    33,
    37,
    51,
)
KIND, DATA, VLAN_ID = 1, 2, 1  # in INFO, and in the DATA of a VLAN
OFFLOAD_SIZES = {"gso": 41, "gro": 58, "tso": 59, "gso_ipv4": 63, "gro_ipv4": 64}  # IFLA_GSO_MAX_SIZE …
VF_MAC, VF_VLAN, VF_SPOOFCHK, VF_LINK_STATE, VF_RATE, VF_TRUST = 1, 2, 4, 5, 6, 9  # each starts with the function's index
MAC_LENGTH = 6  # of the 32 bytes that a function's address has room for
UNKNOWN = 0xFFFFFFFF  # a driver that has no such setting
LINK_STATES = {0: "auto", 1: "enable", 2: "disable"}
THEIR_ADDRESS, OUR_ADDRESS = 1, 2  # IFA_LOCAL is our own address where IFA_ADDRESS is the peer's (point to point)


def link_of(body: bytes) -> LinkAnswer:
    """A link, from a message without its netlink header."""
    _, _, index, flags, _ = LINK.unpack_from(body)
    found = attributes(body[LINK.size :])
    info = attributes(found.get(INFO, b""))
    kind = _text(info.get(KIND, b""))
    return LinkAnswer(
        index=index,
        name=_text(found[NAME]),
        alias=_text(found.get(ALIAS, b"")),
        mac=_mac(found.get(MAC, b"")),
        mtu=_number(found.get(MTU)) or 0,
        max_mtu=_number(found.get(MOST_MTU)) or None,  # 0 is "no limit known"
        is_up=bool(flags & UP),
        carrier=any(found.get(CARRIER, b"")) if flags & UP else None,
        tx_queue_len=_number(found.get(QUEUE_LENGTH)),
        offload_sizes=OffloadSizes.model_validate({name: _number(found.get(number)) for name, number in OFFLOAD_SIZES.items()}),
        kind=kind,
        parent=_below(found) if kind in STACKED else None,
        master=_number(found.get(MASTER)),
        vlan=_vlan(info.get(DATA, b"")) if kind == "vlan" else None,
        is_loopback=bool(flags & LOOPBACK),
        vfs=tuple(_vf(attributes(entry)) for _, entry in attribute_list(found.get(VFS, b""))),
    )


def address_of(body: bytes) -> tuple[int, str]:
    """The link's index and the address with its prefix length, from a message without its netlink header."""
    family, prefix, _, _, index = ADDRESS.unpack_from(body)
    found = attributes(body[ADDRESS.size :])
    return index, f"{socket.inet_ntop(family, found.get(OUR_ADDRESS) or found[THEIR_ADDRESS])}/{prefix}"


def _below(found: Mapping[int, bytes]) -> int | None:
    """The index counts only in the link's own network namespace."""
    return None if BELOW_ELSEWHERE in found else _number(found.get(BELOW))


def _vlan(data: bytes) -> int | None:
    found = attributes(data).get(VLAN_ID)
    return int.from_bytes(found[:2], "little") if found else None


def _vf(found: Mapping[int, bytes]) -> VfEntry:
    index = _numbers(found[VF_MAC][:4])[0]
    vlan, rate, state = (_numbers(found.get(kind, b"")) for kind in (VF_VLAN, VF_RATE, VF_LINK_STATE))
    return VfEntry(
        index=index,
        mac=_mac(found[VF_MAC][4 : 4 + MAC_LENGTH]),
        vlan=vlan[1] if vlan else None,
        vlan_priority=vlan[2] if vlan else None,
        spoofchk=_setting(found.get(VF_SPOOFCHK)),
        trust=_setting(found.get(VF_TRUST)),
        min_rate=rate[1] if rate else None,
        max_rate=rate[2] if rate else None,
        link_state=LINK_STATES.get(state[1], "") if state else "",
    )


def _setting(data: bytes | None) -> bool | None:
    value = _numbers(data)[1] if data else UNKNOWN
    return None if value == UNKNOWN else bool(value)


def _numbers(data: bytes) -> tuple[int, ...]:
    """Those of 32 bits that are in it, one after the other."""
    return struct.unpack_from(f"={len(data) // 4}I", data)


def _number(data: bytes | None) -> int | None:
    return _numbers(data)[0] if data else None


def _mac(data: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in data)


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode(errors="replace")
