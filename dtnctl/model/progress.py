"""How far a running transfer is, as people and programs are shown it. Frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """One transfer now. Sizes in bytes, rates in bytes per second, times in seconds; None: not known.

    `bytes` is a lower bound. `rate` is that of the last moments, `average` that of all the time that it was watched. `still` is how long
    nothing has moved, 0 while something does. `files` have arrived, of `total_files`.
    """

    transfer: str
    bytes: int = 0
    total: int | None = None
    rate: float | None = None
    average: float | None = None
    eta: float | None = None
    files: int | None = None
    total_files: int | None = None
    still: float = 0.0
