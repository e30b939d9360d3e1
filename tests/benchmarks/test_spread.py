"""Statistics of repeated measurements."""

from __future__ import annotations

from dtnctl.benchmarks.spread import Spread, ratio, spread_of


def test_a_spread_has_the_median_and_the_ends_in_whatever_order_they_came() -> None:
    assert spread_of([9.0, 1.0, 4.0]) == Spread(3, 4.0, 1.0, 9.0)
    assert spread_of([4.0, 1.0]) == Spread(2, 2.5, 1.0, 4.0)


def test_without_values_there_is_no_spread() -> None:
    assert spread_of([]) is None


def test_width_is_a_share_of_the_median_and_none_of_nothing() -> None:
    assert Spread(3, 4.0, 3.0, 5.0).width == 0.5
    assert Spread(3, 0.0, 0.0, 0.0).width == 0.0


def test_a_ratio_is_one_of_medians_and_needs_both() -> None:
    half, whole = Spread(1, 2.0, 2.0, 2.0), Spread(1, 4.0, 1.0, 9.0)
    assert ratio(half, whole) == 0.5
    assert [ratio(None, whole), ratio(half, None), ratio(half, Spread(1, 0.0, 0.0, 0.0))] == [None, None, None]
