"""Labels of a transfer's container say which attempt it is; an older container's name does."""

from __future__ import annotations

import pytest

from dtnctl.model.ownership import generation_and_attempt, transfer_labels
from dtnctl.model.resources import is_owned


def test_a_transfers_labels_say_which_attempt_it_is_and_whose() -> None:
    made = dict(transfer_labels("lab", "dtn1", "copy", 3, 2, "digest"))
    assert generation_and_attempt(made, "whatever it is called") == (3, 2)
    assert is_owned(made, site="lab", endpoint="dtn1", object_name="lab.copy.g3a2")
    assert (made["dtnctl.name"], made["dtnctl.spec"]) == ("copy", "digest")


def test_a_container_without_the_labels_is_recognised_by_its_name() -> None:
    assert generation_and_attempt({}, "lab.copy.g12a3") == (12, 3)


@pytest.mark.parametrize("name", ["odd", "lab.copy", "lab.copy.g1", "lab.copy.g1a1.more", "lab.copy.g1a1234567890123456789"])
def test_a_name_that_we_never_give_says_nothing(name: str) -> None:
    assert generation_and_attempt({}, name) is None


@pytest.mark.parametrize("generation", ["", "x", "-1", "1234567890123456789", "٣"])
def test_labels_that_somebody_wrote_into_say_nothing(generation: str) -> None:
    made = {"dtnctl.generation": generation, "dtnctl.attempt": "1"}
    assert generation_and_attempt(made, "lab.copy.g1a1") is None
