"""What is sent over a path, and what its answers say. The outputs are those of iputils 20221126."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.path_checks import PathProbe
from dtnctl.planning.paths.probing import (
    Pinged,
    answer_finding,
    is_neighbour,
    middle_of,
    packets_finding,
    ping_command,
    read_ping,
    sizes_to_search,
)

PROBE = PathProbe("a", "b", "one", "lab.one", "10.9.0.2", "10.9.0.3", 9000, 1790, "whoever made it")
SIX = replace(PROBE, address="fd00::2", far_address="fd00::3")
ALL_BACK = """PING 10.9.0.3 (10.9.0.3) from 10.9.0.2 : 56(84) bytes of data.
5 packets transmitted, 5 received, 0% packet loss, time 801ms
rtt min/avg/max/mdev = 0.041/0.05/0.062/0.007 ms
"""
NONE_BACK = "2 packets transmitted, 0 received, 100% packet loss, time 1010ms\n"
TOO_LONG = "ping: local error: message too long, mtu=1500\n2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 1000ms\n"
FROM_A_ROUTER = "From 10.9.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)\n2 packets transmitted, 0 received, +1 errors\n"
ARP = "IP address       HW type     Flags       HW address            Mask     Device\n"
KNOWN = f"{ARP}10.9.0.3         0x1         0x2         02:42:0a:09:00:03     *        eth0\n"
ASKED_IN_VAIN = f"{ARP}10.9.0.3         0x1         0x0         00:00:00:00:00:00     *        eth0\n"


def test_packets_are_as_large_as_asked_with_all_headers_and_stay_whole() -> None:
    assert " ".join(ping_command(PROBE, 9000, 2)) == "ping -n -M do -c 2 -i 0.2 -W 1 -s 8972 -I 10.9.0.2 10.9.0.3"
    assert " ".join(ping_command(SIX, 9000, 2)) == "ping -n -M do -c 2 -i 0.2 -W 1 -s 8952 -I fd00::2 fd00::3"


@pytest.mark.parametrize(
    ("exit_code", "output", "expected"),
    [
        (0, ALL_BACK, Pinged(5, 5, 0.05)),
        (1, NONE_BACK, Pinged(2, 0)),
        (1, TOO_LONG, Pinged(2, 0, limit=1500, is_local=True)),
        (1, "ping: sendmsg: Message too long\n", Pinged(is_local=True)),
        (1, FROM_A_ROUTER, Pinged(2, 0, limit=1400)),
        (127, "", Pinged(trouble="its image has no ping")),
        (1, "ping: invalid option -- 'M'\nBusyBox v1.35.0\n", Pinged(trouble="its ping cannot send packets that must stay whole")),
        (2, "ping: socket: Operation not permitted\n", Pinged(trouble="ping: socket: Operation not permitted")),
        (2, "", Pinged(trouble="ping ended with exit code 2")),
    ],
)
def test_output_of_ping(exit_code: int, output: str, expected: Pinged) -> None:
    assert read_ping(exit_code, output) == expected


def test_neighbour_is_known_where_the_table_has_its_hardware_address() -> None:
    assert is_neighbour(KNOWN, "10.9.0.3") is True
    assert is_neighbour(ASKED_IN_VAIN, "10.9.0.3") is False
    assert is_neighbour(KNOWN, "10.9.0.4") is None
    assert is_neighbour("", "10.9.0.3") is None


@pytest.mark.parametrize(
    ("pinged", "neighbours", "verdict", "text", "fix"),
    [
        (Pinged(5, 5, 0.05), "", "ok", "5 of 5 packets came back, 0.05 ms", ""),
        (Pinged(5, 5), "", "ok", "5 of 5 packets came back", ""),
        (Pinged(5, 3), "", "wrong", "3 of 5 packets came back", "look at errors of both interfaces; then ask whoever made it"),
        (
            Pinged(5, 0),
            ASKED_IN_VAIN,
            "wrong",
            "10.9.0.3 does not answer, not even ARP: VLAN 1790 does not arrive",
            "ask whoever made it for VLAN 1790 on the ports of both ends",
        ),
        (
            Pinged(5, 0),
            KNOWN,
            "wrong",
            "10.9.0.3 has answered ARP within the last minute, and answers no ping: something filters ICMP, or the path is just gone",
            "look at filters on both hosts and in both services; check again in a minute, when ARP has been asked again",
        ),
        (Pinged(5, 0), "", "wrong", "10.9.0.3 does not answer", "ask whoever made it for VLAN 1790 on the ports of both ends"),
        (Pinged(trouble="its image has no ping"), "", "unknown", "its image has no ping", "`iputils-ping` in the image"),
        (Pinged(trouble="ping: socket: no"), "", "unknown", "ping: socket: no", ""),
    ],
)
def test_whether_it_answers(pinged: Pinged, neighbours: str, verdict: str, text: str, fix: str) -> None:
    finding = answer_finding(PROBE, pinged, neighbours)
    assert (finding.where, finding.verdict, finding.text, finding.fix) == ("a → b", verdict, text, fix)


def test_vlan_that_is_not_known_is_not_named() -> None:
    assert answer_finding(replace(PROBE, vlan=0), Pinged(5, 0), "").fix == "ask whoever made it for the VLAN on the ports of both ends"


def test_sizes_between_what_every_link_carries_and_what_is_declared() -> None:
    assert sizes_to_search(PROBE) == (576, 9000)
    assert sizes_to_search(SIX) == (1280, 9000)
    assert sizes_to_search(replace(PROBE, size=576)) == (576, 576)
    assert middle_of(576, 9000) == 4788
    assert middle_of(1500, 1501) is None


@pytest.mark.parametrize(
    ("pinged", "largest", "verdict", "text", "fix"),
    [
        (Pinged(2, 2), 0, "ok", "9000 bytes pass whole, there and back", ""),
        (Pinged(trouble="its image has no ping"), 0, "unknown", "its image has no ping", "`iputils-ping` in the image"),
        (
            Pinged(2, 0),
            1500,
            "wrong",
            "packets of up to 1500 bytes pass, larger ones vanish on the way; 9000 should pass",
            "ask whoever made it for 9000 bytes on every port of the path; or declare `mtu: 1500`",
        ),
        (Pinged(2, 0), 0, "wrong", "no packet of 576 bytes or more passes; 9000 should", "ask whoever made it"),
        (
            Pinged(2, 0, limit=1500, is_local=True),
            1500,
            "wrong",
            "the service's own interface takes packets of 1500 bytes at most, not 9000",
            "raise the MTU below it on a, then `dtnctl apply --replace one`",
        ),
        (
            Pinged(is_local=True),
            1496,
            "wrong",
            "the service's own interface takes packets of 1496 bytes at most, not 9000",
            "raise the MTU below it on a, then `dtnctl apply --replace one`",
        ),
        (
            Pinged(2, 0, limit=1400),
            1400,
            "wrong",
            "something on the way takes packets of 1400 bytes at most, not 9000, and says so",
            "a router does not belong on the path: ask whoever made it; or declare `mtu: 1400`",
        ),
    ],
)
def test_how_large_packets_may_be(pinged: Pinged, largest: int, verdict: str, text: str, fix: str) -> None:
    finding = packets_finding(PROBE, pinged, largest)
    assert (finding.aspect, finding.verdict, finding.text, finding.fix) == ("packets", verdict, text, fix)
