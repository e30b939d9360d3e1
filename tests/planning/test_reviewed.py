"""A plan beside the one that was reviewed for the same files: what is more dangerous, and when the review is done with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.actions import StartContainer
from dtnctl.model.impact import Cut
from dtnctl.model.plan import Cause, Change, EndpointSummary, Mark, Plan, Step
from dtnctl.planning.reviewed import Key, ReviewedPlan, ShownChange, is_done, more_dangerous, on_other_engines

WHY = Cause("declared, not there")
KEY: Key = ("dtn1", "session", "climate")


def change(mark: Mark, name: str = "climate", *, interrupts: str = "", is_drift: bool = False, may_be_drift: bool = False) -> Change:
    kind = "transfer" if mark == "transfer" else "session"
    return Change(mark, kind, name, "dtn1", WHY, "", interrupts=interrupts, is_drift=is_drift, may_be_drift=may_be_drift)  # type: ignore[arg-type]


def plan(*changes: Change) -> Plan:
    return Plan("scinet", changes, (), (), ())


def reviewed(*shown: Change, waiting: tuple[str, ...] = ()) -> ReviewedPlan:
    changes = {(item.endpoint, item.kind, item.name): ShownChange(item.mark, bool(item.interrupts)) for item in shown}
    return ReviewedPlan("77aa", changes, frozenset(waiting))


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (change("create"), change("create")),
        (change("destroy"), change("replace")),
        (change("replace", interrupts="the service"), change("update", interrupts="the service")),
        (change("transfer"), change("transfer")),
        (change("update"), change("blocked")),
    ],
)
def test_change_that_was_shown_as_dangerous_or_more_is_no_surprise(before: Change, now: Change) -> None:
    assert more_dangerous(plan(now), reviewed(before)) == ()


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (change("create"), change("replace")),
        (change("update"), change("update", interrupts="the service")),
        (change("replace"), change("destroy")),
        (change("blocked"), change("destroy")),
        (change("replace"), change("replace", interrupts="transfer run14")),
    ],
)
def test_change_that_stops_or_removes_more_than_was_shown_is_more_dangerous(before: Change, now: Change) -> None:
    assert more_dangerous(plan(now), reviewed(before)) == (now,)


def test_transfer_that_is_cut_off_and_was_not_shown_so_is_more_dangerous() -> None:
    shown, cut = change("replace", interrupts="climate is down"), Cut("run14", "dtn1", is_resumable=True)
    now = replace(shown, cuts=(cut,))
    assert more_dangerous(plan(now), reviewed(shown)) == (now,)
    assert more_dangerous(plan(now), ReviewedPlan("77aa", {KEY: ShownChange("replace", True, frozenset({"run14"}))}, frozenset())) == ()


def test_what_was_not_shown_at_all_may_create_and_update_and_no_more() -> None:
    names: tuple[Mark, ...] = ("blocked", "create", "update", "replace", "destroy", "transfer")
    found = more_dangerous(plan(*(change(mark, name=f"a-{mark}") for mark in names)), reviewed())
    assert [item.mark for item in found] == ["replace", "destroy", "transfer"]


def test_transfer_that_had_to_wait_may_start_when_it_is_due() -> None:
    due = change("transfer", name="run14")
    assert more_dangerous(plan(due), reviewed(waiting=("run14",))) == ()
    assert is_done(plan(due), reviewed(waiting=("run14",)))
    assert not is_done(plan(due), reviewed(due)), "it is what was reviewed"


def test_review_is_done_with_when_only_drift_and_what_is_blocked_is_left() -> None:
    left = (change("replace", is_drift=True), change("update", name="b", may_be_drift=True), change("blocked", name="c"))
    assert is_done(plan(*left), reviewed(change("create")))
    assert not is_done(plan(*left, change("create", name="d")), reviewed(change("create", name="d")))


def test_endpoint_that_is_another_engine_than_reviewed_is_named_if_something_is_done_there() -> None:
    rows = tuple(EndpointSummary(name, "", "", 0, 0, 0, 0, identity=f"{name}2") for name in ("dtn1", "dtn2", "dtn3"))
    steps = tuple(Step(f"start {name}", name, StartContainer("x")) for name in ("dtn1", "dtn3"))
    known = {"dtn1": "dtn1", "dtn2": "dtn2"}  # of dtn3 the review knew nothing
    assert on_other_engines(Plan("scinet", (), steps, rows), ReviewedPlan("77aa", {}, frozenset(), known)) == ("dtn1",)
