"""What a service sends over a path to see whether it carries, and what the answers say: command lines of ping and their output. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dtnctl.model.path_checks import PathFinding, PathProbe

ANSWERS, TRIES = 5, 2  # packets that ask whether it answers, and packets of one size
SMALL = 84  # bytes of ping's own packet over IPv4
HEADERS = {4: 28, 6: 48}  # bytes of IP and ICMP in each packet
SMALLEST = {4: 576, 6: 1280}  # bytes that every link carries
NEIGHBOURS = ("cat", "--", "/proc/net/arp")
NOT_THERE = (126, 127)
_COUNTS = re.compile(r"(\d+) packets transmitted, (\d+)(?: packets)? received")
_TIME = re.compile(r"= [\d.]+/([\d.]+)/")
_LIMIT = re.compile(r"(?:mtu|MTU)\s*[=:]\s*(\d+)")
_TOO_LONG = re.compile(r"[Mm]essage too long")
_USAGE = re.compile(r"invalid option|unrecognized option|^Usage:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pinged:
    """What came of one command. `limit` is the packet size that something refused by name (0: nothing did), `is_local`: the sender itself.

    `trouble` is why nothing was sent; empty if something was.
    """

    sent: int = 0
    received: int = 0
    milliseconds: float | None = None
    limit: int = 0
    is_local: bool = False
    trouble: str = ""


def ping_command(probe: PathProbe, size: int, count: int) -> tuple[str, ...]:
    """Packets of `size` bytes with all their headers, which nothing on the way may cut to pieces."""
    data = size - HEADERS[_version(probe)]
    options = ("-n", "-M", "do", "-c", str(count), "-i", "0.2", "-W", "1", "-s", str(data), "-I", probe.address)
    return ("ping", *options, probe.far_address)


def _version(probe: PathProbe) -> int:
    return ipaddress.ip_address(probe.far_address).version


def read_ping(exit_code: int, output: str) -> Pinged:
    """`output` is all that it wrote."""
    if exit_code in NOT_THERE:
        return Pinged(trouble="its image has no ping")
    if _USAGE.search(output):
        return Pinged(trouble="its ping cannot send packets that must stay whole")
    counts, time, limit = _COUNTS.search(output), _TIME.search(output), _LIMIT.search(output)
    is_local = _TOO_LONG.search(output) is not None
    if counts is None and not is_local:
        return Pinged(trouble=(output.strip().splitlines() or [f"ping ended with exit code {exit_code}"])[0])
    return Pinged(
        int(counts[1]) if counts else 0,
        int(counts[2]) if counts else 0,
        float(time[1]) if time else None,
        int(limit[1]) if limit else 0,
        is_local,
    )


def is_neighbour(table: str, address: str) -> bool | None:
    """Whether the kernel's ARP table has a hardware address for it; None if it has no line of it."""
    for line in table.splitlines():
        fields = line.split()
        if len(fields) >= 4 and fields[0] == address:
            return fields[2] != "0x0" and fields[3] != "00:00:00:00:00:00"
    return None


# --- whether the far side answers ---------------------------------------------------------------------------


def answer_finding(probe: PathProbe, pinged: Pinged, neighbours: str) -> PathFinding:
    """`neighbours` is the ARP table after it; empty if it cannot be read."""
    if pinged.trouble:
        return PathFinding("answer", probe.where, "unknown", pinged.trouble, _own_ping(pinged))
    if pinged.received == 0:
        return _no_answer(probe, is_neighbour(neighbours, probe.far_address))
    time = f", {pinged.milliseconds:g} ms" if pinged.milliseconds is not None else ""
    text = f"{pinged.received} of {pinged.sent} packets came back{time}"
    if pinged.received < pinged.sent:
        return PathFinding("answer", probe.where, "wrong", text, f"look at errors of both interfaces; then ask {probe.maker}")
    return PathFinding("answer", probe.where, "ok", text)


def _own_ping(pinged: Pinged) -> str:
    return "`iputils-ping` in the image" if pinged.trouble.startswith("its ") else ""


def _no_answer(probe: PathProbe, is_heard: bool | None) -> PathFinding:
    if is_heard:
        text = f"{probe.far_address} has answered ARP within the last minute, and answers no ping: "
        text += "something filters ICMP, or the path is just gone"
        fix = "look at filters on both hosts and in both services; check again in a minute, when ARP has been asked again"
        return PathFinding("answer", probe.where, "wrong", text, fix)
    vlan = f"VLAN {probe.vlan}" if probe.vlan else "the VLAN"
    if is_heard is None:
        text = f"{probe.far_address} does not answer"
    else:
        text = f"{probe.far_address} does not answer, not even ARP: {vlan} does not arrive"
    return PathFinding("answer", probe.where, "wrong", text, f"ask {probe.maker} for {vlan} on the ports of both ends")


# --- how large packets may be -------------------------------------------------------------------------------


def sizes_to_search(probe: PathProbe) -> tuple[int, int]:
    """A size that passes on every link, and the one that should."""
    return min(SMALLEST[_version(probe)], probe.size), probe.size


def middle_of(low: int, high: int) -> int | None:
    """The size to try next, where `low` passes and `high` does not; None once they are neighbours."""
    return (low + high) // 2 if high - low > 1 else None


def packets_finding(probe: PathProbe, pinged: Pinged, largest: int) -> PathFinding:
    """`pinged` is of packets as large as they should pass, `largest` the largest size that does."""
    if pinged.received:
        return PathFinding("packets", probe.where, "ok", f"{probe.size} bytes pass whole, there and back")
    if pinged.trouble:
        return PathFinding("packets", probe.where, "unknown", pinged.trouble, _own_ping(pinged))
    fixes = tuple(_size_fixes(probe, pinged, largest))
    return PathFinding("packets", probe.where, "wrong", fixes[0], fixes[1])


def _size_fixes(probe: PathProbe, pinged: Pinged, largest: int) -> Iterator[str]:
    """What is wrong, then what to do."""
    if pinged.is_local:
        limit = pinged.limit or largest
        yield f"the service's own interface takes packets of {limit} bytes at most, not {probe.size}"
        yield f"raise the MTU below it on {probe.endpoint}, then `dtnctl apply --replace {probe.session}`"
    elif pinged.limit:
        yield f"something on the way takes packets of {pinged.limit} bytes at most, not {probe.size}, and says so"
        yield f"a router does not belong on the path: ask {probe.maker}; or declare `mtu: {pinged.limit}`"
    elif largest:
        yield f"packets of up to {largest} bytes pass, larger ones vanish on the way; {probe.size} should pass"
        yield f"ask {probe.maker} for {probe.size} bytes on every port of the path; or declare `mtu: {largest}`"
    else:
        yield f"no packet of {sizes_to_search(probe)[0]} bytes or more passes; {probe.size} should"
        yield f"ask {probe.maker}"
