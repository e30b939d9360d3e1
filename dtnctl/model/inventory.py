"""How old what is known of an endpoint is, where it was not asked just now. A frozen value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Age:
    """One endpoint's inventory: when it was taken (UTC), how many seconds ago, and its fingerprint."""

    endpoint: str
    taken_at: str
    seconds: int
    fingerprint: str
