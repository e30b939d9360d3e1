"""Fields of a transfer that place it among the others: what it follows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dtnctl.model.fields import Distinct, OneOrMany, OrShort

After = Annotated[
    Distinct,
    OneOrMany,
    OrShort({"type": "string"}),
    Field(description="Transfers that it follows: it starts when the declared generation of each has succeeded."),
]
