"""A benchmark's result as a table of texts, from which terminal, Markdown and chart are made. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dtnctl.benchmarks.figures import NetworkFigures, RowFigures
from dtnctl.benchmarks.iperf3 import Sample
from dtnctl.benchmarks.machines import Machine
from dtnctl.benchmarks.rows import NATIVE
from dtnctl.benchmarks.spread import Spread
from dtnctl.printable import plural

NOTHING = "-"
CpuOf = Callable[[Sample], float | None]
CPU: tuple[tuple[str, CpuOf], ...] = (
    ("CPU SEND", lambda sample: sample.sender),
    ("CPU RECV", lambda sample: sample.receiver),
    ("HOST SEND", lambda sample: sample.sender_host),
    ("HOST RECV", lambda sample: sample.receiver_host),
)
CPU_NOTE = (
    "CPU: seconds per decimal gigabyte, medians. CPU SEND and CPU RECV are iperf3's own; HOST SEND and HOST RECV those of the whole "
    "machine, with its interrupts and with all else that ran there"
)
SPREAD_NOTE = "SPREAD: the highest round minus the lowest one, as a share of the median"


@dataclass(frozen=True, slots=True)
class Table:
    """`heading` says what was done; `below` are sentences that belong to the figures, the machines among them."""

    heading: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    below: tuple[str, ...]


def network_table(figures: NetworkFigures) -> Table:
    """Row by row in the order in which they were measured."""
    base = figures.base
    share = f"OF {base.row.mode.upper()}" if base is not None else f"OF {NATIVE.upper()}"
    titles = ("MODE", "MEDIAN", "LOW", "HIGH", "SPREAD", share, "RETRANS", *(title for title, _ in CPU), "ROUNDS")
    return Table(_heading(figures), titles, tuple(_cells(figures, row) for row in figures.rows), tuple(_below(figures)))


def _heading(figures: NetworkFigures) -> str:
    load = figures.load
    cpus = f", CPUs {load.cpus}" if load.cpus else ""
    return (
        f"{figures.ends.sender} to {figures.ends.receiver}: TCP, {plural(load.streams, 'stream')}, {load.seconds} s a test, "
        f"{plural(figures.rounds, 'round')}, image {figures.image}{cpus}"
    )


def _cells(figures: NetworkFigures, row: RowFigures) -> tuple[str, ...]:
    share = figures.share(row)
    retransmits = row.retransmits
    return (
        row.row.label,
        *_rates(row.bits),
        NOTHING if share is None else f"{share:.1%}",
        NOTHING if retransmits is None else f"{retransmits.median:.0f}",
        *(_cpu(row.cpu(of)) for _, of in CPU),
        f"{len(row.samples)} of {len(row.samples) + len(row.failures)}",
    )


def _rates(bits: Spread | None) -> tuple[str, str, str, str]:
    if bits is None:
        return (NOTHING, NOTHING, NOTHING, NOTHING)
    return (bit_rate_text(bits.median), bit_rate_text(bits.low), bit_rate_text(bits.high), f"{bits.width:.1%}")


def bit_rate_text(bits: float) -> str:
    """`9.41 Gb/s`, `312.5 Mb/s`: decimal, as cards are called."""
    return f"{bits / 1e9:.2f} Gb/s" if bits >= 1e9 else f"{bits / 1e6:.1f} Mb/s"


def _cpu(spread: Spread | None) -> str:
    return NOTHING if spread is None else f"{spread.median:.2f}"


def _below(figures: NetworkFigures) -> list[str]:
    failures = [f"{row.row.label} failed: {why}" for row in figures.rows for why in dict.fromkeys(row.failures)]
    reached = [f"{row.row.label} reached {figures.ends.receiver} at {row.address}" for row in figures.rows if row.address]
    left = [f"{item.row.label} is left out: {item.why}" for item in figures.left_out]
    stopped = [] if figures.is_whole else ["stopped before the last round: the figures are of the rounds that were done"]
    texts = [*stopped, *failures, *left, *machine_lines(figures.machines), *figures.notes, *reached]
    return [*texts, *([SPREAD_NOTE, CPU_NOTE] if figures.rows else [])]


def machine_lines(machines: tuple[Machine, ...]) -> list[str]:
    """A sentence for each."""
    return [f"{machine.endpoint}: {machine.text}" for machine in machines]
