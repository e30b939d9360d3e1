"""Says what the comparison of a transfer's data costs, as far as an earlier generation has shown it. Pure.

Nothing is measured for a plan, and the size of the source is not known before the start.
"""

from __future__ import annotations

from collections.abc import Iterable

from dtnctl.model.ledger import Attempt

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
SHORTEST = 1.0  # seconds below which a comparison says nothing about a rate


def last_cost(records: Iterable[Attempt]) -> str:
    """What the newest comparison among these records took; empty if none is known."""
    known = [item for item in records if item.verdict == "succeeded" and item.verify_seconds >= SHORTEST and item.bytes]
    if not known:
        return ""
    last = max(known, key=lambda item: (item.generation, item.attempt))
    rate = _bytes(last.bytes / last.verify_seconds)
    algorithm = last.checksum.partition(":")[0]
    what = f"{algorithm} of {_bytes(last.bytes)}" if algorithm else _bytes(last.bytes)
    return f"generation {last.generation} took {_duration(last.verify_seconds)} for {what} at both ends, {rate}/s"


def _bytes(count: float) -> str:
    """Binary units, as everywhere for bytes."""
    power = 0
    while count >= 1024 and power < len(UNITS) - 1:
        count, power = count / 1024, power + 1
    return f"{count:.2f} {UNITS[power]}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
