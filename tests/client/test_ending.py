"""One table decides which of several errors gives the exit code: the first row that finds something."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.cli.chosen import matching_names
from dtnctl.client.ending import Ending, raise_for_worst, worst
from dtnctl.errors import DtnctlError, TransferError, UsageError
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Cause, Change, EndpointSummary, Plan, TransferNote

ANSWERS = EndpointSummary("dtn1", "", "", 1, 1, 0, 0)
GOOD = Plan("demo", (), (), (ANSWERS,))
BLOCKED = replace(GOOD, changes=(Change("blocked", "session", "s", "dtn1", Cause("no"), "no", code="E0400"),))
HELD = replace(GOOD, changes=(replace(BLOCKED.changes[0], code="E0492", held="replace"),))
SILENT = replace(GOOD, endpoints=(replace(ANSWERS, silence="timed out"),))
FAILING = replace(GOOD, failing=("session s on dtn1 is as declared but unhealthy",))
SESSION_LEFT = replace(GOOD, changes=(Change("create", "session", "s", "dtn1", Cause("x"), "x", steps=("dtn1/create/s",)),))
TRANSFER_LEFT = replace(GOOD, changes=(Change("transfer", "transfer", "t", "dtn1", Cause("x"), "x", steps=("dtn1/finish/t",)),))

NOTE = TransferNote("t", 1, "failed", "disk full; raise `generation` to run it again", "state/transfers/t.yaml:1")
UNSETTLED = replace(GOOD, transfers=(NOTE,))


def noted(*states: str) -> Plan:
    return replace(GOOD, transfers=tuple(replace(NOTE, name=f"t{number}", state=state) for number, state in enumerate(states)))


def failed(*names: str) -> tuple[Outcome, ...]:
    return tuple(Outcome(f"step-{number}", "failed", "why", error=name) for number, name in enumerate(names))


@pytest.mark.parametrize(
    ("ending", "name"),
    [
        (Ending("apply", BLOCKED, failed("lock"), signal_number=2), "interrupted"),
        (Ending("apply", GOOD, failed("error"), signal_number=15), "terminated"),
        (Ending("apply", BLOCKED, failed("lock", "lock")), "lock"),
        (Ending("apply", BLOCKED, failed("transfer-failed")), "transfer-failed"),
        (Ending("apply", BLOCKED, failed("health-timeout")), "health-timeout"),
        (Ending("apply", BLOCKED, failed("lock", "transfer-failed")), "partial"),
        (Ending("apply", GOOD, failed("error")), "partial"),
        (Ending("apply", GOOD, failed("unreachable")), "partial"),
        (Ending("apply", replace(BLOCKED, endpoints=SILENT.endpoints), remaining=FAILING), "blocked"),
        (Ending("apply", HELD), "blocked"),
        (Ending("apply", GOOD, (Outcome("x", "skipped", "E0442", error="blocked"),), remaining=SESSION_LEFT), "blocked"),
        (Ending("apply", GOOD, (*failed("error"), Outcome("x", "skipped", "E0442", error="blocked"))), "partial"),
        (Ending("apply", replace(HELD, changes=(*HELD.changes, *BLOCKED.changes)), deferring=True), "blocked"),
        (Ending("apply", SILENT, remaining=SESSION_LEFT), "partial"),
        (Ending("apply", SILENT, changed=False), "unreachable"),
        (Ending("apply", GOOD, remaining=SESSION_LEFT, waited=False), "partial"),
        (Ending("apply", GOOD, remaining=TRANSFER_LEFT), "partial"),
        (Ending("apply", GOOD, remaining=replace(SILENT, failing=FAILING.failing)), "partial"),
        (Ending("apply", GOOD, remaining=FAILING), "health-timeout"),
        (Ending("apply", FAILING, changed=False), "health-timeout"),
        (Ending("apply", replace(UNSETTLED, failing=FAILING.failing), changed=False), "health-timeout"),
        (Ending("apply", UNSETTLED, changed=False), "transfer-failed"),
        (Ending("apply", GOOD, remaining=noted("partial")), "transfer-failed"),
        (Ending("apply", GOOD, remaining=noted("unknown")), "transfer-failed"),
        (Ending("apply", UNSETTLED, failed("transfer-failed"), allowed=frozenset({"t"})), "transfer-failed"),
        (Ending("apply", noted("failed", "failed"), changed=False, allowed=frozenset({"t0"})), "transfer-failed"),
    ],
)
def test_the_worst_gives_the_exit_code(ending: Ending, name: str) -> None:
    with pytest.raises(DtnctlError) as caught:
        raise_for_worst(ending)
    assert caught.value.exit_name == name


@pytest.mark.parametrize(
    "ending",
    [
        Ending("apply", GOOD, changed=False),
        Ending("apply", GOOD, (Outcome("step", "done"), Outcome("later", "skipped", "needs x")), remaining=GOOD),
        Ending("apply", GOOD, remaining=TRANSFER_LEFT, waited=False),
        Ending("apply", FAILING, remaining=GOOD),
        Ending("apply", UNSETTLED, remaining=GOOD),
        Ending("apply", UNSETTLED, changed=False, allowed=frozenset({"t"})),
        Ending("apply", noted("succeeded", "cancelled", "running", "waiting"), changed=False),
        Ending("apply", replace(UNSETTLED, transfers=(replace(NOTE, state="unknown", is_unseen=True),)), changed=False),
        Ending("destroy", UNSETTLED, changed=False),
    ],
)
def test_what_ended_well_has_no_error(ending: Ending) -> None:
    assert worst(ending) is None


@pytest.mark.parametrize(
    ("reasons", "text"),
    [
        (["x"], "1 transfer failed: x"),
        (["x"] * 8, "8 transfers failed: x"),
        (["x", "y"], "2 transfers failed: x; and 1 other reason, see above"),
        (["x", "y", "z"], "3 transfers failed: x; and 2 other reasons, see above"),
    ],
)
def test_transfers_that_failed_are_counted_and_each_reason_is_said_once(reasons: list[str], text: str) -> None:
    outcomes = tuple(Outcome(str(number), "failed", reason, error="transfer-failed") for number, reason in enumerate(reasons))
    with pytest.raises(TransferError) as caught:
        raise_for_worst(Ending("apply", GOOD, outcomes))
    assert str(caught.value) == text


def test_what_failed_earlier_is_named_with_what_to_do_about_it() -> None:
    with pytest.raises(TransferError) as caught:
        raise_for_worst(Ending("apply", UNSETTLED, changed=False))
    assert caught.value.lines == (
        "transfer t (generation 1) failed: disk full; raise `generation` to run it again",
        "--allow-failed t accepts that for one run",
    )


def test_of_many_that_failed_earlier_a_few_are_named() -> None:
    with pytest.raises(TransferError) as caught:
        raise_for_worst(Ending("apply", noted("failed", "partial", "unknown", "failed", "failed"), changed=False))
    assert [piece[:35] for piece in caught.value.lines[0].split("; ") if "transfer" in piece] == [
        "transfer t0 (generation 1) failed: ",
        "transfer t1 (generation 1) arrived ",
        "transfer t2 (generation 1) is unkno",
        "and 2 more transfers",
    ]


def test_a_name_that_may_stay_failed_must_be_declared() -> None:
    declared = ("run13", "run14", "cal")
    assert matching_names("transfer", ("run*",), declared) == {"run13", "run14"}
    assert matching_names("transfer", (), declared) == frozenset()
    with pytest.raises(UsageError, match="no transfer is named run15; try `run14`"):
        matching_names("transfer", ("cal", "run15"), declared)
