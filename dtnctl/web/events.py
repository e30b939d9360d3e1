"""Server-sent events: that there was another look, and how far a transfer is. A page asks for one stream of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from dtnctl.model.report import TransferRow
from dtnctl.printable import printable_text
from dtnctl.render.quantities import estimate_text, rate_text, size_text
from dtnctl.web.pages.transfers import is_under_way, limit_words
from dtnctl.web.rates import Curve
from dtnctl.web.watch import Watch

TICK = 0.5  # seconds between two looks at whether there is something new
STILL_HERE = 30  # ticks without an event after which a comment keeps the connection


def event(name: str, data: Mapping[str, Any]) -> str:
    """One event as the protocol has it: its data on one line."""
    return f"event: {name}\ndata: {json.dumps(data, allow_nan=False, separators=(',', ':'))}\n\n"


async def looks(watch: Watch, more: Callable[[], str] = lambda: "") -> AsyncIterator[str]:
    """An event for each look that is over, the last one first, until the watch ends. `more`: a further event, whenever it differs."""
    number, before, quiet = -1, "", 0
    yield "retry: 2000\n\n"
    while not watch.is_closed:
        view = watch.newest()
        found = await asyncio.to_thread(more)
        text = event("look", {"number": view.number}) if view.number != number else ""
        text += found if found != before else ""
        number, before = view.number, found
        quiet = 0 if text else quiet + 1
        if text or quiet % STILL_HERE == STILL_HERE - 1:
            yield text or ": still here\n\n"
        await asyncio.sleep(TICK)


def rate_event(row: TransferRow, curve: Curve) -> str:
    """What the page of a transfer draws: the samples, the limit, and the newest of it in words."""
    samples = [[sample.seconds, sample.bytes, sample.rate] for sample in curve.samples]
    data = {
        "samples": samples,
        "limit": row.limit_bytes_per_second,
        "limit_words": row.limit,
        "words": printable_text(rate_words(row, curve)),
        "running": is_under_way(row.state),
    }
    return event("rate", data)


def rate_words(row: TransferRow, curve: Curve) -> str:
    """`running: 3.20 GiB of 10.00 GiB, 756.7 MiB/s (6.35 Gb/s), 94 % of link ens1f0 of dtn1 (10.00 Gb/s), 12 s to go`."""
    moved = curve.moved.bytes if curve.moved is not None else row.bytes
    rate = curve.moved.rate if curve.moved is not None and is_under_way(row.state) else row.bytes_per_second
    if rate is None and curve.samples and is_under_way(row.state):
        rate = curve.samples[-1].rate
    total = curve.total if is_under_way(row.state) else None
    parts = [
        "" if moved is None else size_text(moved) + (f" of {size_text(total)}" if total is not None else ""),
        rate_text(rate) if rate else "",
        limit_words(rate, row.limit, row.limit_bytes_per_second) if rate else "",
        f"{estimate_text((total - moved) / rate)} to go" if rate and total is not None and moved is not None and total > moved else "",
        curve.trouble,
    ]
    said = ", ".join(part for part in parts if part)
    return f"{row.state}: {said}" if said else row.state
