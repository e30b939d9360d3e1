"""Fields of a transfer that place it among the others: what it follows, who goes first, what it takes of its endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dtnctl.model.fields import Distinct, OneOrMany, OrShort, Rate
from dtnctl.model.written import Written

USUAL = 3  # of the priorities 1 to 5

After = Annotated[
    Distinct,
    OneOrMany,
    OrShort({"type": "string"}),
    Field(description="Transfers that it follows: it starts when the declared generation of each has succeeded."),
]
Priority = Annotated[
    int,
    Field(ge=1, le=5, description="Who goes first where an endpoint has no room for all: 5 first, then 4, and so on, as in FTS."),
]
Bandwidth = Annotated[
    Rate | None, Field(description="What it takes of the `limits.bandwidth` of both endpoints. Missing: its `max_rate`, else nothing.")
]


class EndpointLimits(Written):
    """How much transfers may use of an endpoint at the same time; what is over it waits."""

    transfers: int | None = Field(None, ge=1, le=10_000, description="Transfers that run at the same time, to it and from it.")
    bandwidth: Rate | None = Field(None, description="Sum of the `bandwidth` of the transfers that run at the same time.")
