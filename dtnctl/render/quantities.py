"""Bytes, rates and durations as people read them. Binary units for bytes, decimal ones for bits, as the tools around us do."""

from __future__ import annotations

BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
DECIMAL = ("b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s", "Pb/s")


def size_text(count: float) -> str:
    """`512 B`, `4.00 GiB`."""
    return _scaled(count, 1024, BINARY, 2)


def bytes_text(count: int) -> str:
    """Exact, and in units: `4294967296 (4.00 GiB)`."""
    return f"{count} ({size_text(count)})"


def byte_rate_text(bytes_per_second: float) -> str:
    """`756.7 MiB/s`."""
    return _scaled(bytes_per_second, 1024, BINARY, 1) + "/s"


def rate_text(bytes_per_second: float) -> str:
    """As disks and as networks count: `756.7 MiB/s (6.35 Gb/s)`."""
    return f"{byte_rate_text(bytes_per_second)} ({bit_rate_text(bytes_per_second)})"


def bit_rate_text(bytes_per_second: float) -> str:
    """As networks count: `6.35 Gb/s`."""
    return _scaled(bytes_per_second * 8, 1000, DECIMAL, 2)


def share_text(bytes_per_second: float, limit: str, limit_bytes_per_second: float) -> str:
    """`94 % of link ens1f0 of dtn1 (10.00 Gb/s)`."""
    share = bytes_per_second / limit_bytes_per_second * 100
    return f"{share:.0f} % of {limit} ({bit_rate_text(limit_bytes_per_second)})"


def link_speed_text(megabits: int) -> str:
    """As cards are called: `100 Gb/s`, `2.5 Gb/s`, `100 Mb/s`."""
    return f"{megabits / 1000:g} Gb/s" if megabits >= 1000 else f"{megabits} Mb/s"


def duration_text(seconds: float) -> str:
    """`0.12 s`, `7.5 s`, `2 min 5 s`, `3 h 20 min`."""
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def estimate_text(seconds: float) -> str:
    """Whole seconds, then minutes, then hours: an estimate is not better than that."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _scaled(value: float, base: int, units: tuple[str, ...], places: int) -> str:
    """In the largest unit in which it is one or more after rounding; the smallest unit without decimals."""
    unit = 0
    while unit < len(units) - 1 and round(value, places if unit else 0) >= base:
        value /= base
        unit += 1
    return f"{value:.{places if unit else 0}f} {units[unit]}"
