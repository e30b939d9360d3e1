"""A rate over time: axes with round numbers, the curve as the samples have it, and the limit where it belongs."""

from __future__ import annotations

import re

import pytest

from dtnctl.model.samples import Sample
from dtnctl.render.pictures.rate import Limit, rate_picture
from dtnctl.render.pictures.svg import standalone
from tests.render.pictures.maps import samples
from tests.render.pictures.reading import words_of

LINK = Limit("link ens1f0 of dtn1", 12.5e9)


def _words(*points: tuple[float, int, float], limit: Limit | None = None) -> str:
    return words_of(standalone(rate_picture("t", [Sample(*point) for point in points], limit)))


def test_the_head_says_size_duration_average_and_share_of_the_limit() -> None:
    words = words_of(standalone(rate_picture("sc20", samples(), LINK)))
    assert "1.06 TiB in 1 min 58 s · average 79.04 Gb/s · 79 % of link ens1f0 of dtn1 (100.00 Gb/s)" in words
    assert "link ens1f0 of dtn1: 100.00 Gb/s" in words


def test_without_a_known_limit_it_says_so() -> None:
    assert "what bounds it is not known" in _words((1.0, 100, 100.0))


def test_a_limit_far_above_the_curve_is_named_and_does_not_flatten_it() -> None:
    words = _words((10.0, 10**9, 1e8), limit=Limit("link x of a", 1.25e10))
    assert "↑ link x of a: 100.00 Gb/s, far above this chart" in words
    assert "1 Gb/s" in words


@pytest.mark.parametrize(
    ("end", "moments"),
    [(0.4, "0 s 0.05 s 0.1 s"), (9.0, "0 s 1 s 2 s"), (118.0, "0 s 15 s 30 s"), (1500.0, "0 s 5 min 10 min"), (90000.0, "0 s 4 h 8 h")],
)
def test_times_are_round(end: float, moments: str) -> None:
    assert moments in _words((end, 1000, 1000 / end))


def test_a_transfer_of_weeks_has_days_as_marks() -> None:
    marks = re.findall(r"(\d+) h", _words((86400.0 * 25, 10**15, 1e9)))
    assert marks[1:4] == ["72", "144", "216"]  # after the whole time


@pytest.mark.parametrize(
    ("rate", "marks"), [(1.25e9, "0 2.5 Gb/s 5 Gb/s 7.5 Gb/s 10 Gb/s"), (3e5, "0 1 Mb/s 2 Mb/s"), (0.0, "0 0"), (2.0, "0 5 b/s")]
)
def test_rates_are_round(rate: float, marks: str) -> None:
    words = _words((10.0, int(rate * 10), rate))
    assert " ".join(words.split(" known ")[1].split()).startswith(marks) or marks == "0 0"


def test_the_curve_is_level_between_samples() -> None:
    body = rate_picture("t", [Sample(1.0, 100, 100.0), Sample(3.0, 200, 50.0)]).body
    points = re.findall(r'<path d="M([^"]*)" class="rate"', body)[0].split("L")
    first, second, third, fourth = [tuple(map(float, point.split())) for point in points]
    assert first[1] == second[1] < third[1] == fourth[1]
    assert second[0] == third[0]
    assert fourth[0] - second[0] == pytest.approx(2 * (second[0] - first[0]), abs=0.2)


def test_the_description_names_the_highest_and_the_lowest() -> None:
    words = rate_picture("t", samples(), LINK).description
    assert "highest 94.40 Gb/s at 20.0 s, lowest 9.60 Gb/s at 2.0 s." in words
