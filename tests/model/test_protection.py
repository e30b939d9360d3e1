"""What endpoints keep of `protect:`, in labels."""

from __future__ import annotations

import pytest

from dtnctl.model.protection import (
    LABEL_PROTECTED,
    LIFTED,
    NOTHING,
    RecordProtection,
    marker_labels,
    marker_name,
    protected_label,
    read_records,
)
from dtnctl.model.resources import LABEL_KIND, LABEL_NAME, LABEL_SELF, ContainerSeen, ContainerSpec, is_owned

PLACE = "state/sessions/one.yaml:4"


def container(name: str, kind: str, record: str | None = None) -> ContainerSeen:
    labels = {LABEL_KIND: kind, LABEL_NAME: "one"} | ({LABEL_PROTECTED: record} if record is not None else {})
    return ContainerSeen(name, name, labels, ContainerSpec("x"), "x", "created")


def test_a_marker_is_ours_and_says_whose_and_what() -> None:
    labels = dict(marker_labels("lab", "a", RecordProtection("one", PLACE)))
    assert is_owned(labels, site="lab", endpoint="a", object_name=marker_name("lab", "one"))
    found = labels[LABEL_KIND], labels[LABEL_NAME], labels[LABEL_SELF], labels[LABEL_PROTECTED]
    assert found == ("protection", "one", "a/lab.one.protection", PLACE)


@pytest.mark.parametrize(
    ("label", "marker", "place"),
    [(None, None, ""), (PLACE, None, PLACE), (None, PLACE, PLACE), (PLACE, LIFTED, ""), (PLACE, "b:2", "b:2"), (None, LIFTED, "")],
)
def test_a_marker_counts_before_the_label_of_the_container(label: str | None, marker: str | None, place: str) -> None:
    seen = [container("lab.one", "service", label)]
    seen += [container("lab.one.protection", "protection", marker)] if marker is not None else []
    assert read_records(seen)["one"].place == place


def test_a_marker_without_a_record_protects_nothing() -> None:
    assert read_records([container("lab.one", "service", PLACE), container("lab.one.protection", "protection")])["one"].place == ""


def test_the_container_in_use_counts_before_one_that_was_set_aside() -> None:
    seen = [container("lab.one..old", "service", PLACE), container("lab.one", "service")]
    assert read_records(seen)["one"].place == ""
    assert read_records(seen[:1])["one"].place == PLACE


def test_a_marker_alone_is_known_and_nothing_is_nothing() -> None:
    found = read_records([container("lab.one.protection", "protection", PLACE)])["one"]
    assert (found.is_there, found.place) == (False, PLACE)
    assert (read_records([]), NOTHING.place, protected_label("")) == ({}, "", ())
