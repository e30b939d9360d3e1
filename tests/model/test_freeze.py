"""Windows in which nothing is changed: what may be written, what they cover, and when they end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from dtnctl.model.freeze import LAST, MOST, FreezeWindow, frozen_until
from dtnctl.model.schedule import Span
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.source import Source
from dtnctl.repository.load import validate
from dtnctl.repository.yaml_source import parse_source

HOLIDAYS = "{from: 2026-12-20T00:00:00Z, to: 2027-01-04T01:00:00+01:00, reason: holidays}"


def read(text: str) -> tuple[tuple[FreezeWindow, ...], list[str]]:
    """The windows of a site with this `freeze`, and what is wrong with it, as people get to see it."""
    source = Source("site.yaml")
    parse_source(f"name: lab\nfreeze:\n- {text}\n".encode(), source)
    found = validate(source, SiteSettings)
    return (found.freeze if found is not None else ()), [str(problem) for problem in source.problems]


def windows(*texts: str) -> tuple[FreezeWindow, ...]:
    return tuple(window for text in texts for window in read(text)[0])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        HOLIDAYS,
        "{from: 2026-12-20T00:00:00Z}",
        "{to: '2026-12-20T00:00:00+01:00'}",
        "{from: '22:00', to: '06:00', zone: Europe/Berlin}",
        "{from: '22:00'}",
        "{to: '06:00', days: [mon]}",
        "{days: [sat, sun]}",
    ],
)
def test_what_may_be_written(text: str) -> None:
    found, problems = read(text)
    assert (len(found), problems) == (1, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{reason: because}", "write when it is: `from` and `to`, or `days`"),
        ("{from: '22:00', to: 2026-12-20T00:00:00Z}", "`from` and `to` are both points in time, or both times of day"),
        ("{from: 2026-12-20T00:00:00Z, days: [sat]}", "`days` and `zone` belong to times of day; a point in time has its own zone"),
        ("{from: 2026-12-20T00:00:00Z, zone: Europe/Berlin}", "`days` and `zone` belong to times of day"),
        ("{from: 2026-12-20T00:00:00Z, to: 2026-12-19T00:00:00Z}", "the window ends before it begins"),
        ("{from: '22:00', to: '22:00'}", "the window ends when it begins"),
        (f"{{from: '22:00', reason: {'x' * 201}}}", "`freeze[0].reason` is too long; try 200 characters at most"),
        ("{from: '25:00'}", "write a time of day in quotes such as '22:00', or a point in time such as 2026-12-20T00:00:00Z"),
        ("{from: '2026-12-20T00:00:00'}", "has no time zone; write 2026-12-20T00:00:00Z"),
    ],
)
def test_what_may_not_be_written_is_named(text: str, expected: str) -> None:
    (problem,) = read(text)[1]
    assert problem.startswith("site.yaml:3:"), problem
    assert expected in problem


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-12-19T23:59:59", None),
        ("2026-12-20T00:00", "2027-01-04T00:00"),
        ("2027-01-03T23:59:59", "2027-01-04T00:00"),
        ("2027-01-04T00:00", None),
    ],
)
def test_a_window_of_two_moments_covers_the_first_and_not_the_last(now: str, until: str | None) -> None:
    assert frozen_until(windows(HOLIDAYS), at(now)) == (at(until) if until else None)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-06-05T22:00", "2026-06-07T22:00"),  # Saturday begins in Berlin
        ("2026-06-07T21:59", "2026-06-07T22:00"),
        ("2026-06-07T22:00", None),
        ("2026-10-25T22:30", "2026-10-25T23:00"),  # on the day on which summer time ends, a day has 25 hours
        ("2026-10-25T23:00", None),
    ],
)
def test_days_are_those_of_their_zone_and_follow_each_other(now: str, until: str | None) -> None:
    assert frozen_until(windows("{days: [sat, sun], zone: Europe/Berlin}"), at(now)) == (at(until) if until else None)


@pytest.mark.parametrize(
    ("text", "now", "until"),
    [
        ("{from: '02:15', to: '03:15', zone: Europe/Berlin}", "2026-03-29T01:10", "2026-03-29T01:15"),  # 02:15 does not exist
        ("{from: '02:15', to: '02:45', zone: Europe/Berlin}", "2026-03-29T01:10", "2026-03-29T01:45"),  # neither does 02:45
        ("{from: '22:00', to: '02:30', zone: Europe/Berlin}", "2026-10-25T01:15", "2026-10-25T01:30"),  # 02:15 for the second time
        ("{from: '02:30', to: '04:00', zone: Europe/Berlin}", "2026-10-25T00:30", "2026-10-25T03:00"),  # 02:30 for the first time
        ("{from: '22:00', to: '02:30', zone: Europe/Berlin}", "2026-10-25T01:30", None),
    ],
)
def test_a_window_is_the_longer_one_on_the_night_on_which_clocks_change(text: str, now: str, until: str | None) -> None:
    assert frozen_until(windows(text), at(now)) == (at(until) if until else None)


def test_windows_that_follow_each_other_end_with_the_last_of_them() -> None:
    night, morning = "{from: '22:00', to: '06:00'}", "{from: 2026-06-02T05:00:00Z, to: 2026-06-02T09:00:00Z}"
    assert frozen_until(windows(night, morning), at("2026-06-01T23:00")) == at("2026-06-02T09:00")


@pytest.mark.parametrize(
    "texts",
    [
        ("{from: 2026-01-01T00:00:00Z}",),
        ("{from: '00:00', to: '12:00'}", "{from: '12:00', to: '00:00'}"),
        ("{days: [mon, tue, wed, thu, fri, sat, sun]}",),
    ],
)
def test_what_never_ends_has_no_end(texts: tuple[str, ...]) -> None:
    assert frozen_until(windows(*texts), at("2026-06-01T10:00")) == LAST


LOOKED_UP: list[datetime] = []


class CountedWindow(FreezeWindow):
    """Notes each time that its spans are looked up."""

    def spans(self, moment: datetime) -> Iterable[Span]:
        LOOKED_UP.append(moment)
        return super().spans(moment)


def test_many_windows_that_follow_each_other_are_looked_up_a_week_at_once() -> None:
    clocks = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 1440, 30)]
    edges = zip(clocks, (*clocks[1:], "00:00"), strict=True)
    many = tuple(CountedWindow.model_validate({"from": first, "to": last}) for first, last in edges)
    assert frozen_until(many, at("2026-06-01T10:00")) == LAST
    assert len(LOOKED_UP) <= 70 * len(many)  # 400 days
    assert frozen_until(many[:-1], at("2026-06-01T10:00")) == at("2026-06-01T23:30")


def test_a_list_of_windows_has_an_end() -> None:
    found, problems = read("\n- ".join([HOLIDAYS] * MOST))
    assert (len(found), problems) == (MOST, [])
    (problem,) = read("\n- ".join([HOLIDAYS] * (MOST + 1)))[1]
    assert problem.endswith("`freeze` is too long; try 50 entries at most")


def test_without_windows_nothing_is_frozen() -> None:
    assert frozen_until((), at("2026-06-01T10:00")) is None
