"""When a transfer may start: in a window of days and hours, or at the firings of a schedule, each a generation of its own. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from dtnctl.model.fields import Duration, described
from dtnctl.model.written import Written

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
_CLOCK = re.compile(r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
_STAMP = "%Y%m%d%H%M"  # of a firing in UTC, the last twelve digits of its generation
_STAMPS = 10**12
Span = tuple[datetime, datetime]  # start and end of a window
MOST_SCHEDULED = 999_999  # the largest declared generation with a schedule: a generation has at most 18 digits


def is_clock(text: str) -> bool:
    """Whether the text is a time of day, such as `22:00`."""
    return _CLOCK.fullmatch(text) is not None


def _check_clock(value: str) -> str:
    if not is_clock(value):
        raise ValueError(f"{value!r} is not a time of day; write it in quotes, such as '22:00'")
    return value


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):  # a name that is none, a folder of zones, a zone that this machine does not have
        raise ValueError(f"{value!r} is not a time zone that this machine knows; write for example Europe/Berlin, or UTC") from None
    return value


def _check_schedule(value: str) -> str:
    from cronsim import CronSim, CronSimError  # few sites have schedules

    try:
        if len(value.split()) != 5:
            raise CronSimError("it has not five fields")
        next(CronSim(value, datetime(2026, 1, 1, tzinfo=UTC), reverse=True))
    except (CronSimError, StopIteration, AssertionError, TypeError) as error:
        why = f" ({error})" if str(error) else ""
        example = "write minute, hour, day of the month, month and day of the week, such as '30 2 * * mon-fri'"
        raise ValueError(f"{value!r} is not the time of a crontab{why}; {example}") from None
    return value


Clock = Annotated[str, AfterValidator(_check_clock), described("time of day", {"type": "string", "pattern": _CLOCK.pattern})]
Zone = Annotated[str, AfterValidator(_check_zone), described("time zone", {"type": "string"})]
Schedule = Annotated[str, AfterValidator(_check_schedule), described("five fields of a crontab", {"type": "string"})]


class When(Written):
    """When a transfer may start: `schedule` with its firings, or a window of `from`, `to` and `days`."""

    schedule: Schedule | None = Field(
        None, description="Each firing is a generation of its own. Of firings that were missed only the newest is run."
    )
    within: Duration | None = Field(
        None, description="A firing that is older is not run any more. Missing: it may be run until the next one."
    )
    from_: Clock | None = Field(None, alias="from", description="When the window opens, in quotes: `'22:00'`. Missing: at midnight.")
    to: Clock | None = Field(None, description="When it closes; before `from`, it is on the next day. Missing: at midnight.")
    days: Annotated[tuple[Day, ...], Field(strict=False)] = Field((), description="On which days it opens: `[sat, sun]`. Missing: on each.")
    zone: Zone = Field("UTC", description="Time zone of all of these: `Europe/Berlin`.")

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    @model_validator(mode="after")
    def _is_one_of_both(self) -> When:
        has_window = bool(self.days) or self.from_ is not None or self.to is not None
        if (self.schedule is not None) == has_window:
            raise ValueError("write either `schedule`, or a window: `from`, `to`, `days`")
        if self.within is not None and has_window:
            raise ValueError("`within` belongs to `schedule`: a window has its own end")
        if self.from_ is not None and self.from_ == self.to:
            raise ValueError("the window closes when it opens")
        return self


# --- windows ------------------------------------------------------------------------------------------------


def next_opening(when: When, now: datetime) -> datetime | None:
    """When its window opens next; None if it is open."""
    opening = openings(when.from_, when.to, when.days, when.zone, now)
    start = next(start for start, end in opening if now < end)
    return None if start <= now else start.astimezone(ZoneInfo(when.zone))


def openings(opens: str | None, closes: str | None, days: tuple[Day, ...], zone_name: str, now: datetime) -> Iterator[Span]:
    """The windows of these days and hours, from yesterday to a week on, each by its start and its end.

    Where clocks change, a window is the longer one: a time of day that comes twice or not at all begins it early and ends it late.
    """
    zone = ZoneInfo(zone_name)
    today = now.astimezone(zone).date()
    start, end = time.fromisoformat(opens or "00:00"), time.fromisoformat(closes or "00:00")
    for day in (today + timedelta(days=offset) for offset in range(-1, 8)):
        if not days or DAYS[day.weekday()] in days:
            last = day if end > start else day + timedelta(days=1)
            yield min(_readings(day, start, zone)), max(_readings(last, end, zone))


def _readings(day: date, clock: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The two moments, in UTC, that a time of day may be where clocks change; else twice the same."""
    first, second = (datetime.combine(day, clock.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1))
    return first, second


# --- firings ------------------------------------------------------------------------------------------------


def newest_firing(when: When, now: datetime) -> datetime:
    """The last firing of its schedule that is not in the future, in UTC."""
    return _firing(when, now.replace(microsecond=0) + timedelta(seconds=1), back=True)  # one that is right now counts


def next_firing(when: When, now: datetime) -> datetime:
    """The first firing of its schedule that is in the future, in UTC."""
    return _firing(when, now, back=False)


def _firing(when: When, now: datetime, *, back: bool) -> datetime:
    from cronsim import CronSim

    assert when.schedule is not None, "a window has no firings"
    firing: datetime = next(CronSim(when.schedule, now.astimezone(ZoneInfo(when.zone)), reverse=back))
    return firing.astimezone(UTC)


def scheduled_generation(declared: int, firing: datetime) -> int:
    """The generation of one firing: the declared one and the minute in UTC, so that whoever runs it claims the same one."""
    return declared * _STAMPS + int(firing.astimezone(UTC).strftime(_STAMP))


def declared_generation(generation: int) -> int:
    """The generation that its file declares."""
    return generation // _STAMPS if generation >= _STAMPS else generation


def firing_of(generation: int) -> datetime | None:
    """The firing that a generation is of; None if it is of none."""
    try:
        return datetime.strptime(f"{generation % _STAMPS:012}", _STAMP).replace(tzinfo=UTC) if generation >= _STAMPS else None
    except ValueError:
        return None


def firing_text(firing: datetime) -> str:
    """As plans write it: UTC, to the minute."""
    return firing.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
