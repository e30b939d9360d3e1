"""What the receipt says of a job that is removed before anything judged it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dtnctl.errors import TransferError
from dtnctl.model.actions import RecordCancel, RecordEnd
from dtnctl.runtime.transfers.record import read_stored_log
from dtnctl.runtime.transfers.unrecorded import record_cancel, record_end
from tests.runtime.transfers.transfer_world import HERE, SITE, TRANSFER, TransferWorld, transfer_world

JOB = "lab.run.g1a1"
WHY = "no file state/transfers/run.yaml any more"


@pytest.fixture
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as scene:
        scene.files(HERE).write("/data/in", b"x" * 1000)
        yield scene


def record(scene: TransferWorld, *, is_stopped: bool = False) -> str:
    action = RecordEnd(TRANSFER, 1, 1, JOB, scene.engines[HERE].inspect(JOB).id, WHY, is_stopped)
    return record_end(action, scene.engines[HERE], SITE, scene.clock)


def ended(scene: TransferWorld, exit_code: int = 0) -> None:
    scene.copy.exit_code = exit_code
    scene.start()
    scene.engines[HERE].wait(JOB, 10)


def test_a_job_that_ended_well_is_unknown_since_nothing_was_compared(scene: TransferWorld) -> None:
    ended(scene)
    assert record(scene) == "recorded as unknown"
    (receipt,) = scene.records()
    assert (receipt.verdict, receipt.exit_code, receipt.endpoint) == ("unknown", 0, HERE)
    assert receipt.cause == f"removed before its result was recorded, since {WHY}; exit code 0, nothing was compared"
    assert receipt.claimed_at
    assert receipt.finished_at
    assert receipt.recorded_at
    assert read_stored_log(scene.engines[HERE], SITE, receipt), "the end of its output is kept"


def test_a_job_that_failed_is_recorded_as_failed(scene: TransferWorld) -> None:
    ended(scene, exit_code=1)
    assert record(scene) == "recorded as failed"
    assert [item.verdict for item in scene.records()] == ["failed"]


def test_a_job_that_was_stopped_for_it_is_cancelled(scene: TransferWorld) -> None:
    scene.copy.hold = threading.Event()
    scene.start()
    scene.engines[HERE].stop(scene.engines[HERE].inspect(JOB).id, 1)
    assert record(scene, is_stopped=True) == "recorded as cancelled"


def announce(scene: TransferWorld) -> None:
    action = RecordCancel(TRANSFER, 1, 1, JOB, scene.engines[HERE].inspect(JOB).id, WHY)
    record_cancel(action, scene.engines[HERE], SITE)


def test_a_job_that_another_run_stopped_before_it_died_is_cancelled(scene: TransferWorld) -> None:
    scene.copy.hold = threading.Event()
    scene.start()
    announce(scene)
    (claim,) = scene.records()
    assert (claim.verdict, claim.cause) == (None, f"it is stopped and removed, since {WHY}")
    scene.engines[HERE].stop(scene.engines[HERE].inspect(JOB).id, 1)
    assert record(scene) == "recorded as cancelled"


def test_what_was_to_be_stopped_and_ended_by_itself_is_not_known(scene: TransferWorld) -> None:
    ended(scene)
    announce(scene)
    assert record(scene) == "recorded as unknown"


def test_a_lost_claim_is_made_again_by_what_stops_its_job(scene: TransferWorld) -> None:
    scene.copy.hold = threading.Event()
    scene.start()
    scene.world.engine(HERE).state.host.pop("/var/lib/dtnctl/lab/records/run.g1a1.json")
    announce(scene)
    (claim,) = scene.records()
    assert claim.container == scene.engines[HERE].inspect(JOB).id
    assert claim.is_being_cancelled


def test_nothing_is_announced_over_a_receipt(scene: TransferWorld) -> None:
    ended(scene)
    record(scene)
    before = scene.records()
    announce(scene)
    assert scene.records() == before


def test_a_receipt_that_somebody_wrote_meanwhile_stays(scene: TransferWorld) -> None:
    ended(scene)
    record(scene)
    before = scene.records()
    assert record(scene, is_stopped=True) == "it is recorded as unknown"
    assert scene.records() == before


def test_a_job_that_runs_is_not_recorded(scene: TransferWorld) -> None:
    scene.copy.hold = threading.Event()
    scene.start()
    with pytest.raises(TransferError, match=r"lab.run.g1a1 runs again; apply again"):
        record(scene)
    assert [item.verdict for item in scene.records()] == [None]
