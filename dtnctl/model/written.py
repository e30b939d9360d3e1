"""The base of everything that people write."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Written(BaseModel):
    """Base of everything that is read from YAML: unknown keys are refused, values are not coerced."""

    # a validator is built when a value is first checked: of 50 models a site uses a few
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


@dataclass(frozen=True)
class AsWritten:
    """Marks a field of text where a number or a truth value may stand: it is taken as the very text in the file, `1.10` and not 1.1."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of the text, which accepts numbers and truth values too."""
        found = handler(core)
        return {"$comment": "text", **found, "type": ["string", "number", "boolean"]} if "string" in found.get("type", ()) else found


AS_WRITTEN = AsWritten()
