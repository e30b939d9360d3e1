"""What an agent does not understand of a request it refuses, at every depth; what it reports is read leniently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
from dtn_agent import protocol as p
from dtn_agent.protocol.volumes import Queues
from pydantic import BaseModel, ValidationError

KINDS: tuple[type[p.Requested], ...] = get_args(get_args(p.Request)[0]) or get_args(p.Request)


def parts() -> Iterator[tuple[type[p.Requested], str]]:
    """Every request, with each of its fields that has fields of its own."""
    for kind in KINDS:
        for name, field in kind.model_fields.items():
            if any(isinstance(inner, type) and issubclass(inner, BaseModel) for inner in (field.annotation, *get_args(field.annotation))):
                yield kind, name


PARTS = sorted(parts(), key=lambda pair: (pair[0].__name__, pair[1]))


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_key_of_a_request_is_refused(kind: type[p.Requested]) -> None:
    with pytest.raises(ValidationError, match="surprise\n  Extra inputs are not permitted"):
        kind.model_validate({"surprise": 1})


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_unknown_key_of_a_part_of_a_request_is_refused(kind: type[p.Requested], name: str) -> None:
    with pytest.raises(ValidationError, match=f"unknown: {name}.surprise "):
        kind.model_validate({name: {"surprise": 1}})


def test_parts_of_volumes_are_among_them() -> None:
    assert {name for _, name in PARTS} >= {"backing", "portal", "queues"}


def test_what_is_reported_may_have_more() -> None:
    assert Queues.model_validate({"surprise": 1}) == Queues()
