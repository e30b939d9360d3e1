"""Labels, and the selectors that are typed for them."""

from __future__ import annotations

import pytest

from dtnctl.errors import ConfigError
from dtnctl.model.labels import Requirement, SelectorError, parse_selector
from tests.planning.building import site


@pytest.mark.parametrize(
    ("text", "name", "values", "negated"),
    [
        ("region=eu", "region", {"eu"}, False),
        (" region == eu ", "region", {"eu"}, False),
        ("region!=eu", "region", {"eu"}, True),
        ("region in (eu, us)", "region", {"eu", "us"}, False),
        ("region notin (eu)", "region", {"eu"}, True),
        ("example.net/tier=1.5", "example.net/tier", {"1.5"}, False),
        ("in=notin", "in", {"notin"}, False),
    ],
)
def test_one_condition_is_read_as_kubectl_reads_it(text: str, name: str, values: set[str], *, negated: bool) -> None:
    assert parse_selector(text) == (Requirement(name, frozenset(values), negated),)


def test_several_conditions_have_commas_between_them() -> None:
    assert [item.name for item in parse_selector("a=b,c in (d,e), f!=g")] == ["a", "c", "f"]


@pytest.mark.parametrize("text", ["", "region", "region=", "=eu", "region=eu,", "region in ()", "region in eu", "a=b c=d", "re gion=eu"])
def test_what_is_no_selector_is_refused_with_examples(text: str) -> None:
    with pytest.raises(SelectorError, match="selects no labels; write `region=eu`"):
        parse_selector(text)


def test_a_missing_label_meets_only_what_is_not_wanted() -> None:
    assert not Requirement("region", frozenset({"eu"})).is_met_by({})
    assert Requirement("region", frozenset({"eu"}), negated=True).is_met_by({})
    assert not Requirement("region", frozenset({"eu"}), negated=True).is_met_by({"region": "eu"})


def test_a_value_that_no_selector_can_name_is_refused_in_its_file() -> None:
    with pytest.raises(ConfigError, match="cannot be selected"):
        site("# sessions/one\nendpoints: [a]\nimage: dtn:1\nlabels: {region: west europe}\n")
