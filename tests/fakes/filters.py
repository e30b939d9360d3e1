"""The `filters` query parameter: reading it and matching labels and names the way the engine does."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import TypeAlias

from tests.fakes.errors import bad_request, server_error

Filters: TypeAlias = dict[str, list[str]]


def read_filters(text: str, accepted: Collection[str]) -> Filters:
    """Both forms that clients send, `{"label": ["a"]}` and `{"label": {"a": true}}`; unknown names are refused."""
    if not text:
        return {}
    try:
        given = json.loads(text)
    except ValueError as error:
        raise server_error(f"invalid filter: {error}") from error
    if not isinstance(given, dict):
        raise bad_request("invalid filter: not an object")
    for name in given:
        if name not in accepted:
            raise bad_request(f"Invalid filter '{name}'")
    return {name: [str(value) for value in values] for name, values in given.items()}


def has_labels(wanted: Collection[str], labels: Mapping[str, str]) -> bool:
    """Whether all of `key` or `key=value` are there."""
    for want in wanted:
        key, equals, value = want.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def survives_prune(filters: Filters, labels: Mapping[str, str]) -> bool:
    """Whether a prune with these label filters leaves the object alone."""
    if not has_labels(filters.get("label", []), labels):
        return True
    return "label!" in filters and has_labels(filters["label!"], labels)


def matches_name(wanted: Collection[str], name: str) -> bool:
    """Whether the name equals or contains (as a regular expression) one of the wanted; true without any."""
    return not wanted or any(want == name or re.search(want, name) for want in wanted)
