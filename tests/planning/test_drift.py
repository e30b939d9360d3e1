"""What of a plan is drift."""

from __future__ import annotations

from dtnctl.model.actions import PullImage
from dtnctl.model.plan import Cause, Change, Mark, Plan, Step, TransferNote
from dtnctl.planning.drift import UNRECORDED, drifted


def change(name: str, mark: Mark, *, is_drift: bool = False, may_be_drift: bool = False) -> Change:
    return Change(mark, "session", name, "a", Cause("x"), "x", is_drift=is_drift, may_be_drift=may_be_drift, notes=("first",))


MADE = Plan(
    site="lab",
    changes=(
        change("by-hand", "update", is_drift=True),
        change("unsure", "update", may_be_drift=True),
        change("by-git", "replace"),
        change("removed", "destroy"),
        change("absent", "create"),
        change("held", "blocked"),
    ),
    steps=(Step("a/pull/x", "a", PullImage("x")),),
    endpoints=(),
    transfers=(TransferNote("copy", 1, "succeeded", "done", "state/transfers/copy.yaml:1"),),
)


def test_drift_is_what_an_endpoint_changed_or_lacks_and_what_cannot_be() -> None:
    assert [item.name for item in drifted(MADE).changes] == ["by-hand", "unsure", "absent", "held"]


def test_what_is_not_recorded_is_said_of_that_change_alone() -> None:
    assert {item.name: item.notes for item in drifted(MADE).changes}["unsure"] == ("first", UNRECORDED)
    assert [item.name for item in drifted(MADE).changes if UNRECORDED in item.notes] == ["unsure"]


def test_drift_has_nothing_to_do() -> None:
    assert (drifted(MADE).steps, drifted(MADE).transfers) == ((), ())
