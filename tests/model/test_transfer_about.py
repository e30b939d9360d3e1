"""Free pairs of a transfer: what may be written, and that it is taken as the very text in the file."""

from __future__ import annotations

import pytest

from dtnctl.model.source import Source
from dtnctl.model.transfer import Transfer
from dtnctl.repository.load import validate
from dtnctl.repository.yaml_source import parse_source


def read(text: str) -> tuple[Transfer | None, list[str]]:
    source = Source("t.yaml")
    parse_source(f"from: a:/x/x\nto: b:/x/y\ntool: gridftp\n{text}".encode(), source)
    value = validate(source, Transfer)
    return value, [str(problem) for problem in source.problems]


def test_pairs_are_texts_as_they_are_written_in_the_order_of_names() -> None:
    value, found = read("labels: {version: 1.10, experiment: atlas}\nmetadata: {example.org/run_id: 0.10}\n")
    assert value is not None, found
    assert value.settings.labels == (("experiment", "atlas"), ("version", "1.10"))
    assert value.settings.metadata == (("example.org/run_id", "0.10"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("labels: {'a b': c}", "t.yaml:4:17: E0206"),
        ("labels: {-a: c}", "is no name of a pair; write letters, digits and . _ / -, at most 63, a letter or digit first"),
        (f"labels: {{{'a' * 64}: c}}", "is no name of a pair"),
        ("labels: {a: [b]}", "t.yaml:4:10: E0203: `labels.a` must be text"),
        (f"metadata: {{a: {'b' * 9000}}}", "these are 9009 characters as JSON, and 8192 may be kept"),
    ],
)
def test_what_may_not_be_written_is_named_at_its_place(text: str, expected: str) -> None:
    _, found = read(text)
    assert expected in " ".join(found)
