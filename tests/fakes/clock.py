"""Times the way the engine writes them: RFC 3339 with nanoseconds, the zero time, and ages in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

NEVER = "0001-01-01T00:00:00Z"
SECOND = 10**9


def stamp(nanoseconds: int) -> str:
    """RFC 3339 with the fraction's trailing zeros cut, as Go prints it; 0 is the zero time."""
    if nanoseconds == 0:
        return NEVER
    seconds, fraction = divmod(nanoseconds, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{fraction:09d}".rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def read_time(text: str) -> int:
    """Nanoseconds from a query's `since` or `until`: unix seconds (with a fraction) or RFC 3339."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds, _, fraction = text.partition(".")
        return int(seconds) * SECOND + int((fraction + "0" * 9)[:9])
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


def age(nanoseconds: int) -> str:
    """A duration in the words of `docker ps`: "Less than a second", "3 minutes", "About an hour"."""
    seconds = nanoseconds // SECOND
    minutes, hours = seconds // 60, round(seconds / 3600)
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return f"{seconds} second" + ("s" if seconds > 1 else "")
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    days = hours // 24
    return f"{days} days" if days < 14 else f"{days // 7} weeks"
