"""What an endpoint's agent does for one service, around the steps of its container. Pure."""

from __future__ import annotations

from dtnctl.model.plan import HostRequest
from dtnctl.values import dataclass


@dataclass(frozen=True, slots=True)
class HostStep:
    """A request among the steps of a service. `key` and `subject` make the step's id; `waits` are steps of others that come before it.

    `note` is what a person reads of it where the session ends.
    """

    key: str
    subject: str
    action: HostRequest
    waits: tuple[str, ...] = ()
    note: str = ""
