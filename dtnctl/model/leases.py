"""A lease on an endpoint as it was seen. Frozen values, no I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeaseSeen:
    """Somebody's lease on an endpoint; `holder` is its label, which says which process on which machine.

    `is_ours`: of our site and repository; another one is never removed.
    """

    id: str
    holder: str
    is_ours: bool = True

    @property
    def who(self) -> str:
        """The holder as a person reads it."""
        return describe_holder(self.holder) if self.is_ours else f"{describe_holder(self.holder)}, whose lease is not this site's"


def describe_holder(label: str) -> str:
    """A lease's holder label as a person reads it: `ops@host (pid 4711)`."""
    try:
        data = json.loads(label)
        return f"{data['who']} (pid {data['pid']})"
    except (ValueError, KeyError, TypeError):
        return label or "somebody"
