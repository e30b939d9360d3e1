"""Rate over time as characters: as wide as the terminal, as high as its highest rate, in ASCII where that is asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.samples import Sample
from dtnctl.render.context import RenderContext
from dtnctl.render.plot import rates_by_column, render_rate_plot

CONTEXT = RenderContext(width=40)
RAMP = (Sample(10.0, 1_250_000_000, 125e6), Sample(20.0, 3_750_000_000, 250e6), Sample(30.0, 3_750_000_000, 0.0))


def test_a_chart_shows_each_span_as_high_as_its_rate() -> None:
    assert (
        render_rate_plot("run14", RAMP, CONTEXT)
        == """\
run14: 3.49 GiB in 30.0 s, average 119.2 MiB/s (1.00 Gb/s)
   2.00 Gb/s │        ██████
             │        ██████
             │        ██████
             │        ██████
             │       ███████
             │       ███████
   1.00 Gb/s │ █████████████
             │ █████████████
             │ ██████████████
             │ ██████████████
             │ ██████████████
       0 b/s │ ██████████████
               0             30.0 s
"""
    )


def test_ascii_alone_where_that_is_asked_for() -> None:
    text = render_rate_plot("run14", RAMP, replace(CONTEXT, ascii=True))
    assert text.isascii()
    assert text.count("#") > 70


@pytest.mark.parametrize(("samples", "text"), [((), "run14: there are no samples\n")])
def test_without_samples_a_line_says_so(samples: tuple[Sample, ...], text: str) -> None:
    assert render_rate_plot("run14", samples, CONTEXT) == text


def test_what_never_moved_has_an_empty_chart() -> None:
    assert "█" not in render_rate_plot("run14", (Sample(5.0, 0, 0.0),), CONTEXT)


RATES = st.lists(st.tuples(st.floats(0.01, 100), st.floats(0, 1e9)), min_size=1, max_size=40)


@given(RATES, st.integers(1, 200))
def test_columns_hold_what_was_moved(spans: list[tuple[float, float]], columns: int) -> None:
    samples, now, moved = [], 0.0, 0.0
    for seconds, rate in spans:
        now, moved = now + seconds, moved + seconds * rate
        samples.append(Sample(now, round(moved), rate))
    rates = rates_by_column(samples, columns)
    assert len(rates) == columns
    assert sum(rates) * now / columns == pytest.approx(moved, rel=1e-6, abs=1e-3)
