"""What a plan says of a transfer for which nothing is to be done now. A frozen value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransferNote:
    """A transfer that needs nothing now, and why: done, running, failed for good, unknown.

    `is_unseen`: the endpoint with its record does not answer, so that nothing is known of it now.
    """

    name: str
    generation: int
    state: str
    text: str
    place: str
    is_unseen: bool = False

    @property
    def is_unsettled(self) -> bool:
        """Whether the declared generation did not succeed and no apply runs it again: a person has to decide."""
        return self.state in ("failed", "partial", "unknown") and not self.is_unseen
