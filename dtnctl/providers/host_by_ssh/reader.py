"""Reads for us on a host: it is sent there over ssh, lives in the memory of that host's Python, and ends with its input.

Nothing but the standard library of Python 3.6, the oldest that long-lived distributions still have: no `X | None`, no later call.
It opens files to read them, asks the kernel by dumps of netlink and by questions of ethtool that change nothing, sends an ICMP echo
where it is asked to, and starts no program. What it is asked comes as one line of JSON, packed; so goes the answer, behind a mark that no
login shell prints by itself.
"""

import array
import base64
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import time
import zlib

TYPE_CHECKING = False  # that of `typing`, which is not worth an import there
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

LONGEST_SILENCE = 300  # seconds; who asked may be gone without the connection noticing
CHUNK = 1 << 16
HEADER = struct.Struct("=IHHII")
REQUEST, DUMP, INTERRUPTED, ERROR, DONE = 0x1, 0x300, 0x10, 2, 3
ATTEMPTS = 4
READING_DUMPS = (18, 22, 38)  # links, addresses, queueing disciplines
READING_ETHTOOL = (0x03, 0x0E, 0x10, 0x12, 0x1B, 0x20, 0x37, 0x3A, 0x3C)
SIOCETHTOOL = 0x8946
UNSYNCHRONIZED = 0x40  # STA_UNSYNC in the clock's status
ECHOES, ECHO_SECONDS = 2, 1.0
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, IPV6_DONTFRAG, NEVER_CUT = 10, 23, 62, 3  # of linux/in.h and in6.h; 3 is IP_PMTUDISC_PROBE


class Timex(ctypes.Structure):
    """The first fields of struct timex, and room for the rest. No modes: nothing is set."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def content(path: str) -> bytes:
    """All bytes of a file."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = [os.read(file, CHUNK)]
        while pieces[-1]:
            pieces.append(os.read(file, CHUNK))
    finally:
        os.close(file)
    return b"".join(pieces)


def start(path: str, size: int) -> bytes:
    """The first bytes of a file."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, size)
    finally:
        os.close(file)


def names(path: str) -> "list[str]":
    return sorted(os.listdir(path))  # noqa: PTH208  # paths are texts here


def target(path: str) -> str:
    return os.readlink(path)  # noqa: PTH115  # paths are texts here


def exists(path: str) -> bool:
    return os.access(path, os.F_OK)


def dump(kind: int, body: str) -> "list[str]":
    """The messages of one consistent dump of netlink."""
    if kind not in READING_DUMPS:
        raise OSError("not a dump")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) as route:
        route.bind((0, 0))
        for sequence in range(1, ATTEMPTS + 1):
            question = body.encode("latin-1")
            route.send(HEADER.pack(HEADER.size + len(question), kind, REQUEST | DUMP, sequence, 0) + question)
            messages = list(dumped(route, sequence))
            if not any(flags & INTERRUPTED for flags, _ in messages):
                return [data.decode("latin-1") for _, data in messages]
    raise OSError("the kernel's list kept changing while it was read")


def dumped(route: socket.socket, sequence: int) -> "Iterator[tuple[int, bytes]]":
    """Flags and bytes of each message up to the dump's end."""
    while True:
        received = route.recv(1 << 18)
        place = 0
        while place < len(received):
            length, kind, flags, number, _ = HEADER.unpack_from(received, place)
            if number == sequence:
                if kind == ERROR:
                    raise OSError(-struct.unpack_from("=i", received, place + HEADER.size)[0], "refused")
                if kind == DONE:
                    return
                yield flags, received[place : place + length]
            place += (length + 3) & ~3


def ethtool(interface: str, question: str) -> bytes:
    """The question's bytes with the driver's answer in them."""
    buffer = array.array("B", question.encode("latin-1"))
    if struct.unpack_from("=I", buffer)[0] not in READING_ETHTOOL:
        raise OSError("not a question")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as any_socket:
        fcntl.ioctl(any_socket, SIOCETHTOOL, struct.pack("16sP16x", interface.encode(), buffer.buffer_info()[0]))
    return buffer.tobytes()


