"""One table decides which of several errors gives the exit code: the first row that finds something."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.cli.exit_code import Ending, raise_for_worst
from dtnctl.errors import DtnctlError, TransferError
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Cause, Change, EndpointSummary, Plan

ANSWERS = EndpointSummary("dtn1", "", "", 1, 1, 0, 0)
GOOD = Plan("demo", (), (), (ANSWERS,))
BLOCKED = replace(GOOD, changes=(Change("blocked", "session", "s", "dtn1", Cause("no"), "no", code="E0400"),))
SILENT = replace(GOOD, endpoints=(replace(ANSWERS, silence="timed out"),))
FAILING = replace(GOOD, failing=("session s on dtn1 is as declared but unhealthy",))
SESSION_LEFT = replace(GOOD, changes=(Change("create", "session", "s", "dtn1", Cause("x"), "x", steps=("dtn1/create/s",)),))
TRANSFER_LEFT = replace(GOOD, changes=(Change("transfer", "transfer", "t", "dtn1", Cause("x"), "x", steps=("dtn1/finish/t",)),))


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
        (Ending("apply", SILENT, remaining=SESSION_LEFT), "partial"),
        (Ending("apply", SILENT, changed=False), "unreachable"),
        (Ending("apply", GOOD, remaining=SESSION_LEFT, waited=False), "partial"),
        (Ending("apply", GOOD, remaining=TRANSFER_LEFT), "partial"),
        (Ending("apply", GOOD, remaining=replace(SILENT, failing=FAILING.failing)), "partial"),
        (Ending("apply", GOOD, remaining=FAILING), "health-timeout"),
        (Ending("apply", FAILING, changed=False), "health-timeout"),
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
    ],
)
def test_what_ended_well_has_no_error(ending: Ending) -> None:
    raise_for_worst(ending)


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
