"""Whether the bytes of a transfer went over a path between sites, by the counters of a service's interfaces before and after it. Pure.

The counters are those of the service's own network namespace, which the transfer's job shares; other programs there count, too.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dtnctl.model.tools import Side

PathVerdict = Literal["carried", "bypassed", "unknown"]
COUNTERS = ("cat", "--", "/proc/net/dev", "/proc/net/route", "/proc/net/if_inet6")
FAR_MORE = 10  # times the bytes of all other interfaces together leave no doubt
_COUNTED = re.compile(r"^\s*([^\s:]+):\s*((?:\d+\s+){15}\d+)\s*$")
_ROUTE = re.compile(r"^(\S+)\t([0-9A-F]{8})\t([0-9A-F]{8})\t(?:[0-9A-F]+\t)(?:\d+\t){3}([0-9A-F]{8})\t")
_ADDRESS = re.compile(r"^([0-9a-f]{32}) [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ +(\S+)$")
UNREAD = "cannot be read: "  # begins the text of an end whose counters could not be read; the reason follows
SENT = 8  # place of the sent bytes among the numbers of an interface; those received are first


@dataclass(frozen=True, slots=True)
class PathUse:
    """A verdict, and in words what it is based on."""

    verdict: PathVerdict
    evidence: str


@dataclass(frozen=True, slots=True)
class Readings:
    """What `COUNTERS` wrote in one end's service before and after, or `UNREAD` with the reason, and that end's address on the path."""

    side: Side
    address: str
    before: str
    after: str


def use_of(readings: Readings, moved: int) -> PathUse:
    """Whether `moved` bytes went over the path at one end. What is sent has headers, so it is never less than what is moved."""
    interface = interface_of(readings.before, readings.address) or interface_of(readings.after, readings.address)
    before, after = counted(readings.before, readings.side), counted(readings.after, readings.side)
    if not interface or interface not in before or interface not in after:
        return PathUse("unknown", _without_counter(readings))
    if moved <= 0:
        return PathUse("unknown", "nothing was moved")
    grown = {name: after[name] - before.get(name, 0) for name in after if name != "lo"}
    over, around = grown.pop(interface), sum(grown.values())
    text = f"{over:,} bytes over {interface} and {around:,} around it at the {readings.side}, {moved:,} moved"
    if over < 0 or around < 0:
        return PathUse("unknown", f"counters began again at the {readings.side}")
    if over >= moved and (around < moved // FAR_MORE or over >= FAR_MORE * around):
        return PathUse("carried", text)
    if over < moved <= over + around:
        return PathUse("bypassed", text)
    return PathUse("unknown", text)


def _without_counter(readings: Readings) -> str:
    """Why nothing is known of the interface of the path."""
    for text, moment in ((readings.before, "before the transfer"), (readings.after, "after the transfer")):
        if text.startswith(UNREAD) or not text:
            return f"the counters of interfaces {text or 'were not read'} ({moment}, at the {readings.side})"
    return f"no interface has {readings.address} at the {readings.side}"


def both_ends(source: PathUse, destination: PathUse) -> PathUse:
    """What both ends say together: one that saw the bytes go around it is right, since the other one cannot have seen them on it."""
    uses = (source, destination)
    found: PathVerdict = "unknown"
    if any(item.verdict == "bypassed" for item in uses):
        found = "bypassed"
    elif any(item.verdict == "carried" for item in uses):
        found = "carried"
    return PathUse(found, next(item.evidence for item in uses if item.verdict == found))


# --- reading ------------------------------------------------------------------------------------------------


def counted(text: str, side: Side) -> Mapping[str, int]:
    """Bytes by interface: those sent at the source, those received at the destination."""
    place = SENT if side == "source" else 0
    lines = (match for line in text.splitlines() if (match := _COUNTED.match(line)))
    return {match[1]: int(match[2].split()[place]) for match in lines}


def interface_of(text: str, address: str) -> str:
    """The interface that has the address: by the route of its own network, or by the list of IPv6 addresses; empty if neither shows it."""
    wanted = ipaddress.ip_address(address)
    if wanted.version == 6:
        named = (match for line in text.splitlines() if (match := _ADDRESS.match(line)))
        return next((match[2] for match in named if ipaddress.IPv6Address(int(match[1], 16)) == wanted), "")
    routes = [found for line in text.splitlines() if (found := _connected(line)) is not None and wanted in found[0]]
    return max(routes, key=lambda route: route[0].prefixlen)[1] if routes else ""


def _connected(line: str) -> tuple[ipaddress.IPv4Network, str] | None:
    """A network that an interface is in, and the interface; None for a route by a gateway and for any other line."""
    match = _ROUTE.match(line)
    if match is None or match[3] != "00000000":
        return None
    network, mask = (ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(word), "little")) for word in (match[2], match[4]))
    return ipaddress.IPv4Network(f"{network}/{mask}", strict=False), match[1]
