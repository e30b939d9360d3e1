"""Asks the kernel that we run on."""

from __future__ import annotations

import ctypes
import os

from dtn_agent.probe import netlink, nics
from dtn_agent.probe.answers import Answers

UNSYNCHRONIZED = 0x40  # STA_UNSYNC in the clock's status


def ask_kernel() -> Answers:
    """Everything that files do not show, of the network namespace that we are in."""
    with netlink.kernel_dump() as take:
        links, addresses, qdiscs = netlink.ask(take)
    return Answers(
        links=links,
        addresses=addresses,
        qdiscs=qdiscs,
        ethtool=nics.ask(link.name for link in links if not link.is_loopback),
        clock_synchronized=_is_clock_synchronized(),
        machine=os.uname().machine,
    )


class _Timex(ctypes.Structure):
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


def _is_clock_synchronized() -> bool | None:
    clock = _Timex()
    if ctypes.CDLL(None).adjtimex(ctypes.byref(clock)) < 0:
        return None
    return not clock.status & UNSYNCHRONIZED
