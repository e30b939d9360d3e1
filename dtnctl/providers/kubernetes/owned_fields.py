"""What dtnctl itself last applied to an object, taken from the live one by its managed fields. Pure.

Applying it again with one value changed changes that value alone: nothing of others is touched or taken over.
https://kubernetes.io/docs/reference/using-api/server-side-apply/ describes the form of managed fields.
"""

from __future__ import annotations

import json
from typing import Any

from dtnctl.providers.kubernetes.identity import FIELD_MANAGER, Json, Object

KIND, IDENTITY = ("apiVersion", "kind"), ("name", "namespace")


def applied_by_us(raw: Json) -> Object:
    """The intent that was applied, with the object's name; its name alone if nothing was. An item of a list does not say its kind."""
    entries = raw["metadata"].get("managedFields") or ()
    ours = next((item for item in entries if item["manager"] == FIELD_MANAGER and item["operation"] == "Apply"), None)
    found: Object = _extract(raw, ours["fieldsV1"]) if ours is not None and not ours.get("subresource") else {}
    named = {key: raw["metadata"][key] for key in IDENTITY if key in raw["metadata"]}
    kind = {key: raw[key] for key in KIND if key in raw}
    return {**kind, **found, "metadata": {**found.get("metadata", {}), **named}}


def _extract(value: Any, fields: Json) -> Any:
    """The part of a value that the fields cover; all of it where they go no deeper."""
    below = {key: part for key, part in fields.items() if key != "."}
    if not below:
        return value
    if isinstance(value, list):
        return [_extract(item, part) for item, part in _items(value, below)]
    found = {key.removeprefix("f:"): part for key, part in below.items() if key.startswith("f:")}
    return {key: _extract(value[key], part) for key, part in found.items() if key in value}


def _items(items: list[Any], fields: Json) -> list[tuple[Any, Json]]:
    """The items of a list that belong to us, in their order."""
    return [(item, part) for item in items for key, part in fields.items() if _is_meant(key, item)]


def _is_meant(key: str, item: Any) -> bool:
    """Whether a key names an item: by values of some of its fields, or as a value itself."""
    kind, _, text = key.partition(":")
    wanted = json.loads(text)
    if kind == "v":
        return bool(item == wanted)
    return isinstance(item, dict) and all(_value(item, name) == value for name, value in wanted.items())


def _value(item: Json, name: str) -> Any:
    """A port's protocol is part of its key also where it is not written."""
    return item.get(name, "TCP" if name == "protocol" else None)
