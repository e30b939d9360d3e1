"""Scitags of a transfer: the registry's numbers, and a collector of fireflies."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dtnctl.model.scitags import Scitag
from dtnctl.model.transfer import Transfer


def written(**tag: object) -> Transfer:
    return Transfer.model_validate({"from": "a:/x", "to": "b:/x", "tool": "xrootd", "scitag": tag})


def test_a_scitag_has_the_usual_port_of_fireflies() -> None:
    tag = written(experiment=16, activity=3, collector="flows.example.net").settings.scitag
    assert tag == Scitag(16, 3, "flows.example.net", 10514)
    assert Transfer.model_validate({"from": "a:/x", "to": "b:/x", "tool": "xrootd"}).settings.scitag is None


@pytest.mark.parametrize(
    "wrong", [{"experiment": 0}, {"experiment": 512}, {"activity": 64}, {"collector": "a b"}, {"port": 0}, {"flow": 1}]
)
def test_numbers_beyond_the_registrys_and_places_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        written(**{"experiment": 16, "activity": 3, "collector": "flows.example.net", **wrong})
