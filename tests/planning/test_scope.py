"""What a person can name, and what is noticed when a name fits nothing."""

from __future__ import annotations

from dtnctl.planning.scope import Scope

OBJECTS = (("session", "climate", "dtn1"), ("transfer", "run14", "dtn1"), ("network", "data", "dtn2"))


def test_a_pattern_that_names_nothing_is_noticed_wherever_it_stands() -> None:
    scope = Scope(targets=("session/climat", "run*"), excludes=("endpoint/dtn3",), replace=("data",))
    assert scope.unmatched(OBJECTS) == ("session/climat", "endpoint/dtn3", "data")  # only sessions are recreated


def test_whether_anything_is_named_is_seen_wherever_it_stands() -> None:
    assert Scope(targets=("a",), excludes=("b",), replace=("c",), interrupt=("d",)).patterns == ("a", "b", "c", "d")
    assert not Scope(label="region=eu").patterns, "labels are no patterns"


def test_patterns_by_kind_by_endpoint_and_with_a_star_fit() -> None:
    assert Scope(targets=("session/*", "endpoint/dtn2", "run14")).unmatched(OBJECTS) == ()


def test_each_mistyped_name_gets_the_nearest_one_in_the_form_that_was_typed() -> None:
    lines = Scope(targets=("climat", "session/climat", "sessions/climate", "dtn1"), excludes=("endpoint/dtn3",)).mistyped(OBJECTS)
    assert lines == (
        "nothing is named climat; try `climate`",
        "nothing is named session/climat; try `session/climate`",
        "nothing is named sessions/climate; try `session/climate`",
        "nothing is named dtn1; try `endpoint/dtn1`",
        "nothing is named endpoint/dtn3; try `endpoint/dtn2`",
    )


def test_what_is_to_be_recreated_is_compared_with_sessions_alone() -> None:
    assert Scope(replace=("run14",)).mistyped(OBJECTS) == ("nothing is named run14; try `climate`",)


def test_transfers_that_may_be_interrupted_are_compared_with_transfers_alone() -> None:
    assert Scope(interrupt=("run14", "transfer/run*", "*")).mistyped(OBJECTS) == ()
    assert Scope(interrupt=("climate",)).mistyped(OBJECTS) == ("nothing is named climate; try `run14`",)
    assert Scope(interrupt=("*",)).mistyped(()) == (), "whatever runs"


def test_names_that_people_do_not_know_are_never_suggested() -> None:
    ledger = ("ledger", "dtnctl-demo-ledger", "dtn1")
    assert Scope(targets=("ledger/x",)).mistyped([*OBJECTS, ledger])[0].count("dtnctl-demo-ledger") == 0
    assert Scope(targets=("dtnctl-demo-ledge",)).mistyped([ledger]) == (
        "nothing is named dtnctl-demo-ledge; try `dtnctl status`, which shows all names",
    )


def test_many_names_are_not_listed() -> None:
    many = [("session", f"x{number}", "dtn1") for number in range(20)]
    assert Scope(targets=("qqqq",)).mistyped(many) == ("nothing is named qqqq; try `dtnctl status`, which shows all names",)
