"""How a figure comes from numbers; what the numbers are is the machine's business."""

from __future__ import annotations

import pytest

from bench.costs import by_package, own_seconds
from bench.figures import Figure, Options, Pairs, absolute, at_least, at_most, figure_of, in_turn, not_measured, seconds
from bench.network import figure


def test_ratio_is_that_of_the_medians_so_one_slow_moment_does_not_decide() -> None:
    assert Pairs(above=(2.0, 3.0, 90.0), below=(1.0, 2.0, 2.0)).ratio == 1.5


def test_median_of_an_even_number_of_runs_lies_between_the_middle_two() -> None:
    assert Pairs(above=(1.0, 2.0, 4.0, 9.0), below=(1.0, 1.0, 2.0, 8.0)).ratio == 2.0


def test_spread_is_the_smallest_and_largest_ratio_of_neighbours_not_of_sorted_runs() -> None:
    assert Pairs(above=(4.0, 1.0, 3.0), below=(1.0, 4.0, 2.0)).spread == (0.25, 4.0)


def test_the_median_of_paired_ratios_does_not_see_what_changes_slowly() -> None:
    pairs = Pairs(above=(0.9, 1.8, 2.7, 3.6), below=(1.0, 2.0, 3.0, 4.0))
    assert pairs.paired_ratio == pytest.approx(0.9)


@pytest.mark.parametrize(("count", "spread"), [(4, (1.0, 4.0)), (6, (1.0, 6.0)), (9, (2.0, 8.0)), (15, (4.0, 12.0))])
def test_where_the_median_of_paired_ratios_lies_is_read_off_the_ordered_ratios(count: int, spread: tuple[float, float]) -> None:
    # the ranks of the sign test's 95 % interval, as printed in statistical tables
    above = tuple(float(number) for number in range(count, 0, -1))
    assert Pairs(above, (1.0,) * count).paired_spread == spread


def test_a_goal_that_lies_within_the_noise_is_told_so() -> None:
    rates = (0.8, 0.9, 0.95, 1.0, 1.1, 1.2)
    assert "noise hides it: the median may be 0.80 to 1.20" in figure("macvlan", Pairs(rates, (1.0,) * 6), at_least(0.98)).line()
    assert "noise" not in figure("macvlan", Pairs((0.99, 1.0, 1.01) * 2, (1.0,) * 6), at_least(0.98)).line()


def test_runs_that_do_not_come_in_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        _ = Pairs(above=(1.0, 2.0), below=(1.0,)).spread


def test_runs_take_turns() -> None:
    order: list[str] = []

    def run(name: str, value: float) -> float:
        order.append(name)
        return value + len(order)

    assert in_turn(3, lambda: run("ours", 0.0), lambda: run("floor", 10.0)) == ((1.0, 3.0, 5.0), (12.0, 14.0, 16.0))
    assert order == ["ours", "floor"] * 3


@pytest.mark.parametrize(("ratio", "met"), [(1.09, True), (1.1, True), (1.1001, False)])
def test_upper_goal_includes_its_bound(ratio: float, met: bool) -> None:
    assert at_most(1.1).is_met(ratio) is met


@pytest.mark.parametrize(("ratio", "met"), [(0.9799, False), (0.98, True), (1.2, True)])
def test_lower_goal_includes_its_bound(ratio: float, met: bool) -> None:
    assert at_least(0.98).is_met(ratio) is met


def test_document_has_the_five_published_keys_and_nothing_is_rounded() -> None:
    figure = figure_of("P1 x", Pairs((1.10004,), (1.0,)), at_most(1.1), "told")
    assert figure.document() == {"name": "P1 x", "ratio": 1.10004, "goal": "<= 1.1", "met": False, "spread": [1.10004, 1.10004]}


def test_line_says_ratio_spread_goal_verdict_and_detail() -> None:
    pairs = Pairs((1.0, 1.2, 1.4), (1.0, 1.0, 1.0))
    line = figure_of("P3 plan", pairs, at_most(1.5), seconds("ours", "raw", pairs)).line()
    assert " ".join(line.split()) == "P3 plan 1.200 (1.00 to 1.40) goal <= 1.5 met ours 1.200 s, raw 1.000 s"


def test_missed_goal_is_loud() -> None:
    assert " MISSED" in Figure("P5 x", 1.4, at_most(1.3), (1.3, 1.5)).line()


def test_absolute_figure_is_the_median_with_its_extremes() -> None:
    figure = absolute("P5 seconds", (0.5, 0.7, 0.4), at_most(0.6))
    assert (figure.ratio, figure.spread, figure.met) == (0.5, (0.4, 0.7), True)


def test_what_could_not_be_measured_is_neither_met_nor_missed_and_says_why() -> None:
    figure = not_measured("P2 apply", at_least(1.0), "docker-compose is missing")
    assert figure.document() == {"name": "P2 apply", "ratio": None, "goal": ">= 1", "met": None, "spread": None}
    assert "docker-compose is missing" in figure.line()


def test_quick_run_is_smaller_and_never_without_repetition() -> None:
    assert (Options(quick=True).rounds_or(20), Options(quick=True).rounds_or(5), Options().rounds_or(5)) == (5, 2, 5)
    assert Options(rounds=7, quick=True).rounds_or(20) == 7
    assert (Options(quick=True).size(25, 5), Options().size(25, 5)) == (5, 25)


IMPORT_TIMES = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   _io
a warning that a module printed
import time:       250 |        350 | io
import time:      1000 |       1350 |   pydantic.main
import time:       500 |       1850 | pydantic
import time:      2000 |       3850 |     dtnctl.model.site
"""


def test_import_times_are_read_by_module_without_what_it_imports() -> None:
    own = own_seconds(IMPORT_TIMES.splitlines())
    assert own == pytest.approx({"_io": 1e-4, "io": 2.5e-4, "pydantic.main": 1e-3, "pydantic": 5e-4, "dtnctl.model.site": 2e-3})


def test_import_times_of_libraries_are_summed_and_ours_are_not() -> None:
    packages = by_package(own_seconds(IMPORT_TIMES.splitlines()))
    assert packages["pydantic"] == pytest.approx(1.5e-3)
    assert [name for name, _ in packages.most_common(2)] == ["dtnctl.model.site", "pydantic"]
