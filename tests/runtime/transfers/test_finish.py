"""The end of a transfer: judged by evidence, recorded, cleared away; tried again as declared."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dtnctl.errors import TransferError, UnreachableError
from dtnctl.model.ledger import Attempt, log_path
from dtnctl.model.resources import LABEL_DEADLINE, ledger_name
from dtnctl.runtime.transfers.record import write_record
from tests.fakes.engine import Fault
from tests.runtime.transfers.transfer_world import HERE, IMAGE, SERVICE, SITE, THERE, TRANSFER, TransferWorld, transfer_world

JOB = "lab.run.g1a1"
FOREIGN = "ssh-rsa FOREIGN someone else\n"


@pytest.fixture
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as scene:
        scene.files(HERE).write("/data/in", b"x" * 1000)
        yield scene


def stored_log(scene: TransferWorld, attempt: int = 1) -> str:
    path = log_path(TRANSFER, 1, attempt)
    return scene.engines[HERE].read_files(ledger_name(SITE), path)[path].decode()


def test_a_copy_that_arrived_has_a_receipt_and_leaves_nothing_but_it(scene: TransferWorld) -> None:
    scene.start()
    receipt = scene.finish()
    assert (receipt.verdict, receipt.bytes, receipt.files, receipt.exit_code) == ("succeeded", 1000, 1, 0)
    assert receipt.verified == "md5 of 1 file equal at both ends"
    assert receipt.checksum.startswith("md5:")
    assert receipt.seconds > 0
    assert scene.records() == (receipt,)
    assert scene.job_names() == []
    assert scene.keys(HERE) == scene.keys(THERE) == FOREIGN
    assert "Source: sshftp://dtn@127.0.0.1:22/data/" in stored_log(scene)


@pytest.mark.parametrize(("algorithm", "verify"), [("sha256", "checksum"), ("md5", "size"), ("md5", "none")])
def test_it_is_verified_as_declared(scene: TransferWorld, algorithm: str, verify: str) -> None:
    scene.start(algorithm=algorithm, verify=verify)
    receipt = scene.finish(algorithm=algorithm, verify=verify)
    expected = {"checksum": f"{algorithm} of 1 file equal at both ends", "size": "sizes of 1 file equal at both ends"}
    assert receipt.verified == expected.get(verify, "nothing was compared, as asked for")
    sums = {"checksum": [f"{algorithm}sum"] * 2, "size": [], "none": []}[verify]
    looks_after = 0 if verify == "none" else 2
    assert sorted(scene.commands) == sorted(
        ["timeout", "sh", *["cat"] * 4, *["find"] * 2, *["readlink"] * 2, *sums, *["stat"] * (2 + looks_after)]
    )


def test_a_source_that_is_not_what_is_expected_is_not_tried_again(scene: TransferWorld) -> None:
    expected = f"md5:{'0' * 32}"
    scene.start(expected=expected, retries="3")
    with pytest.raises(TransferError, match="the source is not what is expected: it has md5:"):
        scene.finish(expected=expected, retries="3")
    assert scene.job_starts() == 1


def test_an_algorithm_that_is_left_to_the_size_is_named_in_the_receipt(scene: TransferWorld) -> None:
    scene.start(algorithm="auto")
    receipt = scene.finish(algorithm="auto")
    assert receipt.verified == "md5 of 1 file equal at both ends"
    assert receipt.checksum.startswith("md5:")


def test_times_are_set_at_the_destination_when_all_has_arrived(scene: TransferWorld) -> None:
    scene.start(preserve_times="True", verify="none")
    assert scene.finish(preserve_times="True", verify="none").verdict == "succeeded"
    assert scene.touched == [[THERE, "-c", "-m", "-d", "@1", "--", "/data/out"]]


def test_times_that_cannot_be_set_are_a_failure_that_says_so(scene: TransferWorld) -> None:
    scene.cannot_touch = "touch: setting times of '/data/out': Operation not permitted\n"
    scene.start(preserve_times="True", verify="none", retries="3")
    with pytest.raises(
        TransferError, match="what was copied arrived, but its times could not be set: touch: setting times of '/data/out': O"
    ):
        scene.finish(preserve_times="True", verify="none", retries="3")
    assert scene.job_starts() == 1


def test_no_times_are_set_where_nothing_arrived(scene: TransferWorld) -> None:
    scene.copy.exit_code = 1
    scene.start(preserve_times="True")
    with pytest.raises(TransferError):
        scene.finish(preserve_times="True")
    assert scene.touched == []


def test_a_tree_is_compared_file_by_file(scene: TransferWorld) -> None:
    for name in ("a", "sub/b c", "sub/deep/d"):
        scene.files(HERE).write(f"/data/tree/{name}", name.encode())
    ends = scene.ends("/data/tree/", "/data/copy/")
    scene.start(ends=ends, recursive="True")
    receipt = scene.finish(ends=ends, recursive="True")
    assert (receipt.files, receipt.bytes, receipt.verified) == (3, 18, "md5 of 3 files equal at both ends")
    assert scene.files(THERE).read("/data/copy/sub/b c") == b"sub/b c"


def test_progress_is_told_up_to_all_bytes(scene: TransferWorld) -> None:
    scene.start()
    scene.finish()
    last = scene.progress[-1]
    assert (last.transfer, last.bytes, last.total, last.eta) == (TRANSFER, 1000, 1000, None)


def test_exit_code_0_with_a_short_file_is_a_failure(scene: TransferWorld) -> None:
    scene.copy.keep = 400
    scene.start()
    with pytest.raises(TransferError, match="the file has 400 bytes instead of 1000; at the destination are 400 of 1000 bytes"):
        scene.finish()
    (receipt,) = scene.records()
    assert (receipt.verdict, receipt.retryable, receipt.bytes) == ("failed", True, 400)
    assert scene.files(THERE).exists("/data/out"), "nothing of the user's is deleted"
    assert scene.job_names() == []


def test_the_same_size_with_another_content_is_a_failure(scene: TransferWorld) -> None:
    scene.copy.during = lambda: scene.files(THERE).write("/data/out", b"y" * 1000)
    scene.start()
    with pytest.raises(TransferError, match="the checksums of the file differ"):
        scene.finish()


def test_a_source_that_grows_meanwhile_is_a_failure(scene: TransferWorld) -> None:
    scene.copy.during = lambda: scene.files(HERE).write("/data/in", b"x" * 1500)
    scene.start()
    with pytest.raises(TransferError, match="the source changed while it was copied: the file had 1000 bytes before, 1500 bytes after"):
        scene.finish()


def test_a_failed_copy_says_why_and_what_is_there(scene: TransferWorld) -> None:
    scene.copy.exit_code, scene.copy.keep = 1, 0
    scene.copy.log = "500-globus_xio: System error in write: No space left on device\n"
    scene.start()
    with pytest.raises(TransferError, match=r"the disk at the destination is full \(exit code 1\); at the destination are 0 of 1000 bytes"):
        scene.finish()
    assert "No space left" in stored_log(scene)


def test_a_login_that_is_refused_is_named(scene: TransferWorld) -> None:
    source, destination = scene.ends()
    scene.start()
    scene.engines[HERE].wait(JOB, 10.0)
    scene.finish()
    scene.world.plan_faults(
        # the first one asks; the key is let in by one with others, then alone, then as a file
        *(Fault("status", match="POST /exec/*/start", endpoint=THERE, nth=nth, status=500, message="no command") for nth in (2, 3)),
        Fault("status", match=f"PUT /containers/{SERVICE}/archive", endpoint=THERE, status=500, message="read-only"),
    )
    with pytest.raises(TransferError, match=r"run \(generation 2, try 1\) was not started: .*read-only"):
        scene.start(generation=2, ends=(source, destination))
    assert scene.keys(HERE) == FOREIGN


def test_a_receipt_that_is_there_only_clears_away(scene: TransferWorld) -> None:
    scene.start()
    scene.engines[HERE].wait(JOB, 10.0)
    job = scene.engines[HERE].inspect(JOB)
    record = Attempt(
        TRANSFER, 1, 1, job.id, "2026-11-22T10:00:00Z", verdict="failed", cause="as it was", finished_at="2026-11-22T10:00:01Z"
    )
    write_record(scene.engines[HERE], SITE, record)
    assert scene.finish(wait=False) == record
    assert scene.job_names() == []
    assert scene.keys(HERE) == scene.keys(THERE) == FOREIGN
    with pytest.raises(TransferError, match=r"run \(generation 1, try 1\) failed: as it was"):
        scene.finish(wait=True)


def test_a_receipt_says_when_each_state_began_and_how_fast_it_was(scene: TransferWorld) -> None:
    scene.start()
    (claim,) = scene.records()
    job = scene.engines[HERE].inspect(scene.engines[HERE].inspect(JOB).id)
    receipt = scene.finish()
    assert replace(receipt, container="") != replace(claim, container="")
    assert (receipt.claimed_at, receipt.started_at) == (claim.claimed_at, job.started_at)
    assert receipt.started_at <= receipt.finished_at
    assert receipt.recorded_at == "2026-11-22T10:00:00Z"
    assert receipt.rate == receipt.bytes / receipt.seconds
    assert (receipt.exit_code, receipt.files, receipt.retransmits, receipt.image) == (0, 1, None, claim.image)


def test_a_try_that_only_the_mirror_knows_gets_the_record_that_its_result_is_unknown(scene: TransferWorld) -> None:
    with pytest.raises(TransferError, match=r"run \(generation 1, try 1\) unknown: its container and its result are gone"):
        scene.finish(wait=False)
    assert [(item.attempt, item.verdict) for item in scene.records()] == [(1, "unknown")]


def test_a_job_that_ended_without_us_is_judged_by_whoever_comes(scene: TransferWorld) -> None:
    scene.start()
    scene.engines[HERE].wait(JOB, 10.0)
    assert scene.finish(wait=False).verdict == "succeeded"


def test_a_job_whose_claim_is_lost_is_judged_all_the_same(scene: TransferWorld) -> None:
    scene.start()
    scene.engines[HERE].wait(JOB, 10.0)
    write_record(scene.engines[HERE], SITE, replace(scene.records()[0], released=True))
    scene.world.engine(HERE).state.host.pop("/var/lib/dtnctl/lab/records/run.g1a1.json")
    receipt = scene.finish(wait=False)
    assert receipt.verdict == "succeeded"
    assert receipt.claimed_at.startswith("20")


def test_a_job_whose_notes_are_lost_is_judged_by_what_is_there(scene: TransferWorld) -> None:
    scene.start()
    scene.engines[HERE].wait(JOB, 10.0)
    scene.files(HERE, JOB).remove("/root/dtnctl")
    receipt = scene.finish()
    assert (receipt.verdict, receipt.bytes) == ("succeeded", 1000)
    assert scene.keys(HERE) == scene.keys(THERE) == FOREIGN


def test_an_image_without_the_checksum_tool_is_no_success(scene: TransferWorld) -> None:
    scene.world.exec_programs.pop("sha512sum", None)
    scene.start(algorithm="sha512")
    with pytest.raises(TransferError, match=r"it ended well, but there are no checksums: lab\.demo on dtn1: .*sha512sum: not found"):
        scene.finish(algorithm="sha512")
    assert not scene.records()[0].retryable


def test_a_job_that_runs_in_spite_of_a_receipt_is_not_touched(scene: TransferWorld) -> None:
    scene.copy.hold = threading.Event()
    scene.start()
    write_record(scene.engines[HERE], SITE, replace(scene.records()[0], verdict="unknown", cause="somebody wrote this"))
    with pytest.raises(TransferError, match="has the receipt 'unknown' and still runs: somebody wrote this"):
        scene.finish()
    assert scene.engines[HERE].inspect(JOB).state == "running"


def test_a_running_job_is_not_judged(scene: TransferWorld) -> None:
    scene.copy.hold = threading.Event()
    scene.start()
    with pytest.raises(TransferError, match="still runs; its result is recorded by the apply after its end"):
        scene.finish(wait=False)
    assert scene.records()[0].verdict is None


def test_a_job_that_was_never_started_has_no_result(scene: TransferWorld) -> None:
    scene.world.plan_faults(Fault("status", match=f"POST /containers/{JOB}/start", status=500, message="no"))
    with pytest.raises(TransferError):
        scene.start()
    with pytest.raises(TransferError, match="was not started; apply again"):
        scene.finish()


def test_a_destination_that_cannot_be_asked_leaves_the_verdict_open(scene: TransferWorld) -> None:
    scene.start()
    scene.engines[HERE].wait(JOB, 10.0)
    scene.engines[THERE].stop(SERVICE, 1)
    with pytest.raises(
        TransferError, match=r"ended well, but lab.demo on dtn2 cannot be asked what is there: .*; apply again when it runs"
    ):
        scene.finish()
    assert scene.records()[0].verdict is None
    scene.engines[THERE].start(SERVICE)
    assert scene.finish(wait=False).verdict == "succeeded"


def test_a_failure_is_recorded_also_when_the_destination_cannot_be_asked(scene: TransferWorld) -> None:
    scene.copy.exit_code = 1
    scene.start()
    scene.engines[HERE].wait(JOB, 10.0)
    scene.engines[THERE].remove(SERVICE, force=True)
    with pytest.raises(TransferError, match="what is at the destination is unknown"):
        scene.finish()
    assert scene.records()[0].verdict == "failed"
    assert scene.job_names() == []


def test_keys_that_stay_because_an_endpoint_is_silent_go_with_the_next_apply(scene: TransferWorld) -> None:
    scene.copy.exit_code = 1
    scene.start()
    scene.engines[HERE].wait(JOB, 10.0)
    scene.world.plan_faults(
        Fault("status", match="POST /exec/*/start", endpoint=THERE, nth=0, status=500, message="no command"),
        Fault("reset", match=f"GET /containers/{SERVICE}/archive", endpoint=THERE, nth=0),
    )
    with pytest.raises(UnreachableError, match=r"failed, but its keys are still there: .*; the next apply clears them away"):
        scene.finish()
    scene.world.plan_faults()
    assert "dtnctl:lab/run.g1 a1" in scene.keys(THERE)
    assert scene.job_names() == [JOB]
    assert scene.finish(wait=False).verdict == "failed"
    assert scene.keys(THERE) == FOREIGN
    assert scene.job_names() == []


# --- retries ------------------------------------------------------------------------------------------------


def test_a_failure_that_may_pass_is_tried_again_after_a_growing_pause(scene: TransferWorld) -> None:
    scene.copy.exit_codes = [1, 1]
    scene.start(retries="3")
    receipt = scene.finish(retries="3")
    assert (receipt.attempt, receipt.verdict) == (3, "succeeded")
    assert [(item.attempt, item.verdict) for item in scene.records()] == [(1, "failed"), (2, "failed"), (3, "succeeded")]
    assert sum(scene.clock.pauses) == 5 + 10
    assert scene.job_starts() == 3
    assert scene.job_names() == []


def test_leases_are_held_only_for_the_moments_that_write(scene: TransferWorld) -> None:
    """A copy of hours kept others from the endpoints, and a retry started long after the lease was last looked at."""
    scene.copy.exit_codes = [1]
    scene.start(retries="1")
    scene.finish(retries="1")
    judged, started, judged_again = scene.moments
    assert (judged, started, judged_again) == ((JOB,), (), ("lab.run.g1a2",))


def test_it_is_not_tried_more_often_than_declared(scene: TransferWorld) -> None:
    scene.copy.exit_code = 1
    scene.start(retries="1")
    with pytest.raises(TransferError, match=r"run \(generation 1, try 2\) failed"):
        scene.finish(retries="1")
    assert scene.job_starts() == 2


def test_a_failure_that_does_not_pass_is_not_tried_again(scene: TransferWorld) -> None:
    scene.copy.exit_code, scene.copy.log = 1, "Unable to open file /data/out\nx: System error in open: Permission denied\n"
    scene.start(retries="3")
    with pytest.raises(TransferError, match="/data/out: Permission denied"):
        scene.finish(retries="3")
    assert scene.job_starts() == 1


def test_no_try_starts_after_the_deadline_of_all(scene: TransferWorld) -> None:
    scene.copy.exit_code = 1
    scene.start(retries="9", deadline="12.0")
    with pytest.raises(TransferError, match=r"run \(generation 1, try 2\) failed"):
        scene.finish(retries="9", deadline="12.0")
    assert scene.clock.seconds == 5  # the second pause would have ended after it


def test_containers_of_a_transfer_say_how_long_they_may_be_there(scene: TransferWorld) -> None:
    scene.start(deadline="60.0")
    assert scene.engines[HERE].inspect(JOB).labels[LABEL_DEADLINE] == "60"


def test_a_try_that_a_later_apply_would_start_too_late_is_recorded_as_failed(scene: TransferWorld) -> None:
    scene.copy.exit_code = 1
    scene.start(retries="1", deadline="60.0")
    scene.engines[HERE].wait(JOB, 10.0)
    with pytest.raises(TransferError):
        scene.finish(wait=False, retries="1", deadline="60.0")
    scene.clock.seconds = 100
    result = scene.start(2, retries="1", deadline="60.0")
    assert (result.started, result.text) == (False, "not finished within its deadline of 60 s; try 2 was not started")
    assert [(item.attempt, item.verdict, item.retryable) for item in scene.records()] == [(1, "failed", True), (2, "failed", False)]


def test_tries_that_a_found_receipt_leaves_are_used(scene: TransferWorld) -> None:
    scene.copy.exit_codes = [1]
    scene.start(retries="1")
    scene.engines[HERE].wait(JOB, 10.0)
    with pytest.raises(TransferError):
        scene.finish(wait=False, retries="1")
    receipt = scene.finish(wait=True, retries="1")
    assert (receipt.attempt, receipt.verdict) == (2, "succeeded")
    assert scene.engines[HERE].inspect(SERVICE).spec.image == IMAGE


def test_a_wish_to_stop_ends_the_pause(scene: TransferWorld) -> None:
    scene.copy.exit_code = 1
    scene.start(retries="1", backoff="1000.0")
    scene.engines[HERE].wait(JOB, 10.0)
    scene.stop.set()
    with pytest.raises(TransferError, match="failed; the next apply starts its next try"):
        scene.finish(retries="1", backoff="1000.0")
    assert scene.clock.seconds == 0
