"""Versions of kernels and engines as numbers that can be compared. Pure."""

from __future__ import annotations

import re


def version_of(text: str) -> tuple[int, int]:
    """(major, minor) of a kernel's or engine's version; (0, 0) where there is none in the text."""
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)