def is_clock_synchronized() -> bool:
    clock = Timex()
    if ctypes.CDLL(None).adjtimex(ctypes.byref(clock)) < 0:
        raise OSError("the clock says nothing")
    return not clock.status & UNSYNCHRONIZED


def echo(address: str, interface: str, size: int) -> bool:
    """Whether an ICMP echo with this much data comes back, which neither this kernel nor a router may cut."""
    is_new = ":" in address
    family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if is_new else (socket.AF_INET, socket.IPPROTO_ICMP)
    try:
        way = socket.socket(family, socket.SOCK_DGRAM, protocol)
    except PermissionError:  # net.ipv4.ping_group_range leaves this login out; root may without it
        way = socket.socket(family, socket.SOCK_RAW, protocol)
    with way:
        if is_new:
            way.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, NEVER_CUT)
            way.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
        else:
            way.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, NEVER_CUT)
        way.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        way.connect((address, 0))
        return any(came_back(way, is_new, number, size) for number in range(1, ECHOES + 1))


def came_back(way: socket.socket, is_new: bool, number: int, size: int) -> bool:
    """One echo: ours has our process's number, and `number`."""
    is_raw = way.type == socket.SOCK_RAW
    asked, answered = (128, 129) if is_new else (8, 0)
    identity = os.getpid() & 0xFFFF
    packet = struct.pack("!BBHHH", asked, 0, 0, identity, number) + bytes(size)
    if is_raw and not is_new:  # the kernel does it for the other kinds of sockets
        packet = packet[:2] + struct.pack("=H", checksum(packet)) + packet[4:]
    deadline = time.monotonic() + ECHO_SECONDS
    try:
        way.send(packet)
        while time.monotonic() < deadline:
            way.settimeout(max(0.001, deadline - time.monotonic()))
            received = way.recv(1 << 16)
            start = (received[0] & 15) * 4 if is_raw and not is_new else 0  # of IPv4 a raw socket gets the header too
            kind, _, _, whose, which = struct.unpack_from("!BBHHH", received, start)
            if kind == answered and which == number and (whose == identity or not is_raw):
                return True
    except OSError:  # too long for the interface, no route, nothing came
        pass
    return False


def checksum(data: bytes) -> int:
    """The internet's, in this machine's byte order (RFC 1071)."""
    total = sum(array.array("H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


OPERATIONS: "dict[str, Callable[..., Any]]" = {
    "content": content,
    "start": start,
    "names": names,
    "target": target,
    "exists": exists,
    "dump": dump,
    "ethtool": ethtool,
    "clock": is_clock_synchronized,
    "echo": echo,
}


def answers(questions: "list[list[Any]]") -> "dict[str, list[Any]]":
    """An answer to each; null is "there is none", and `denied` are the numbers of those that this login may not have."""
    found: list[Any] = []
    denied: list[int] = []
    for number, (operation, *words) in enumerate(questions):
        try:
            value = OPERATIONS[operation](*words)
        except PermissionError:
            denied.append(number)
            value = None
        except OSError:
            value = None
        found.append(value.decode("latin-1") if isinstance(value, bytes) else value)
    return {"answers": found, "denied": denied}


def packed(value: object) -> bytes:
    return base64.b64encode(zlib.compress(json.dumps(value).encode("ascii"), 1))


def unpacked(line: bytes) -> "Any":
    return json.loads(zlib.decompress(base64.b64decode(line)).decode("ascii"))


def serve(source: "BinaryIO", sink: "BinaryIO") -> None:
    """Say who we are, then answer line by line. The first line that comes is the mark of what goes back."""
    mark = source.readline().strip()
    hello = {
        "python": sys.version.split()[0],
        "user": os.geteuid(),
        "byte_order": sys.byteorder,
        "machine": os.uname().machine,
    }
    sink.write(mark + b" " + packed(hello) + b"\n")
    sink.flush()
    while True:
        signal.alarm(LONGEST_SILENCE)
        line = source.readline()
        if not line:
            return
        sink.write(mark + b" " + packed(answers(unpacked(line))) + b"\n")
        sink.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
