"""Words that resources have for people."""

from __future__ import annotations

import pytest

from dtnctl.model.resources import LeaseSeen, describe_holder


@pytest.mark.parametrize(
    ("label", "words"),
    [('{"who": "ops@host", "pid": 4711}', "ops@host (pid 4711)"), ("not JSON", "not JSON"), ("{}", "{}"), ("", "somebody")],
)
def test_a_leases_holder_is_told_as_well_as_its_label_allows(label: str, words: str) -> None:
    assert describe_holder(label) == LeaseSeen("id", label).who == words
