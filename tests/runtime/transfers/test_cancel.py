"""Cancelling a transfer, and reading what it wrote."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dtnctl.errors import EngineError, TransferError
from dtnctl.model.resources import ledger_name
from dtnctl.model.site import Document, Mark
from dtnctl.model.transfer import Transfer
from dtnctl.planning.resolve import ResolvedTransfer
from dtnctl.runtime.transfers.attempt import is_running
from dtnctl.runtime.transfers.transfer import cancel_transfer, read_log
from tests.fakes.faults import Fault
from tests.runtime.transfers.transfer_world import HERE, SITE, THERE, TRANSFER, TransferWorld, transfer_world

JOB = "lab.run.g1a1"
VALUE = Transfer.model_validate({"from": f"{HERE}:/data/in", "to": f"{THERE}:/data/out", "tool": "gridftp"})
ROUTE = ResolvedTransfer(
    SITE, Document(TRANSFER, "transfers/run.yaml", VALUE, {(): Mark(1, 1)}), HERE, "/data/in", THERE, "/data/out", "demo"
)


@pytest.fixture
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as scene:
        scene.files(HERE).write("/data/in", b"x" * 1000)
        yield scene


def cancel(scene: TransferWorld) -> str:
    return cancel_transfer(ROUTE, scene.engines, SITE, scene.clock)


def log(scene: TransferWorld, *, follow: bool = False) -> str:
    return b"".join(read_log(scene.engines[HERE], SITE, TRANSFER, 1, follow=follow)).decode()


def test_a_running_copy_is_stopped_and_recorded_with_what_it_left(scene: TransferWorld) -> None:
    scene.copy.hold, scene.copy.keep = threading.Event(), 300
    copied = threading.Event()
    scene.copy.during = copied.set
    scene.start()
    assert copied.wait(60)
    assert cancel(scene) == "run (generation 1, try 1): cancelled; at the destination are 300 of 1000 bytes"
    (record,) = scene.records()
    assert (record.verdict, record.retryable, record.exit_code, record.bytes) == ("cancelled", False, 143, 300)
    assert scene.files(THERE).read("/data/out") == b"x" * 300
    assert scene.job_names() == []
    assert "dtnctl" not in scene.keys(HERE) + scene.keys(THERE)
    assert not scene.start().started


def test_a_copy_that_ends_well_while_it_is_stopped_is_not_called_cancelled(scene: TransferWorld) -> None:
    scene.copy.hold, scene.copy.code_when_stopped = threading.Event(), 0
    copied = threading.Event()
    scene.copy.during = copied.set
    scene.start()
    assert copied.wait(60)
    assert cancel(scene) == "run (generation 1, try 1) ended by itself before it could be cancelled; the next apply records its result"
    assert scene.finish(wait=False).verdict == "succeeded"


def test_a_cancellation_whose_run_died_after_the_stop_is_one_and_no_failure_that_is_tried_again(scene: TransferWorld) -> None:
    scene.copy.hold, scene.copy.code_when_stopped = threading.Event(), 1
    copied = threading.Event()
    scene.copy.during = copied.set
    scene.start()
    assert copied.wait(60)
    scene.world.plan_faults(Fault("status", match=f"POST /containers/{JOB}/stop", status=500, message="the run ends", when="after"))
    with pytest.raises(EngineError, match="the run ends"):
        cancel(scene)
    assert [item.verdict for item in scene.records()] == [None]
    assert not is_running(scene.engines[HERE].inspect(JOB))
    with pytest.raises(TransferError, match="cancelled"):
        scene.finish(wait=False)
    assert [(item.verdict, item.retryable) for item in scene.records()] == [("cancelled", False)]


def test_a_job_that_does_not_say_what_it_copies_is_left_to_its_engine(scene: TransferWorld) -> None:
    scene.copy.hold = threading.Event()
    scene.start()
    scene.files(HERE, JOB).remove("/root/dtnctl/copy.json")
    with pytest.raises(TransferError, match="does not say what it copies; stop it on its engine"):
        cancel(scene)
    assert scene.engines[HERE].inspect(JOB).state == "running"


def test_a_full_disk_keeps_no_copy_running(scene: TransferWorld) -> None:
    scene.copy.hold = threading.Event()
    scene.start()
    scene.world.plan_faults(Fault("status", match="PUT /containers/lab.control.ledger/archive", status=500, message="no space left"))
    assert cancel(scene).startswith("run (generation 1, try 1): cancelled")


def test_what_does_not_run_cannot_be_cancelled(scene: TransferWorld) -> None:
    assert cancel(scene) == "nothing to cancel: run (generation 1) is not running"
    scene.start()
    scene.finish()
    assert cancel(scene) == "nothing to cancel: run (generation 1) is succeeded"


def test_without_ledger_and_container_nothing_is_known(scene: TransferWorld) -> None:
    scene.engines[HERE].remove(ledger_name(SITE))
    with pytest.raises(TransferError, match="the record of run on dtn1 cannot be read, and it has no container there"):
        cancel(scene)


def test_the_log_comes_from_the_container_and_then_from_the_record(scene: TransferWorld) -> None:
    scene.start()
    scene.engines[HERE].wait(JOB, 10.0)
    live = log(scene)
    assert "Source: sshftp://dtn@127.0.0.1:22/data/" in live
    assert log(scene, follow=True) == live
    scene.finish()
    assert log(scene) == live


def test_the_log_of_the_last_try_is_shown(scene: TransferWorld) -> None:
    scene.copy.exit_codes, scene.copy.log = [1], ""
    scene.start(retries="1")
    scene.copy.log = "second try\n"
    scene.finish(retries="1")
    assert "second try" in log(scene)


def test_what_never_ran_has_no_log(scene: TransferWorld) -> None:
    with pytest.raises(TransferError, match=r"run \(generation 1\) has not run: there is no log"):
        log(scene)
