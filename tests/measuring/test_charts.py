"""Charts are small PNGs; without the library the command says what to install."""

from __future__ import annotations

import struct
import sys

import pytest

from dtnctl.benchmarks.spread import Spread
from dtnctl.errors import UsageError
from dtnctl.measuring.charts import Bar, draw_bars, is_drawable

BARS = [Bar("native", Spread(3, 9.4, 9.0, 9.5)), Bar("macvlan data", Spread(3, 8.1, 7.0, 9.2))]


def test_a_chart_is_a_png_of_moderate_size_and_the_same_each_time() -> None:
    assert is_drawable()
    picture = draw_bars("dtn1 to dtn2: TCP", "Gb/s", BARS)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(picture) < 100_000
    assert picture == draw_bars("dtn1 to dtn2: TCP", "Gb/s", BARS)


def test_each_bar_takes_room() -> None:
    def height(count: int) -> int:
        found: int = struct.unpack(">I", draw_bars("t", "Gb/s", BARS[:count])[20:24])[0]
        return found

    assert height(2) > height(1)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)  # the first that is imported: nothing of it is loaded twice
    with pytest.raises(UsageError, match=r"pip install 'dtnctl\[charts\]'"):
        draw_bars("t", "Gb/s", BARS)
