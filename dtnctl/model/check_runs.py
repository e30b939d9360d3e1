"""Runs of health checks, as engines report them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckRun:
    """One run of a health check: what it wrote, stdout and stderr together. The engine keeps the last five, 4 KiB of each."""

    exit_code: int
    output: str
