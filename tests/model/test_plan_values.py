"""The Plan as a value: plain data of anything in it."""

from __future__ import annotations

from dtnctl.model.plan import as_data
from dtnctl.model.resources import Ulimit


def test_values_become_plain_data_and_carry_their_types_name() -> None:
    value = {"limits": (Ulimit("nofile", 1, 2),), "text": "x"}
    assert as_data(value) == {"limits": [{"type": "Ulimit", "name": "nofile", "soft": 1, "hard": 2}], "text": "x"}
