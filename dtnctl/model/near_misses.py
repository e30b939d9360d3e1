"""Values that are nearly right: what was clearly meant by a size, a time, a rate, a number or an address. Pure.

Each function returns what to write, or the empty text where it is not clear. What YAML, tc or engines read in another way than people
do (`64` bytes, `10G` that could be 1000 or 1024) is never guessed: the ways to write it are named.
"""

from __future__ import annotations

import ipaddress
import re

_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([kKmMgGtT])(i?)([bB]?)")
_TIME = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([a-zA-Z]*)")
_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([kKmMgGtT])(?:bit|b|bps|bit/s|b/s|bits)?(?:/s)?", re.IGNORECASE)
_PORTS = re.compile(r"([0-9]{1,5})\s*(?:-|:|\.\.|,|–|to)\s*([0-9]{1,5})")
_UNITS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
}
_TRUTH = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}


def size_meant(text: str) -> str:
    """`64GiB or 64GB` for 64G, `64GiB` for 64Gi and 64 gib."""
    match = _SIZE.fullmatch(text)
    if match is None:
        return ""
    number, prefix, binary, _ = match.groups()
    prefix = prefix.upper()
    if binary:
        return f"{number}{prefix}iB"
    return f"{number}{prefix}B" if match[4] else f"{number}{prefix}iB or {number}{prefix}B"


def duration_meant(text: str) -> str:
    """`30s` for "30" and 30sec, `2h` for 2 hours."""
    match = _TIME.fullmatch(text)
    unit = _UNITS.get(match[2].lower(), "") if match is not None else ""
    return f"{match[1]}{unit}" if match is not None and unit else ""


def rate_meant(text: str) -> str:
    """`10gbit` for 10G, 10Gbps and 10 Gbit/s."""
    match = _RATE.fullmatch(text)
    return "" if match is None or "bps" in text else f"{match[1]}{match[2].lower()}bit"


def ports_meant(text: str) -> tuple[int, int] | None:
    """Both ends of `30000-30200`, or twice the same of `30000`; None if it is no range."""
    match = _PORTS.fullmatch(text.strip())
    if match is not None:
        return int(match[1]), int(match[2])
    return (int(text), int(text)) if re.fullmatch(r"[0-9]{1,5}", text) else None


def span_meant(text: str) -> str:
    """`10.0.0.64-10.0.0.95` for 10.0.0.64-95 and for 10.0.0.64/27."""
    first, _, last = (part.strip() for part in text.partition("-"))
    try:
        if "/" in text:
            network = ipaddress.ip_network(text.strip(), strict=False)
            return f"{network[0]}-{network[-1]}"
        if last.isdecimal():
            start = ipaddress.IPv4Address(first)
            return f"{start}-{ipaddress.IPv4Address(first.rpartition('.')[0] + '.' + last)}"
    except ValueError:
        return ""
    return ""


def address_meant(text: str) -> str:
    """`10.0.0.1` for 10.0.0.1/24."""
    try:
        return str(ipaddress.ip_interface(text.strip()).ip)
    except ValueError:
        return ""


def subnet_meant(text: str) -> str:
    """`10.0.0.0/24` for 10.0.0.0 255.255.255.0."""
    try:
        return str(ipaddress.ip_network("/".join(text.split()), strict=False)) if len(text.split()) == 2 else ""
    except ValueError:
        return ""


def number_in(field: str, text: str, wanted: list[str]) -> str:
    """What to write for a number or a truth value that is written as text."""
    plain = text.strip().lower()
    if "true or false" in wanted and plain in _TRUTH:
        return f"{_TRUTH[plain]}, without quotes"
    if not {"a whole number", "a number"} & set(wanted):
        return ""
    if re.fullmatch(r"[0-9]{1,18}", plain) or ("a number" in wanted and re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", plain)):
        return f"{plain}, without quotes"
    if field in ("min_rate", "max_rate") and (rate := rate_meant(text)):
        factor = {"k": 0.001, "m": 1, "g": 1000, "t": 10**6}[rate[-4]]
        return f"{float(rate[:-4]) * factor:.0f}, in Mb/s"
    digits = re.match(r"[0-9]+", plain)
    return digits[0] if digits is not None and field in ("mtu", "vlan") else ""
