"""The rate of a transfer as a picture; without the library that draws it is said what to install."""

from __future__ import annotations

import sys

import pytest

from dtnctl.errors import UsageError
from dtnctl.measuring.rate_chart import draw_rate
from dtnctl.model.samples import Sample

SAMPLES = (Sample(1.0, 10, 10.0), Sample(2.0, 40, 30.0))


def test_the_same_samples_give_the_same_picture() -> None:
    picture = draw_rate("run14", SAMPLES)
    assert picture.startswith(b"\x89PNG")
    assert picture == draw_rate("run14", SAMPLES)
    assert picture != draw_rate("run14", SAMPLES[:1])


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)  # the first that is imported: nothing of it is loaded twice
    with pytest.raises(UsageError, match=r"pip install 'dtnctl\[charts\]'"):
        draw_rate("run14", SAMPLES)
