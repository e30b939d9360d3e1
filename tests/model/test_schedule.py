"""Windows and schedules: what may be written, when they open or fire, and which generation a firing is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from dtnctl.model.schedule import (
    When,
    declared_generation,
    firing_of,
    firing_text,
    newest_firing,
    next_firing,
    next_opening,
    scheduled_generation,
)
from dtnctl.model.source import Source
from dtnctl.repository.load import validate
from dtnctl.repository.yaml_source import parse_source


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def mistakes(text: str) -> list[str]:
    """What is wrong with a transfer of this `when`, as people get to see it."""
    from dtnctl.model.transfer import Transfer

    source = Source("t.yaml")
    parse_source(f"from: a:/x/x\nto: b:/x/y\ntool: gridftp\n{text}".encode(), source)
    validate(source, Transfer)
    return [str(problem) for problem in source.problems]


@pytest.mark.parametrize(
    "text",
    [
        "when: {schedule: '30 2 * * *'}",
        "when: {schedule: '*/10 8-18 1,15 jan-mar mon-fri', zone: Europe/Berlin, within: 1h}",
        "when: {from: '22:00', to: '06:00', days: [mon, fri], zone: America/Chicago}",
        "when: {from: '22:00'}",
        "when: {days: [sat, sun]}",
        "generation: 999999\nwhen: {schedule: '@' }".replace("'@'", "'0 0 1 1 *'"),
    ],
)
def test_what_may_be_written(text: str) -> None:
    assert mistakes(text) == []


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("when: {schedule: '61 * * * *'}", "4:18", "'61 * * * *' is not the time of a crontab (Bad minute); write minute, hour"),
        ("when: {schedule: '0 0 30 2 *'}", "4:18", "'0 0 30 2 *' is not the time of a crontab (Bad day-of-month)"),
        ("when: {schedule: '0 0 0 * * *'}", "4:18", "'0 0 0 * * *' is not the time of a crontab (it has not five fields)"),
        ("when: {from: '24:00'}", "4:14", "'24:00' is not a time of day; write it in quotes, such as '22:00'"),
        ("when: {days: [sat], zone: Mars/Base}", "4:27", "'Mars/Base' is not a time zone that this machine knows"),
        ("when: {days: [sat], zone: Europe}", "4:27", "'Europe' is not a time zone that this machine knows"),
        ("when: {days: [sat], zone: ../x}", "4:27", "'../x' is not a time zone that this machine knows"),
        ("when: {days: [saturday]}", "4:15", "cannot be `saturday`, only mon, tue"),
        ("when: {zone: UTC}", "4:1", "write either `schedule`, or a window: `from`, `to`, `days`"),
        ("when: {schedule: '0 0 * * *', days: [sat]}", "4:1", "write either `schedule`, or a window"),
        ("when: {days: [sat], within: 1h}", "4:1", "`within` belongs to `schedule`: a window has its own end"),
        ("when: {from: '22:00', to: '22:00'}", "4:1", "the window closes when it opens"),
    ],
)
def test_what_may_not_be_written_is_named_at_its_place(text: str, place: str, expected: str) -> None:
    (found,) = mistakes(text)
    assert found.startswith(f"t.yaml:{place}: E02"), found
    assert expected in found


# --- windows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-06-01 19:59", "2026-06-01T22:00:00+02:00"),
        ("2026-06-01 20:00", None),
        ("2026-06-02 03:59", None),
        ("2026-06-02 04:00", "2026-06-05T22:00:00+02:00"),
        ("2026-06-06 01:00", None),
        ("2026-12-07 20:30", "2026-12-07T22:00:00+01:00"),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens(now: str, expected: str | None) -> None:
    """June 1 of 2026 is a Monday; Berlin is two hours ahead in summer, one in winter."""
    when = When(from_="22:00", to="06:00", days=("mon", "fri"), zone="Europe/Berlin")
    opening = next_opening(when, at(now))
    assert (opening.isoformat() if opening is not None else None) == expected


@pytest.mark.parametrize(
    ("when", "now", "expected"),
    [
        (When(from_="08:00", to="18:00"), "2026-06-01 07:59", "2026-06-01T08:00:00+00:00"),
        (When(from_="08:00", to="18:00"), "2026-06-01 12:00", None),
        (When(from_="08:00", to="18:00"), "2026-06-01 18:00", "2026-06-02T08:00:00+00:00"),
        (When(from_="22:00"), "2026-06-01 23:59", None),
        (When(from_="22:00"), "2026-06-02 00:00", "2026-06-02T22:00:00+00:00"),
        (When(to="06:00"), "2026-06-01 05:59", None),
        (When(days=("sat",)), "2026-06-06 23:59", None),
        (When(days=("sat",)), "2026-06-07 00:00", "2026-06-13T00:00:00+00:00"),
        (When(days=("mon",), from_="23:00"), "2026-06-02 00:00", "2026-06-08T23:00:00+00:00"),
    ],
)
def test_a_window_opens_and_closes_at_its_minutes(when: When, now: str, expected: str | None) -> None:
    opening = next_opening(when, at(now))
    assert (opening.isoformat() if opening is not None else None) == expected


@pytest.mark.parametrize(
    ("when", "now", "expected"),
    [
        (When(from_="02:15", to="03:15", zone="Europe/Berlin"), "2026-03-29 01:14", None),
        (When(from_="02:15", to="03:15", zone="Europe/Berlin"), "2026-03-29 01:15", "2026-03-30T02:15:00+02:00"),
        (When(from_="22:00", to="02:30", zone="Europe/Berlin"), "2026-10-25 01:29", None),
        (When(from_="22:00", to="02:30", zone="Europe/Berlin"), "2026-10-25 01:30", "2026-10-25T22:00:00+01:00"),
    ],
)
def test_a_window_opens_also_on_the_night_on_which_clocks_change(when: When, now: str, expected: str | None) -> None:
    opening = next_opening(when, at(now))
    assert (opening.isoformat() if opening is not None else None) == expected


# --- firings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "newest", "following"),
    [
        ("2026-06-01 00:29:59.999999", "2026-05-31T00:30Z", "2026-06-01T00:30Z"),
        ("2026-06-01 00:30", "2026-06-01T00:30Z", "2026-06-02T00:30Z"),
        ("2026-06-01 00:30:00.000001", "2026-06-01T00:30Z", "2026-06-02T00:30Z"),
        ("2026-12-01 09:00", "2026-12-01T01:30Z", "2026-12-02T01:30Z"),
        ("2026-03-29 12:00", "2026-03-29T01:00Z", "2026-03-30T00:30Z"),
        ("2026-10-25 12:00", "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
    ],
)
def test_a_schedule_fires_by_the_clock_of_its_zone_once_a_day_also_when_clocks_change(now: str, newest: str, following: str) -> None:
    when = When(schedule="30 2 * * *", zone="Europe/Berlin")
    assert (firing_text(newest_firing(when, at(now))), firing_text(next_firing(when, at(now)))) == (newest, following)


def test_a_firing_is_a_generation_and_a_generation_shows_its_firing() -> None:
    generation = scheduled_generation(3, datetime.fromisoformat("2026-06-01T02:30:00+02:00"))
    assert generation == 3_202606010030
    assert firing_of(generation) == at("2026-06-01 00:30")
    assert declared_generation(generation) == 3


def test_a_declared_generation_is_of_no_firing() -> None:
    assert (declared_generation(7), firing_of(7)) == (7, None)
    assert firing_of(999_999_999_999_999_999) is None


def test_a_window_has_no_firings() -> None:
    with pytest.raises(AssertionError):
        newest_firing(When(days=("sat",)), at("2026-06-01"))


def test_values_of_other_types_are_refused() -> None:
    with pytest.raises(ValidationError):
        When(schedule=5)  # type: ignore[arg-type]
