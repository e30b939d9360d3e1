"""Draws what a benchmark measured as a PNG, with matplotlib where that is installed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from dtnctl.benchmarks.spread import Spread
from dtnctl.errors import UsageError

INCHES_WIDE, INCHES_A_BAR, INCHES_AROUND = 8.0, 0.45, 1.6
DOTS_PER_INCH = 90
HOW_TO_INSTALL = "charts are drawn by matplotlib, which is not installed: pip install 'dtnctl[charts]'"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: the median, with a line from the lowest to the highest round. In the chart's unit."""

    label: str
    spread: Spread


def is_drawable() -> bool:
    """Whether matplotlib is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def draw_bars(title: str, unit: str, bars: Sequence[Bar]) -> bytes:
    """A PNG with a bar for each, the first one on top. UsageError, which says what to install, without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError(HOW_TO_INSTALL) from error
    figure = Figure(figsize=(INCHES_WIDE, INCHES_AROUND + INCHES_A_BAR * len(bars)), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    medians = [bar.spread.median for bar in bars]
    below = [bar.spread.median - bar.spread.low for bar in bars]
    above = [bar.spread.high - bar.spread.median for bar in bars]
    drawn = axes.barh([bar.label for bar in bars], medians, xerr=[below, above], capsize=4, color="#4477aa", ecolor="#222222")
    axes.bar_label(drawn, labels=[f"{median:.2f}" for median in medians], label_type="center", color="white")
    axes.invert_yaxis()
    axes.set_xlabel(f"{unit}: median, and the lowest and highest round")
    axes.set_xlim(left=0)
    axes.set_title(title, fontsize=10, wrap=True)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
