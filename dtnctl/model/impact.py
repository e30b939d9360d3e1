"""A running transfer that a change would cut off: how far it is, and whether another try goes on from there. Frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

HELD = "E0492"  # the code of a change that waits until running transfers have ended


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running transfer is: `bytes` is a lower bound, `total` is None for a measurement."""

    bytes: int
    total: int | None = None

    @property
    def percent(self) -> int | None:
        """Rounded down, and below 100 as long as it runs; None where there is no total."""
        return min(99, self.bytes * 100 // self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class Cut:
    """One of them. `endpoint` is where its job runs; `progress` is None where its output was not read, or does not say.

    `is_resumable`: a next try follows by itself and takes over what this one has copied.
    """

    transfer: str
    endpoint: str
    is_resumable: bool
    progress: Progress | None = None
