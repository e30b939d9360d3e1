"""Whichever step of a change of a volume fails, nothing starts on an empty folder, and the next apply gets there."""

from __future__ import annotations

import pytest

from dtnctl.errors import ConflictError
from tests.planning.building import plan
from tests.planning.dtns import live, session
from tests.planning.host.volume_lab import SCRATCH, WRITES, after, lab, reads
from tests.properties.test_failures import carry_out

DISK = SCRATCH.replace("nvme1n1", "nvme2n1")
READER, WRITER = lab(reads()), lab(session("one", WRITES))
CHANGES = {"another mode": (READER, WRITER), "another disk": (READER, lab(DISK, reads())), "taken down": (READER, lab())}


@pytest.mark.parametrize("late", [False, True], ids=["before it", "after it"])
@pytest.mark.parametrize("change", list(CHANGES))
def test_a_change_of_which_a_step_fails_is_completed_by_the_next_apply(change: str, late: bool) -> None:
    before, wanted = CHANGES[change]
    for number, step in enumerate(plan(wanted, after(before)).steps):
        made = after(before)
        carry_out(plan(wanted, made), made, {number}, after=late)
        made.check()
        if step.id.startswith(("a/start/", "a/wait/")):
            assert live(made).state == "running", "the volume is mounted again, so the service that was there is back"
        for _ in range(2):
            made.apply(plan(wanted, made))
        assert plan(wanted, made).is_empty, f"step {number} failed"


def test_the_service_stays_stopped_where_the_unmount_may_have_happened_and_the_reader_is_told() -> None:
    made, wanted = after(READER), WRITER
    found = plan(wanted, made)
    number = [step.id for step in found.steps].index("a/unmount-volume/scratch")
    reasons = [outcome.reason for outcome in carry_out(found, made, {number}, after=True) if outcome.result == "undone"]
    assert live(made).state == "exited"
    assert any("stopped until the next apply: its volume may be unmounted" in reason for reason in reasons), reasons


@pytest.mark.parametrize("change", ["another mode", "another disk"])
def test_the_service_runs_again_where_its_volume_is_in_use_and_stays_mounted(change: str) -> None:
    before, wanted = CHANGES[change]
    made, found = after(before), plan(wanted, after(before))
    number = [step.id for step in found.steps].index("a/unmount-volume/scratch")
    carry_out(found, made, {number}, after=False, error=ConflictError("the volume is in use: rsync"))
    made.check()
    assert live(made).state == "running"
