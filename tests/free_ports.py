"""Ports on the loopback address for programs that a test starts."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 20_000
GIVEN_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port that a program is to open in a moment.

    None that the kernel gives out: until the program is so far, a connection of another test could have it.
    """
    first_given_out = int(GIVEN_OUT.read_text().split()[0])
    ports = range(LOWEST, first_given_out) if first_given_out > LOWEST else range(1024, 65536)
    for port in random.SystemRandom().sample(ports, 100):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("a hundred ports are taken")
