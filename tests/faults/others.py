"""Figures that are measured at another place: what of them is called from here, and where the rest is."""

from __future__ import annotations

from tests.faults.measured import Measured, Task


def measure_secrets(task: Task) -> Measured:
    """R15."""
    del task
    return Measured(0, note="not measured here")


def measure_stale(task: Task) -> Measured:
    """R17."""
    del task
    return Measured(0, note="not measured here")


def measure_speed(task: Task) -> Measured:
    """R16: seconds depend on the machine, so they are published and not judged."""
    del task
    return Measured(0, note="not measured here: `make bench` prints P14, docs/speed.md has it with its machine")
