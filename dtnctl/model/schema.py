"""The state files' JSON Schemas in draft-07, which is what editors' YAML plug-ins understand.

A schema says what one file can look like. It accepts all that the models accept; what only the models know (ranges the
right way round, fields that go together, other files) is left to `dtnctl validate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dtnctl.model.site import KINDS
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.written import Written

DRAFT = "http://json-schema.org/draft-07/schema#"
SCHEMA_KINDS: Mapping[str, type[Written]] = MappingProxyType(
    {"site": SiteSettings} | {folder.removesuffix("s"): model for folder, model in KINDS.items()}
)


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind of file: `site`, `endpoint`, `network`, `profile`, `session` or `transfer`."""
    schema = _to_draft_07(SCHEMA_KINDS[kind].model_json_schema(by_alias=True))
    return {"$schema": DRAFT, "title": f"dtnctl {kind}", **schema}


def _to_draft_07(node: Any) -> Any:
    """pydantic writes 2020-12: other names for definitions, and descriptions beside a `$ref`, which draft-07 does not read."""
    if isinstance(node, list):
        return [_to_draft_07(item) for item in node]
    if not isinstance(node, dict):
        return node
    result: dict[str, Any] = {
        _KEYWORDS.get(key, str(key)): _children(key, value) for key, value in node.items() if not _is_made_up_title(key, value)
    }
    if "patternProperties" in result:
        result |= _only_these_keys(result.pop("patternProperties"), result.get("propertyNames", {}))
    reference = result.pop("$ref", None)
    if reference is None:
        return result
    target = {"$ref": reference.replace("#/$defs/", "#/definitions/")}
    return {"allOf": [target], **result} if result else target


def _only_these_keys(patterns: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """pydantic says what keys of the pattern hold, which leaves every other key free."""
    ((pattern, values),) = patterns.items()
    return {"additionalProperties": values, "propertyNames": {**names, "pattern": pattern}}


_KEYWORDS = {"$defs": "definitions"}
_NAMED = {"properties", "$defs"}  # their keys are names of ours, not words of JSON Schema


def _children(key: str, value: Any) -> Any:
    if key in _NAMED:
        return {name: _to_draft_07(child) for name, child in value.items()}
    return value if key in ("default", "enum") else _to_draft_07(value)


def _is_made_up_title(key: str, value: Any) -> bool:
    return key == "title" and isinstance(value, str)
