"""Words that resources have for people."""

from __future__ import annotations

import pytest

from dtnctl.model.resources import LeaseSeen, describe_holder, is_owned, lease_name, live_names, main_name


@pytest.mark.parametrize(
    ("label", "words"),
    [('{"who": "ops@host", "pid": 4711}', "ops@host (pid 4711)"), ("not JSON", "not JSON"), ("{}", "{}"), ("", "somebody")],
)
def test_a_leases_holder_is_told_as_well_as_its_label_allows(label: str, words: str) -> None:
    assert describe_holder(label) == LeaseSeen("id", label).who == words


def test_every_name_that_a_services_container_may_have_is_ours_and_no_further_one() -> None:
    pairs = {"dtnctl.site": "lab", "dtnctl.self": "a/lab.one"}
    assert [main_name(name) for name in live_names("lab.one")] == ["lab.one"] * 3
    assert all(is_owned(pairs, site="lab", endpoint="a", object_name=name) for name in live_names("lab.one"))
    others = ("lab.one.new", "lab.one..older", "lab.one..old..old", "lab.one..new..new", "lab.one..old..new", "lab.one..new..old", "..new")
    assert not any(is_owned(pairs, site="lab", endpoint="a", object_name=name) for name in others)


def test_the_lease_of_a_site_has_a_name_that_no_session_has() -> None:
    assert lease_name("lab") == "lab.control.lease"
