"""What benchmarks found, as text for a terminal, as Markdown and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dtnctl.benchmarks.figures import NetworkFigures, RowFigures
from dtnctl.benchmarks.iperf3 import Sample
from dtnctl.benchmarks.spread import Spread
from dtnctl.benchmarks.storage import DiskFigures, StorageFigures
from dtnctl.benchmarks.table import CPU, Table
from dtnctl.render.columns import Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.escape import prose
from dtnctl.render.json import FORMAT_VERSION
from dtnctl.render.text import flow, look_of, printable

Json = dict[str, Any]
DROPS = {
    "LOW": 5,
    "HIGH": 5,
    "RETRANS": 6,
    "ROUNDS": 7,
    "HOST SEND": 4,
    "HOST RECV": 4,
    "CPU SEND": 3,
    "CPU RECV": 3,
    "REQUESTS/S": 6,
    "CPU": 3,
}


def render_table(table: Table, context: RenderContext) -> str:
    """Heading, table, and the sentences below it."""
    look = look_of(context)
    shown = printable(table, ascii_only=context.ascii)
    columns = [Column(title, right=index > 0, drop=DROPS.get(title, 0)) for index, title in enumerate(shown.titles)]
    lines = [*(look.paint("bold", line) for line in flow(shown.heading.split(" "), look.width))]
    if shown.rows:
        lines += ["", *table_lines(columns, shown.rows, look, indent=2, fits=not context.wide)]
    if shown.below:
        lines.append("")
    for text in shown.below:
        first, *more = flow(text.split(" "), look.width - 4)
        lines += [f"  {first}", *(f"    {line}" for line in more)]
    return "\n".join(lines) + "\n"


def render_table_markdown(table: Table, chart: str = "") -> str:
    """The same for a page; `chart` is the name of the picture beside it, empty without one."""
    shown = printable(table, ascii_only=False)
    rows = [shown.titles, tuple(":--" if index == 0 else "--:" for index in range(len(shown.titles))), *shown.rows]
    lines = [f"{prose(shown.heading)}.", ""]
    if shown.rows:
        lines += ["| " + " | ".join(_cell(text) for text in row) + " |" for row in rows]
        lines.append("")
    if chart:
        lines += [f"![chart of these figures]({chart})", ""]
    lines += [f"- {prose(text)}" for text in shown.below]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text if set(text) <= {":", "-"} else prose(text)


def network_document(figures: NetworkFigures) -> Json:
    """Every sample of every row; rates in bytes a second, CPU in seconds per 10^9 bytes."""
    base = figures.base
    return {
        "format_version": FORMAT_VERSION,
        "kind": "bench-network",
        "sender": figures.ends.sender,
        "receiver": figures.ends.receiver,
        "image": figures.image,
        "streams": figures.load.streams,
        "seconds": figures.load.seconds,
        "cpus": figures.load.cpus,
        "rounds": figures.rounds,
        "complete": figures.is_whole,
        "base": base.row.label if base is not None else None,
        "rows": [_row(figures, row) for row in figures.rows],
        "left_out": [{"mode": item.row.mode, "network": item.row.network, "reason": item.why} for item in figures.left_out],
        "machines": [asdict(machine) for machine in figures.machines],
        "notes": list(figures.notes),
    }


def _row(figures: NetworkFigures, row: RowFigures) -> Json:
    return {
        "mode": row.row.mode,
        "network": row.row.network,
        "address": row.address,
        "rate": _spread(row.rate),
        "share": figures.share(row),
        "retransmits": _spread(row.retransmits),
        "cpu": {title.lower().replace(" ", "_"): _spread(row.cpu(of)) for title, of in CPU},
        "samples": [_sample(sample) for sample in row.samples],
        "failures": list(row.failures),
    }


def _sample(sample: Sample) -> Json:
    return {"rate": sample.bits / 8, **{name: value for name, value in asdict(sample).items() if name != "bits"}}


def _spread(spread: Spread | None) -> Json | None:
    return None if spread is None else {**asdict(spread), "spread": spread.width}


def storage_document(figures: StorageFigures) -> Json:
    """Every sample of every volume and shape; rates in bytes a second, CPU in seconds per 10^9 bytes."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "bench-storage",
        "session": figures.session,
        "image": figures.image,
        "size": figures.size,
        "seconds": figures.seconds,
        "rounds": figures.rounds,
        "complete": figures.is_whole,
        "rows": [_disk_row(row) for row in figures.rows],
        "left_out": [{"endpoint": item.place.endpoint, "volume": item.place.target, "reason": item.why} for item in figures.left_out],
        "machines": [asdict(machine) for machine in figures.machines],
    }


def _disk_row(row: DiskFigures) -> Json:
    return {
        "endpoint": row.place.endpoint,
        "volume": row.place.target,
        "source": row.place.source,
        "way": row.shape.way,
        "block": row.shape.block,
        "jobs": row.shape.jobs,
        "direct": row.is_direct,
        "rate": _spread(row.rate),
        "requests": _spread(row.requests),
        "cpu": _spread(row.cpu),
        "samples": [asdict(sample) for sample in row.samples],
        "failures": list(row.failures),
    }
