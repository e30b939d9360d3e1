"""What several reports of progress say together: rates, the time that is left, stalls."""

from __future__ import annotations

import pytest

from dtnctl.model.progress import Measured
from dtnctl.runtime.transfers.finish import Progress
from dtnctl.runtime.transfers.meter import STILL, Meter, Meters

MEGA = 10**6


def report(moved: int, rate: float | None = None, eta: float | None = None, total: int | None = 100 * MEGA) -> Progress:
    return Progress("t", moved, total, rate, eta)


def test_before_the_first_report_nothing_is_known() -> None:
    assert Meter("t", 10.0).measured(11.0) == Measured("t")


def test_rate_and_time_left_are_those_that_the_tool_reports() -> None:
    meter = Meter("t", 0.0)
    meter.feed(report(20 * MEGA, 5e6, 16.0), 5.0)
    assert meter.measured(5.0) == Measured("t", 20 * MEGA, 100 * MEGA, 5e6, 4e6, 16.0)


def test_a_tool_without_rates_has_those_of_its_last_reports() -> None:
    meter = Meter("t", 0.0)
    for second, moved in ((5, 10), (10, 20), (20, 60), (30, 80)):
        meter.feed(report(moved * MEGA), second)
    measured = meter.measured(30.0)
    assert (measured.rate, measured.average, measured.eta) == (2e6, 80e6 / 30, 7.5)


def test_a_job_that_ran_before_has_an_average_of_what_was_watched() -> None:
    meter = Meter("t", 100.0)
    meter.feed(report(50 * MEGA), 100.0)
    assert (meter.measured(100.0).average, meter.measured(100.0).eta) == (None, None)
    meter.feed(report(60 * MEGA), 110.0)
    assert meter.measured(110.0).average == 1e6


@pytest.mark.parametrize(("seconds", "still"), [(STILL - 0.5, 0.0), (STILL, STILL), (60.0, 60.0)])
def test_what_has_not_moved_for_a_while_says_so_and_nothing_of_a_rate(seconds: float, still: float) -> None:
    meter = Meter("t", 0.0)
    meter.feed(report(20 * MEGA, 5e6, 16.0), 5.0)
    meter.feed(report(20 * MEGA, 0.0, None), 10.0)
    measured = meter.measured(5.0 + seconds)
    assert (measured.still, measured.rate, measured.eta is None) == (still, 0.0, bool(still))


def test_what_never_moved_says_so() -> None:
    assert Meter("t", 0.0).measured(40.0) == Measured("t", still=40.0)


def test_without_a_size_nothing_is_said_of_the_time_left() -> None:
    meter = Meter("t", 0.0)
    meter.feed(report(20 * MEGA, total=None), 5.0)
    assert meter.measured(5.0).eta is None


def test_several_transfers_are_measured_until_each_has_ended() -> None:
    meters = Meters()
    meters.begin("u", 0.0)
    meters.begin("t", 0.0)
    assert meters.feed(report(8 * MEGA), 2.0).average == 4e6
    assert [item.transfer for item in meters.measured(2.0)] == ["u", "t"]
    meters.end("u")
    meters.end("never")
    assert [item.transfer for item in meters.measured(2.0)] == ["t"]
