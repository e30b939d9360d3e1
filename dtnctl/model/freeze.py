"""Times in which nothing is changed: from one moment to another, or each week between two times of day. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from dtnctl.model.fields import described, parse_moment, shown
from dtnctl.model.schedule import Day, Span, Zone, is_clock, openings
from dtnctl.model.written import Written

LONGEST = timedelta(days=400)  # windows that follow each other for longer are called endless
KNOWN = timedelta(days=6)  # so far ahead each weekly window is looked up at once
MOST = 50  # windows of one list
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _parse_edge(value: Any) -> str | datetime:
    """A time of day, or a moment with its zone."""
    if isinstance(value, str) and is_clock(value):
        return value
    try:
        return parse_moment(value)
    except ValueError as error:
        if "no time zone" in str(error):
            raise
        example = "a time of day in quotes such as '22:00', or a point in time such as 2026-12-20T00:00:00Z"
        raise ValueError(f"{shown(value)} is neither; write {example}") from None


_CLOCK_SCHEMA = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
Edge = Annotated[
    str | datetime,
    BeforeValidator(_parse_edge),
    described("time of day, or time with zone", {"anyOf": [_CLOCK_SCHEMA, {"type": "string", "format": "date-time"}]}),
]


class FreezeWindow(Written):
    """A time in which nothing is changed: two moments, or times of day that come back each week."""

    from_: Edge | None = Field(
        None,
        alias="from",
        description="When it begins: a moment, or a time of day in quotes: `'22:00'`. Missing: long ago, or at midnight.",
    )
    to: Edge | None = Field(None, description="When it ends, of the same form. Missing: never, or at midnight.")
    days: Annotated[tuple[Day, ...], Field(strict=False)] = Field(
        (), description="On which days one of times of day begins: `[sat, sun]`. Missing: on each."
    )
    zone: Zone = Field("UTC", description="Time zone of times of day: `Europe/Berlin`.")
    reason: str | None = Field(None, max_length=200, description="Why, for those who read a plan.")

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    @property
    def is_weekly(self) -> bool:
        return not any(isinstance(edge, datetime) for edge in (self.from_, self.to))

    @model_validator(mode="after")
    def _is_one_of_both(self) -> FreezeWindow:
        edges = [edge for edge in (self.from_, self.to) if edge is not None]
        if not edges and not self.days:
            raise ValueError("write when it is: `from` and `to`, or `days`")
        if not self.is_weekly and any(isinstance(edge, str) for edge in edges):
            raise ValueError("`from` and `to` are both points in time, or both times of day")
        if not self.is_weekly and (self.days or self.zone != "UTC"):
            raise ValueError("`days` and `zone` belong to times of day; a point in time has its own zone")
        start, end = self.from_, self.to
        if isinstance(start, datetime) and isinstance(end, datetime) and end <= start:
            raise ValueError("the window ends before it begins")
        if self.is_weekly and start is not None and start == end:
            raise ValueError("the window ends when it begins")
        return self

    def span_at(self, moment: datetime) -> Span | None:
        """Its start and end, in UTC, if it covers the moment."""
        return next((span for span in self.spans(moment) if span[0] <= moment < span[1]), None)

    def next_start(self, moment: datetime) -> datetime | None:
        """When it begins after the moment, in UTC; None if it does not begin any more."""
        return min((start for start, _ in self.spans(moment) if start > moment), default=None)

    def spans(self, moment: datetime) -> Iterable[Span]:
        """Its starts and ends in UTC; those of one that comes back each week for KNOWN from the moment on."""
        start, end = self.from_, self.to
        if not self.is_weekly:
            return [(start if isinstance(start, datetime) else FIRST, end if isinstance(end, datetime) else LAST)]
        opens, closes = (edge if isinstance(edge, str) else None for edge in (start, end))
        return openings(opens, closes, self.days, self.zone, moment)


Freeze = Annotated[tuple[FreezeWindow, ...], Field(strict=False, max_length=MOST)]


def frozen_until(windows: Iterable[FreezeWindow], now: datetime) -> datetime | None:
    """When the last of the windows ends that follow each other from now on; None if none covers now, LAST if they do not end."""
    known, end = tuple(windows), now
    while end - now < LONGEST:
        reached = _follow(known, end)
        if reached - end < KNOWN:
            return reached if reached > now else None
        if reached == LAST:
            break
        end = reached
    return LAST


def _follow(windows: tuple[FreezeWindow, ...], start: datetime) -> datetime:
    """When those end that follow each other from `start` on. What begins after KNOWN may be missing."""
    end = start
    for first, last in sorted(span for window in windows for span in window.spans(start)):
        if first > end:
            break
        end = max(end, last)
    return end
