"""What a person can name, and what is noticed when a name fits nothing."""

from __future__ import annotations

from dtnctl.planning.scope import Scope

OBJECTS = (("session", "climate", "dtn1"), ("transfer", "run14", "dtn1"), ("network", "data", "dtn2"))


def test_a_pattern_that_names_nothing_is_noticed_wherever_it_stands() -> None:
    scope = Scope(targets=("session/climat", "run*"), excludes=("endpoint/dtn3",), replace=("data",))
    assert scope.unmatched(OBJECTS) == ("session/climat", "endpoint/dtn3")


def test_patterns_by_kind_by_endpoint_and_with_a_star_fit() -> None:
    assert Scope(targets=("session/*", "endpoint/dtn2", "run14")).unmatched(OBJECTS) == ()
