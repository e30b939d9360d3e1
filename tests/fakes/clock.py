"""Times the way the engine writes them: RFC 3339 with nanoseconds, the zero time, and ages in words."""

from __future__ import annotations

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
    return "About an hour" if hours == 1 else f"{hours} hours"
