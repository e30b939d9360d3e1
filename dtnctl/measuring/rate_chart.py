"""Draws the rate of one transfer over time as a PNG, with matplotlib where that is installed."""

from __future__ import annotations

import io
from collections.abc import Sequence

from dtnctl.errors import UsageError
from dtnctl.measuring.charts import DOTS_PER_INCH, HOW_TO_INSTALL
from dtnctl.model.samples import Sample

INCHES = (8.0, 4.0)
BITS, GIGA = 8, 10**9


def draw_rate(title: str, samples: Sequence[Sample]) -> bytes:
    """A PNG. UsageError, which says what to install, without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError(HOW_TO_INSTALL) from error
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    edges = [0.0, *(sample.seconds for sample in samples)]
    axes.stairs([sample.rate * BITS / GIGA for sample in samples], edges, fill=True, color="#4477aa")
    axes.set_xlabel("seconds since its start")
    axes.set_ylabel("Gb/s")
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0, right=edges[-1])
    axes.set_title(title, fontsize=10, wrap=True)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
