"""What ethtool's ioctls tell and set of a NIC, as rows of numbers. The layouts are those of `include/uapi/linux/ethtool.h`."""

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
NOT_HERE = (errno.ENODEV, errno.EOPNOTSUPP)


@dataclass(frozen=True, slots=True)
class Row:
    """A structure of so many numbers of 32 bits after the command's own number."""

    get: int
    set: int
    numbers: int


COALESCE = Row(0x0E, 0x0F, 22)
RINGS = Row(0x10, 0x11, 8)
PAUSE = Row(0x12, 0x13, 3)
CHANNELS = Row(0x3C, 0x3D, 8)


class Nic(Protocol):
    """What a setting needs of a NIC: OSError is the driver's no."""

    def get(self, row: Row) -> list[int] | None:
        """The numbers; None if there is no such NIC, or its driver has no such thing."""

    def set(self, row: Row, numbers: Sequence[int]) -> None: ...


class KernelNic:
    """The NIC with this name in this thread's network namespace."""

    def __init__(self, interface: str) -> None:
        self.interface = interface

    def get(self, row: Row) -> list[int] | None:
        try:
            return self._call(row.get, [0] * row.numbers)
        except OSError as error:
            if error.errno in NOT_HERE:
                return None
            raise

    def set(self, row: Row, numbers: Sequence[int]) -> None:
        self._call(row.set, numbers)

    def _call(self, command: int, numbers: Sequence[int]) -> list[int]:
        """The request holds the address of the row; the kernel reads it and writes its answer there."""
        row = array.array("I", [command, *numbers])
        request = struct.pack("16sP16x", self.interface.encode(), row.buffer_info()[0])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCETHTOOL, request)
        return row.tolist()[1:]
