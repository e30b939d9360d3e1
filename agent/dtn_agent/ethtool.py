"""What ethtool's ioctl reports and sets of a NIC. The layouts are those of `include/uapi/linux/ethtool.h`.

pyroute2's ethtool has no call for the firmware, pause frames and the permanent address, so all are made here in one way.
"""

from __future__ import annotations

import array
import errno
import fcntl
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

SIOCETHTOOL = 0x8946
REQUEST = struct.Struct("16sP16x")  # struct ifreq: the name, and where the question is
NOT_HERE = (errno.ENODEV, errno.EOPNOTSUPP)
DRIVER, STRINGS, PERMANENT_ADDRESS, STRING_SETS, FEATURES = 0x03, 0x1B, 0x20, 0x37, 0x3A
FEATURE_STRINGS = 4
STRING_LENGTH = 32
FIRMWARE_AT, FIRMWARE_LENGTH, DRIVER_LENGTH = 68, 32, 196
NO_FIRMWARE = ("", "N/A", "n/a")


@dataclass(frozen=True, slots=True)
class Row:
    """A structure of this many numbers of 32 bits after the command's own number."""

    get: int
    set: int
    numbers: int


# The rows that are used, and where in each a number stands.
COALESCE, ADAPTIVE_RX = Row(0x0E, 0x0F, 22), 9  # 10 is the same of sending
RINGS, MOST_RX_RING, MOST_TX_RING, RX_RING, TX_RING = Row(0x10, 0x11, 8), 0, 3, 4, 7
PAUSE, PAUSE_RX, PAUSE_TX = Row(0x12, 0x13, 3), 1, 2
CHANNELS, MOST_COMBINED, RX_CHANNELS, TX_CHANNELS, COMBINED = Row(0x3C, 0x3D, 8), 3, 4, 5, 7


class Rows(Protocol):
    """What a setting needs of a NIC: OSError is the driver's refusal."""

    def get(self, row: Row) -> list[int] | None:
        """The numbers; None if there is no such NIC, or its driver has no such thing."""

    def set(self, row: Row, numbers: Sequence[int]) -> None: ...


class KernelNic:
    """The NIC with this name in this thread's network namespace."""

    def __init__(self, interface: str) -> None:
        self.interface = interface

    def ask(self, question: bytes) -> bytes:
        """The question's bytes with the kernel's answer in them. OSError if it refuses."""
        answer = array.array("B", question)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as any_socket:
            fcntl.ioctl(any_socket, SIOCETHTOOL, REQUEST.pack(self.interface.encode(), answer.buffer_info()[0]))
        return answer.tobytes()

    def get(self, row: Row) -> list[int] | None:
        try:
            answer = self.ask(struct.pack("=I", row.get) + bytes(4 * row.numbers))
        except OSError as error:
            if error.errno in NOT_HERE:
                return None
            raise
        return list(struct.unpack(f"={row.numbers}I", answer[4:]))

    def set(self, row: Row, numbers: Sequence[int]) -> None:
        self.ask(struct.pack(f"={1 + row.numbers}I", row.set, *numbers))

    def firmware(self) -> str | None:
        """The version of its firmware; None if it has none to name."""
        answer = self.ask(struct.pack("=I", DRIVER) + bytes(DRIVER_LENGTH - 4))
        text = _text(answer[FIRMWARE_AT : FIRMWARE_AT + FIRMWARE_LENGTH]).strip()
        return None if text in NO_FIRMWARE else text

    def permanent_mac(self) -> str | None:
        """The address that the card was made with."""
        answer = self.ask(struct.pack("=II", PERMANENT_ADDRESS, 32) + bytes(32))
        (length,) = struct.unpack_from("=I", answer, 4)
        address = answer[8 : 8 + length]
        return ":".join(f"{byte:02x}" for byte in address) if any(address) else None

    def known_features(self) -> tuple[str, ...]:
        """The names of all features that this kernel knows, in the order of their bits; any NIC answers the same."""
        answer = self.ask(struct.pack("=IIQI", STRING_SETS, 0, 1 << FEATURE_STRINGS, 0))
        (count,) = struct.unpack_from("=I", answer, 16)
        answer = self.ask(struct.pack("=III", STRINGS, FEATURE_STRINGS, count) + bytes(count * STRING_LENGTH))
        return tuple(_text(answer[start : start + STRING_LENGTH]) for start in range(12, 12 + count * STRING_LENGTH, STRING_LENGTH))

    def features(self, known: Sequence[str]) -> tuple[str, ...] | None:
        """Those that are on, by name; None if none is known."""
        blocks = (len(known) + 31) // 32
        if not blocks:
            return None
        answer = self.ask(struct.pack("=II", FEATURES, blocks) + bytes(16 * blocks))
        active = [struct.unpack_from("=I", answer, 8 + 16 * block + 8)[0] for block in range(blocks)]
        return tuple(sorted(name for bit, name in enumerate(known) if name and active[bit // 32] >> bit % 32 & 1))


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode(errors="replace")
