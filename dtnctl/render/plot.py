"""Rate over time as a chart of characters: a column for each span of time, as high as its rate."""

from __future__ import annotations

from collections.abc import Sequence

from dtnctl.model.samples import Sample
from dtnctl.render.context import RenderContext
from dtnctl.render.quantities import duration_text, rate_text, size_text
from dtnctl.render.text import printable_text

ROWS = 12
BLOCKS, PLAIN = " ▁▂▃▄▅▆▇█", " ...:::##"  # of an eighth more each
LEAST_COLUMNS, LABEL = 20, 12  # cells of the chart and of the labels beside it


def render_rate_plot(title: str, samples: Sequence[Sample], context: RenderContext) -> str:
    """The chart with its highest and average rate; a line that says so if there is nothing to draw."""
    if not samples:
        return f"{printable_text(title, ascii_only=context.ascii)}: there are no samples\n"
    columns = max(LEAST_COLUMNS, context.width - LABEL - 3)
    rates = rates_by_column(samples, min(columns, max(LEAST_COLUMNS, 4 * len(samples))))
    end, moved, top = samples[-1].seconds, samples[-1].bytes, max(rates)
    heading = f"{title}: {size_text(moved)} in {duration_text(end)}, average {rate_text(moved / end)}"
    lines = [printable_text(heading, ascii_only=context.ascii), *_chart(rates, top, context)]
    lines.append(f"{'':>{LABEL}}   0{duration_text(end):>{len(rates) - 1}}")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def rates_by_column(samples: Sequence[Sample], columns: int) -> list[float]:
    """The average rate of each of `columns` equal spans of time, in bytes per second; between two samples the rate is constant."""
    width = samples[-1].seconds / columns
    moved = [0.0] * columns
    start = 0.0
    for sample in samples:
        first, last = int(start / width), min(columns - 1, int(sample.seconds / width))
        for column in range(min(first, columns - 1), last + 1):
            overlap = min(sample.seconds, (column + 1) * width) - max(start, column * width)
            moved[column] += sample.rate * max(0.0, overlap)
        start = sample.seconds
    return [amount / width for amount in moved]


def _chart(rates: Sequence[float], top: float, context: RenderContext) -> list[str]:
    signs, bar = (PLAIN, "|") if context.ascii else (BLOCKS, "│")
    steps = len(signs) - 1
    heights = [round(rate / top * ROWS * steps) if top else 0 for rate in rates]
    lines = []
    for row in reversed(range(ROWS)):
        drawn = "".join(signs[max(0, min(steps, height - row * steps))] for height in heights)
        lines.append(f"{_label(row, top):>{LABEL}} {bar} {drawn}")
    return lines


def _label(row: int, top: float) -> str:
    """Of the highest row, of the one in the middle and of the lowest, in bits as links are called."""
    share = {ROWS - 1: 1.0, ROWS // 2 - 1: 0.5, 0: 0.0}.get(row)
    return "" if share is None else rate_text(top * share).partition("(")[2].rstrip(")")
