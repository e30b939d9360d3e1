"""Waiting for a job: progress, stalls, deadlines, interruptions, output that breaks off or cannot be read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dtnctl.errors import TransferError
from dtnctl.model.report import TransferRow
from dtnctl.runtime.transfers.transfer import live_progress, read_log, with_live_progress
from dtnctl.runtime.transfers.watch import LOG_KEPT, InterruptedWaitError, Tail
from tests.fakes.engine import Fault
from tests.runtime.transfers.transfer_world import HERE, SITE, THERE, TRANSFER, TransferWorld, transfer_world

JOB = "lab.run.g1a1"
ROW = TransferRow(TRANSFER, f"{HERE}:/data/in", "there:/data/in", "gridftp", 1, "running")


@pytest.fixture
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as scene:
        scene.files(HERE).write("/data/in", b"x" * 1000)
        scene.copy.hold = threading.Event()
        yield scene


def test_progress_comes_while_it_runs(scene: TransferWorld) -> None:
    scene.start()
    told = threading.Event()
    assert scene.copy.hold is not None
    hold = scene.copy.hold

    class Told(list):  # type: ignore[type-arg]  # a list that says when something arrives
        def append(self, item: object) -> None:
            super().append(item)
            told.set()

    scene.progress = Told()
    with ThreadPoolExecutor(1) as pool:
        finishing = pool.submit(scene.finish)
        assert told.wait(60)
        assert not finishing.done()
        hold.set()
        assert finishing.result().verdict == "succeeded"
    assert (scene.progress[0].transfer, scene.progress[0].total) == (TRANSFER, 1000)


def test_the_rest_of_the_time_is_told_from_the_rate(scene: TransferWorld) -> None:
    scene.copy.keep = 500
    scene.copy.during = lambda: None
    scene.start()
    scene.copy.started.wait(60)
    while (progress := live_progress(scene.engines[HERE], SITE, TRANSFER, 1)) is None or progress.rate is None:
        pass
    assert (progress.bytes, progress.total, progress.rate) == (500, 1000, 1048576.0)
    assert progress.eta == pytest.approx(500 / 1048576)
    row = with_live_progress(ROW, scene.engines[HERE], SITE)
    assert (row.bytes, row.bytes_per_second) == (500, 1048576.0)


def test_a_running_transfer_is_shown_without_its_progress_where_that_cannot_be_read(scene: TransferWorld) -> None:
    assert with_live_progress(ROW, scene.engines[HERE], SITE) == ROW
    scene.world.set_mode(HERE, "absent")
    assert with_live_progress(ROW, scene.engines[HERE], SITE) == ROW


def test_nothing_is_told_of_a_transfer_that_does_not_run(scene: TransferWorld) -> None:
    assert live_progress(scene.engines[HERE], SITE, TRANSFER, 1) is None


def test_a_job_that_says_nothing_for_the_stall_timeout_is_stopped_and_may_be_tried_again(scene: TransferWorld) -> None:
    scene.start(stall_timeout="60.0")
    scene.copy.during = lambda: None

    class Hurry(list):  # type: ignore[type-arg]  # time passes once the copy has said its last word
        def append(self, item: object) -> None:
            super().append(item)
            scene.clock.seconds += 100

    scene.progress = Hurry()
    with pytest.raises(TransferError, match="stalled: no progress for 60 s"):
        scene.finish(stall_timeout="60.0")
    (receipt,) = scene.records()
    assert (receipt.verdict, receipt.retryable, receipt.exit_code) == ("failed", True, 143)
    assert scene.job_names() == []


def test_a_job_that_runs_beyond_its_deadline_is_stopped_for_good(scene: TransferWorld) -> None:
    scene.start(deadline="50.0")
    scene.progress = type("Hurry", (list,), {"append": lambda self, item: setattr(scene.clock, "seconds", 51.0)})()
    with pytest.raises(TransferError, match="not finished within its deadline of 50 s"):
        scene.finish(deadline="50.0", retries="3")
    assert scene.records()[0].retryable is False
    assert scene.job_starts() == 1


def test_an_interrupted_wait_leaves_the_job_alone_and_says_how_to_follow_it(scene: TransferWorld) -> None:
    scene.start()
    scene.stop.set()
    with pytest.raises(
        InterruptedWaitError, match="goes on; follow it with `dtnctl transfers logs -f run`, the next apply records its result"
    ):
        scene.finish()
    assert scene.engines[HERE].inspect(JOB).state == "running"
    assert "dtnctl:lab/run" in scene.keys(HERE)
    assert scene.copy.hold is not None
    scene.copy.hold.set()
    scene.engines[HERE].wait(JOB, 10.0)
    scene.stop.clear()
    assert scene.finish(wait=False).verdict == "succeeded"


def test_output_that_breaks_off_is_read_again_from_the_start(scene: TransferWorld) -> None:
    scene.world.plan_faults(Fault("reset", match=f"GET /containers/{JOB}/logs"))
    scene.start()
    assert scene.copy.hold is not None
    scene.copy.hold.set()
    assert scene.finish().verdict == "succeeded"


def test_output_that_the_engine_cannot_show_is_no_obstacle(scene: TransferWorld) -> None:
    reason = "configured logging driver does not support reading"
    scene.world.plan_faults(Fault("status", match=f"GET /containers/{JOB}/logs", nth=0, status=501, message=reason))
    scene.start()
    assert scene.copy.hold is not None
    scene.copy.hold.set()
    assert scene.finish().verdict == "succeeded"
    assert reason in b"".join(read_log(scene.engines[HERE], SITE, TRANSFER, 1)).decode()


def test_a_job_that_is_removed_meanwhile_is_unknown(scene: TransferWorld) -> None:
    scene.start()
    with ThreadPoolExecutor(1) as pool:
        finishing = pool.submit(scene.finish)
        scene.copy.started.wait(60)
        scene.engines[HERE].remove(JOB, force=True)
        with pytest.raises(TransferError, match="unknown: its container"):
            finishing.result()
    assert scene.records()[0].verdict == "unknown"
    assert not [end for end in (HERE, THERE) if "dtnctl:" in scene.keys(end)]


def test_the_end_of_a_long_output_is_kept() -> None:
    tail = Tail()
    for number in range(5000):
        tail.add(b"%063d\n" % number)
    content = tail.content()
    first, _, rest = content.partition(b"\n")
    assert len(rest) == LOG_KEPT
    assert first == b"[%d bytes before this are left out]" % (5000 * 64 - LOG_KEPT)
    assert content.endswith(b"%063d\n" % 4999)


def test_a_single_piece_of_output_that_is_too_long_is_cut() -> None:
    tail = Tail()
    tail.add(b"a" * (LOG_KEPT + 10))
    assert tail.content() == b"[10 bytes before this are left out]\n" + b"a" * LOG_KEPT


def test_a_short_output_is_kept_as_it_is() -> None:
    tail = Tail()
    assert tail.content() == b""
    tail.add(b"all\n")
    assert tail.content() == b"all\n"
