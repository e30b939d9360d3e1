"""Scitags of a transfer: which experiment and activity its flows are marked with, and which collector gets the fireflies. Pure.

The numbers are those of the registry of scitags.org. A firefly is a UDP packet that says when a flow
began and ended, and whose it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from dtnctl.model.hosts import Host
from dtnctl.model.written import Written

FIREFLY_PORT = 10514


@dataclass(frozen=True, slots=True)
class Scitag:
    """`collector` is the host that fireflies are sent to, at `port`."""

    experiment: int
    activity: int
    collector: str
    port: int = FIREFLY_PORT


class WrittenScitag(Written):
    """Marks the transfer's flows for networks that sort traffic by experiment."""

    experiment: int = Field(ge=1, le=511, description="Number of the experiment in the registry of scitags.org.")
    activity: int = Field(ge=1, le=63, description="Number of its activity there.")
    collector: Host = Field(description="Host that a UDP packet (firefly) is sent to when a flow begins and when it ends.")
    port: int = Field(FIREFLY_PORT, ge=1, le=65535, description="Its port.")

    @property
    def value(self) -> Scitag:
        """As plans carry it."""
        return Scitag(self.experiment, self.activity, self.collector, self.port)
