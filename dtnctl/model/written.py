"""The base of everything that people write."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class Written(BaseModel):
    """Base of everything that is read from YAML: unknown keys are refused, values are not coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class AsWritten:
    """Marks a field of text where a number or a truth value may stand: it is taken as the very text in the file, `1.10` and not 1.1."""


AS_WRITTEN = AsWritten()
