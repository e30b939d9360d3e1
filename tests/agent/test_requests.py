"""What an agent does not understand of a request it refuses, at every depth; what it reports is read leniently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest
from dtn_agent import protocol as p
from dtn_agent.protocol.volumes import ConnectVolume, ExportVolume, Portal, Queues
from pydantic import BaseModel, ValidationError

KINDS: tuple[type[p.Requested], ...] = get_args(get_args(p.Request)[0]) or get_args(p.Request)
NQN = "nqn.2001-01.com.example:a"


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


@pytest.mark.parametrize(
    "text", ["nqn.2001-01.com.example:a,ctrl_loss_tmo=-1", "nqn.2001-01.com.example:a b", "nqn.2001-01.com.example:a\n"]
)
def test_a_name_that_would_be_more_than_a_name_in_the_kernels_options_is_refused(text: str) -> None:
    """The kernel's options for a connection are separated by commas, and the last one of a kind counts."""
    with pytest.raises(ValidationError, match="nqn\n  String should match"):
        ConnectVolume(site="lab", volume="a", nqn=text, portal=Portal(transport="tcp", address="10.0.0.1", port=4420))


@pytest.mark.parametrize("text", [f"{NQN}/../../ports", f"{NQN}/b", f"{NQN},b", f"{NQN} b", f"{NQN}\n", "..", "a", ""])
def test_a_name_that_leads_out_of_its_folder_is_refused(text: str) -> None:
    """Another host's agent reports by which name it is known, and the target's agent makes a folder of it."""
    usual = {"site": "lab", "volume": "a", "uuid": "66666666-7777-4888-9999-000000000000", "serial": "SN1", "backing": {"file": "/srv/a"}}
    portal = {"transport": "tcp", "address": "10.0.0.1", "port": 4420}
    for names in ({"nqn": text, "hosts": [NQN]}, {"nqn": NQN, "hosts": [text]}):
        with pytest.raises(ValidationError, match="String should match"):
            ExportVolume.model_validate({**usual, "portal": portal, **names})


def test_what_is_reported_may_have_more() -> None:
    assert Queues.model_validate({"surprise": 1}) == Queues()
