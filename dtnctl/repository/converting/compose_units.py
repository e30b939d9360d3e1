"""Sizes and times of compose files in our words."""

from __future__ import annotations

import re
from typing import Any

SIZE = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([kmgt])i?b?")
PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(us|ms|s|m|h)")
DIGITS = re.compile(r"[0-9]{1,19}")
FRACTION = re.compile(r"[0-9]{0,19}\.[0-9]{1,19}")
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def size(value: Any) -> Any:
    """Compose's `8g`, `512mb` and bytes in our units; both count in powers of 1024."""
    text = str(value).strip().lower()
    found = SIZE.fullmatch(text)
    if found:
        return f"{found[1]}{found[2].upper()}iB"
    return int(text) if DIGITS.fullmatch(text) else value


def number(value: Any) -> Any:
    """`2` and `0.5`, also as text; what is none stays as it is, and `validate` says so."""
    text = str(value)
    if DIGITS.fullmatch(text):
        return int(text)
    return float(text) if FRACTION.fullmatch(text) else value


def duration(value: Any) -> Any:
    """Compose's `1m30s` in seconds; what is none stays as it is, and `validate` says so."""
    text = str(value)
    if not text or PART.sub("", text):
        return value
    seconds = sum(float(number) * SECONDS[unit] for number, unit in PART.findall(text))
    return f"{seconds:g}s"
