"""A benchmark of volumes as a table of texts. Pure."""

from __future__ import annotations

from dtnctl.benchmarks.spread import Spread
from dtnctl.benchmarks.storage import DiskFigures, StorageFigures
from dtnctl.benchmarks.table import NOTHING, SPREAD_NOTE, Table, machine_lines
from dtnctl.printable import plural

TITLES = ("VOLUME", "WAY", "BLOCK", "JOBS", "I/O", "MEDIAN", "LOW", "HIGH", "SPREAD", "REQUESTS/S", "CPU", "ROUNDS")
BUFFERED_NOTE = "buffered: the file system takes no direct I/O, so that the host's page cache has its part in these figures"
CPU_NOTE = "CPU: fio's own seconds per decimal gigabyte, median"


def storage_table(figures: StorageFigures) -> Table:
    """Volume by volume in the order in which they were measured."""
    heading = (
        f"session {figures.session}: fio, {size_text(figures.size)}, {figures.seconds} s a test, {plural(figures.rounds, 'round')}, "
        f"image {figures.image}"
    )
    return Table(heading, TITLES, tuple(map(_cells, figures.rows)), tuple(_below(figures)))


def row_label(row: DiskFigures) -> str:
    """`dtn1:/data write 1 MiB × 4`."""
    return f"{row.place.label} {row.shape.way} {size_text(row.shape.block)} × {row.shape.jobs}"


def size_text(size: int) -> str:
    """Whole binary units where they fit, as they are typed: `4 KiB`, `1 MiB`, `300 B`."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= factor and size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} B"


def _cells(row: DiskFigures) -> tuple[str, ...]:
    shape, requests, cpu = row.shape, row.requests, row.cpu
    return (
        row.place.label,
        shape.way,
        size_text(shape.block),
        str(shape.jobs),
        "direct" if row.is_direct else "buffered",
        *_rates(row.rate),
        NOTHING if requests is None else f"{requests.median:.0f}",
        NOTHING if cpu is None else f"{cpu.median:.2f}",
        f"{len(row.samples)} of {len(row.samples) + len(row.failures)}",
    )


def _rates(rate: Spread | None) -> tuple[str, str, str, str]:
    if rate is None:
        return (NOTHING, NOTHING, NOTHING, NOTHING)
    return (byte_rate(rate.median), byte_rate(rate.low), byte_rate(rate.high), f"{rate.width:.1%}")


def byte_rate(rate: float) -> str:
    """`756.7 MB/s`: decimal, as disks are sold."""
    return f"{rate / 1e9:.2f} GB/s" if rate >= 1e9 else f"{rate / 1e6:.1f} MB/s"


def _below(figures: StorageFigures) -> list[str]:
    failures = [f"{row_label(row)} failed: {why}" for row in figures.rows for why in dict.fromkeys(row.failures)]
    left = [f"{item.place.label} is left out: {item.why}" for item in figures.left_out]
    sources = {row.place.label: row.place.source for row in figures.rows}
    stopped = [] if figures.is_whole else ["stopped before the last round: the figures are of the rounds that were done"]
    meant = [f"{label} is {source}" for label, source in sources.items()]
    buffered = [BUFFERED_NOTE] if any(not row.is_direct for row in figures.rows) else []
    return [
        *stopped,
        *failures,
        *left,
        *meant,
        *machine_lines(figures.machines),
        *buffered,
        *([SPREAD_NOTE, CPU_NOTE] if figures.rows else []),
    ]
