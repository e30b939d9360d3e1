"""Whether the bytes of a transfer went over a path, by counters as the kernel of a container shows them."""

from __future__ import annotations

import pytest

from dtnctl.model.tools import Side
from dtnctl.movers.carried import UNREAD, PathUse, Readings, both_ends, counted, interface_of, use_of

HEADER = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
"""
ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth1\t00004F0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t05004F0A\t0200110AC\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
"""
SIX = "fd000000000000000000000000000003 0b 40 00 80     eth1\nfe800000000000000042acfffe110002 0a 40 20 80     eth0\n"
MIB = 1 << 20


def reading(**sent: int) -> str:
    """Counters of these interfaces: as many bytes received as sent, and one more."""
    lines = (f"  {name}: {value + 1} 9 0 0 0 0 0 0 {value} 8 0 0 0 0 0 0\n" for name, value in sent.items())
    return f"{HEADER}{''.join(lines)}{ROUTES}{SIX}"


READ = reading(eth0=1, eth1=2)


def use(over: int, around: int, moved: int, *, side: Side = "source", address: str = "10.79.0.2") -> PathUse:
    before, after = reading(lo=0, eth0=500, eth1=700), reading(lo=99, eth0=500 + around, eth1=700 + over)
    return use_of(Readings(side, address, before, after), moved)


def test_counters_are_those_sent_at_the_source_and_those_received_at_the_destination() -> None:
    assert counted(reading(eth0=5, eth1=7), "source") == {"eth0": 5, "eth1": 7}
    assert counted(reading(eth0=5, eth1=7), "destination") == {"eth0": 6, "eth1": 8}
    assert counted("nonsense", "source") == {}


@pytest.mark.parametrize(
    ("address", "interface"),
    [("10.79.0.2", "eth1"), ("172.17.0.9", "eth0"), ("10.80.0.1", ""), ("fd00::3", "eth1"), ("fd00::4", "")],
)
def test_interface_with_an_address_is_found_without_a_program(address: str, interface: str) -> None:
    assert interface_of(reading(), address) == interface


@pytest.mark.parametrize("side", ["source", "destination"])
@pytest.mark.parametrize(
    ("over", "around", "moved", "verdict"),
    [
        (9 * MIB, 2000, 8 * MIB, "carried"),
        (9 * MIB, 0, 8 * MIB, "carried"),
        (6000, 300, 10, "carried"),
        (500, 9 * MIB, 8 * MIB, "bypassed"),
        (5 * MIB, 4 * MIB, 8 * MIB, "bypassed"),
        (9 * MIB, 7 * MIB, 8 * MIB, "unknown"),
        (3000, 3000, 8 * MIB, "unknown"),
        (9 * MIB, 0, 0, "unknown"),
        (-700, 0, 8 * MIB, "unknown"),
        (9 * MIB, -500, 8 * MIB, "unknown"),
    ],
)
def test_verdict_by_what_went_over_and_around(over: int, around: int, moved: int, verdict: str, side: Side) -> None:
    assert use(over, around, moved, side=side).verdict == verdict


def test_evidence_has_the_numbers() -> None:
    assert use(9000, 20, 8000).evidence == "9,000 bytes over eth1 and 20 around it at the source, 8,000 moved"


@pytest.mark.parametrize(
    ("before", "after", "evidence"),
    [
        ("", READ, "the counters of interfaces were not read (before the transfer, at the source)"),
        (f"{UNREAD}no user dtn", READ, "the counters of interfaces cannot be read: no user dtn (before the transfer, at the source)"),
        (READ, f"{UNREAD}dtn2 is silent", "the counters of interfaces cannot be read: dtn2 is silent (after the transfer, at the source)"),
        (READ, READ, "no interface has 192.0.2.1 at the source"),
    ],
)
def test_without_a_reading_or_an_interface_the_reason_is_the_evidence(before: str, after: str, evidence: str) -> None:
    assert use_of(Readings("source", "192.0.2.1", before, after), 5) == PathUse("unknown", evidence)


def test_one_end_that_saw_them_go_around_decides() -> None:
    carried, bypassed, unknown = (PathUse(verdict, verdict) for verdict in ("carried", "bypassed", "unknown"))
    assert both_ends(carried, bypassed) == bypassed
    assert both_ends(unknown, carried) == carried
    assert both_ends(carried, carried) == carried
    assert both_ends(unknown, unknown) == unknown
