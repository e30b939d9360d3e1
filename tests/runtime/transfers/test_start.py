"""Starting a transfer: once, with keys of its own, or not at all and with a reason."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from dtnctl.errors import EngineError, TransferError
from dtnctl.model.actions import FinishTransfer, StartTransfer
from dtnctl.model.ledger import Attempt, Requester, Verdict, encode_attempt, record_path
from dtnctl.model.resources import LABEL_KIND, LABEL_NAME, LABEL_SELF, ContainerSpec, ledger_name
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.providers.base import FileEntry
from dtnctl.runtime.transfers.joint_calls import JointCalls
from dtnctl.runtime.transfers.notes import read_notes
from dtnctl.runtime.transfers.record import write_record
from dtnctl.runtime.transfers.transfer import Waiting, await_transfer, start_transfer
from tests.fakes.engine import Fault
from tests.fakes.shell import no_shell
from tests.runtime.transfers.transfer_world import HERE, IMAGE, SERVICE, SITE, THERE, TRANSFER, TransferWorld, transfer_world

JOB = "lab.run.g1a1"


@pytest.fixture
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as scene:
        scene.files(HERE).write("/data/in", b"x" * 1000)
        yield scene


def test_it_starts_with_a_claim_that_names_its_container(scene: TransferWorld) -> None:
    started = scene.start()
    assert (started.started, started.text) == (True, "started: 1000 bytes in 1 file")
    job = scene.engines[HERE].inspect(JOB)
    (claim,) = scene.records()
    assert (claim.key, claim.container, claim.claimed_at) == ((TRANSFER, 1, 1), job.id, "2026-11-22T10:00:00Z")
    assert (claim.verdict, claim.released) == (None, False)


def test_a_claim_says_who_asked_from_which_commit_and_where(scene: TransferWorld) -> None:
    source, destination = scene.ends()
    action = StartTransfer(TRANSFER, 1, 1, "gridftp", source, destination, IMAGE, TransferOptions(parallelism=8))
    start_transfer(action, scene.engines, SITE, scene.clock, Requester("ops@host", "4f2c1e9", uncommitted=True))
    (claim,) = scene.records()
    assert (claim.who, claim.commit, claim.uncommitted) == ("ops@host", "4f2c1e9", True)
    assert (claim.endpoint, claim.tool, claim.source, claim.destination) == (HERE, "gridftp", "dtn1:/data/in", "dtn2:/data/out")
    assert (claim.image, claim.destination_image) == tuple(scene.engines[name].inspect(SERVICE).image_id for name in (HERE, THERE))
    assert (claim.streams, claim.engine) == (8, scene.engines[HERE].engine_id())
    assert claim.engine


def test_an_engine_that_refuses_to_say_its_id_is_no_obstacle(scene: TransferWorld) -> None:
    scene.world.plan_faults(Fault("status", match="GET /info", status=500, message="no"))
    assert scene.start().started
    assert scene.records()[0].engine == ""


def test_its_container_is_ours_in_the_services_network_and_never_restarted(scene: TransferWorld) -> None:
    scene.start()
    job = scene.engines[HERE].inspect(JOB)
    assert (job.labels[LABEL_KIND], job.labels[LABEL_NAME], job.labels[LABEL_SELF]) == ("transfer", TRANSFER, f"{HERE}/{JOB}")
    service = scene.engines[HERE].inspect(SERVICE)
    assert job.spec.network == f"container:{service.id}"
    assert (job.spec.image, job.spec.entrypoint, job.spec.init, job.spec.restart) == (IMAGE, ("/bin/sh",), True, "no")
    command = job.spec.command or ()
    assert command[-2:] == ("sshftp://dtn@127.0.0.1:22/data/in", "sshftp://dtn@10.0.0.2:30001/data/out")


def test_a_second_start_starts_nothing(scene: TransferWorld) -> None:
    scene.start()
    again = scene.start()
    assert not again.started
    assert again.text.startswith("already started at ")
    assert scene.job_starts() == 1


def test_with_a_receipt_nothing_is_started(scene: TransferWorld) -> None:
    scene.start()
    scene.finish()
    assert scene.start().text == "already ran, receipt found"
    assert scene.job_starts() == 1


def test_a_claim_whose_container_is_gone_is_not_started_again(scene: TransferWorld) -> None:
    write_record(scene.engines[HERE], SITE, Attempt(TRANSFER, 1, 1, "gone", claimed_at="2026-11-21T00:00:00Z"))
    result = scene.start()
    assert (result.started, result.text) == (
        False,
        "claimed at 2026-11-21T00:00:00Z, and its container is gone: it may have run; not started",
    )
    with pytest.raises(TransferError, match="unknown: its container and its result are gone"):
        scene.finish()
    assert scene.job_starts() == 0
    assert [(item.verdict, item.container) for item in scene.records()] == [("unknown", "gone")]


def test_the_keys_of_a_job_that_somebody_removed_go_with_its_receipt_and_those_of_others_stay(scene: TransferWorld) -> None:
    scene.start()
    (job,) = scene.job_names()
    scene.engines[HERE].remove(job, force=True)
    assert all(f"dtnctl:{SITE}/{TRANSFER}" in scene.keys(end) for end in (HERE, THERE))
    with pytest.raises(TransferError, match="unknown: its container and its result are gone"):
        scene.finish()
    assert scene.keys(HERE) == scene.keys(THERE) == "ssh-rsa FOREIGN someone else\n"


@pytest.mark.parametrize("gone", [HERE, THERE])
def test_an_unknown_transfer_is_closed_although_a_service_of_it_is_gone_with_its_keys(scene: TransferWorld, gone: str) -> None:
    scene.start()
    (job,) = scene.job_names()
    scene.engines[HERE].remove(job, force=True)
    scene.engines[gone].remove(SERVICE, force=True)
    with pytest.raises(TransferError, match="unknown: its container and its result are gone"):
        scene.finish()
    (other,) = {HERE, THERE} - {gone}
    assert scene.keys(other) == "ssh-rsa FOREIGN someone else\n"


def test_while_keys_cannot_be_taken_away_an_unknown_transfer_stays_open(scene: TransferWorld) -> None:
    scene.start()
    (job,) = scene.job_names()
    scene.engines[HERE].remove(job, force=True)
    scene.world.plan_faults(
        Fault("status", match="POST /exec/*/start", endpoint=THERE, nth=1, status=500, message="no command"),
        Fault("status", match="PUT /containers/*/archive", endpoint=THERE, nth=1, status=500, message="no"),
    )
    with pytest.raises(EngineError):
        scene.finish()
    assert [item.verdict for item in scene.records()] == [None]
    with pytest.raises(TransferError, match="unknown"):
        scene.finish()
    assert scene.keys(HERE) == scene.keys(THERE) == "ssh-rsa FOREIGN someone else\n"


def test_a_record_that_cannot_be_read_is_not_no_record(scene: TransferWorld) -> None:
    scene.engines[HERE].write_files(ledger_name(SITE), (FileEntry(record_path(TRANSFER, 1, 1), b"{broken"),))
    assert not scene.start().started
    with pytest.raises(TransferError, match=r"unknown: its record run\.g1a1\.json cannot be read"):
        scene.finish()


def test_without_the_ledger_nothing_is_started(scene: TransferWorld) -> None:
    scene.engines[HERE].remove(ledger_name(SITE))
    with pytest.raises(TransferError, match=r"the record of run on dtn1 cannot be read: lab\.control\.ledger is gone"):
        scene.start()
    assert scene.job_names() == []


def test_a_claim_that_cannot_be_written_starts_nothing_and_leaves_no_key(scene: TransferWorld) -> None:
    scene.world.plan_faults(Fault("status", match="PUT /containers/lab.control.ledger/archive", status=500, message="no space left"))
    with pytest.raises(TransferError, match=r"run \(generation 1, try 1\) was not started: the record of run on dtn1 cannot be written"):
        scene.start()
    assert scene.job_starts() == 0
    assert "dtnctl" not in scene.keys(HERE) + scene.keys(THERE)
    assert scene.start().started


def test_a_container_that_was_made_and_never_started_is_used(scene: TransferWorld) -> None:
    scene.world.plan_faults(Fault("status", match=f"POST /containers/{JOB}/start", status=500, message="no"))
    with pytest.raises(TransferError, match="was not started: "):
        scene.start()
    before = scene.engines[HERE].inspect(JOB).id
    scene.world.plan_faults()
    assert scene.start().started
    assert scene.engines[HERE].inspect(JOB).id == before
    assert scene.finish().verdict == "succeeded"


def test_one_that_was_made_for_something_else_is_released_and_made_anew(scene: TransferWorld) -> None:
    scene.world.plan_faults(Fault("status", match=f"POST /containers/{JOB}/start", status=500, message="no"))
    with pytest.raises(TransferError):
        scene.start()
    before = scene.engines[HERE].inspect(JOB).id
    scene.world.plan_faults()
    assert scene.start(parallelism="8").started
    after = scene.engines[HERE].inspect(JOB)
    assert after.id != before
    assert "8" in (after.spec.command or ())
    assert [claim.container for claim in scene.records()] == [after.id]


def test_a_name_that_somebody_else_holds_is_not_touched(scene: TransferWorld) -> None:
    foreign = scene.engines[HERE].create_container(JOB, ContainerSpec(image=IMAGE), ())
    with pytest.raises(TransferError, match="is taken by a container that is not ours"):
        scene.start()
    assert scene.engines[HERE].inspect(JOB).id == foreign


# --- keys ---------------------------------------------------------------------------------------------------


def test_the_key_is_let_in_at_both_ends_restricted_and_for_a_limited_time(scene: TransferWorld) -> None:
    scene.copy.hold = threading.Event()
    scene.start(deadline="3600.0")
    for endpoint in (HERE, THERE):
        foreign, line = scene.keys(endpoint).splitlines()
        assert foreign == "ssh-rsa FOREIGN someone else"
        # an hour of deadline and fifteen for time zones and clocks, without a zone
        assert re.fullmatch(r'restrict,expiry-time="20261123020000" ssh-ed25519 \S+ dtnctl:lab/run\.g1 a1', line)
    node = scene.world.container(THERE, SERVICE).files["/home/dtn/.ssh/authorized_keys2"]
    assert (node.mode, node.uid, node.gid) == (0o600, 31000, 31001)


def test_each_end_of_each_transfer_has_a_key_of_its_own(scene: TransferWorld) -> None:
    scene.start()
    scene.finish()
    scene.start(generation=2)
    scene.finish(generation=2)
    assert len(set(scene.copy.logins)) == 4, "one at each end"


def test_two_transfers_of_one_service_do_not_lose_each_others_keys(scene: TransferWorld) -> None:
    names = [f"run{number}" for number in range(4)]
    with ThreadPoolExecutor(len(names)) as pool:
        started = list(pool.map(lambda name: scene.start(transfer=name, ends=scene.ends(destination=f"/data/{name}")), names))
        assert all(result.started for result in started)
        receipts = list(pool.map(lambda name: scene.finish(transfer=name, ends=scene.ends(destination=f"/data/{name}")), names))
    assert [receipt.verdict for receipt in receipts] == ["succeeded"] * 4
    assert scene.keys(HERE) == scene.keys(THERE) == "ssh-rsa FOREIGN someone else\n"


def test_no_secret_is_in_a_label_an_argument_a_variable_a_log_or_a_record(scene: TransferWorld) -> None:
    secrets: list[bytes] = []

    def look() -> None:
        files = scene.files(HERE, JOB)
        secrets.extend(line for line in files.read("/root/dtnctl/id_destination").splitlines() if len(line) > 40)
        secrets.append(scene.keys(THERE).splitlines()[1].encode())
        secrets.append(scene.keys(THERE).splitlines()[1].split()[2].encode())

    scene.copy.during = look
    scene.start()
    job = scene.engines[HERE].inspect(JOB)
    shown = f"{job.labels} {job.spec}".encode()
    scene.engines[HERE].wait(JOB, 10.0)
    shown += b"".join(scene.engines[HERE].logs(JOB))
    assert not scene.files(HERE, JOB).exists("/root/dtnctl/id_destination"), "the job removes it itself"
    receipt = scene.finish()
    shown += encode_attempt(receipt) + b"".join(scene.engines[HERE].read_files(ledger_name(SITE), "/ledger").values())
    assert len(secrets) >= 4
    assert [secret for secret in secrets if secret in shown] == []


@pytest.mark.parametrize("endpoint", [HERE, THERE])
def test_an_image_that_cannot_compute_the_algorithm_is_named_before_anything_starts(scene: TransferWorld, endpoint: str) -> None:
    scene.lacks = endpoint
    with pytest.raises(TransferError, match=f"the image of lab.demo on {endpoint} has no xrdadler32 nor python3, which computes adler32"):
        scene.start(algorithm="adler32")
    assert scene.start(verify="size", algorithm="adler32").started, "then no checksum is needed"


def test_each_service_is_asked_by_one_command_and_another_one_lets_the_key_in(scene: TransferWorld) -> None:
    scene.answers_after = 0
    scene.start()
    for endpoint in (HERE, THERE):
        execs = [call for call in scene.world.calls() if call.startswith(f"{endpoint} POST /containers/{SERVICE}/exec")]
        assert len(execs) == (3 if endpoint == HERE else 2), execs  # the third one asks whether both ends take logins
        assert not [call for call in scene.world.calls() if call.startswith(f"{endpoint} GET /containers/{SERVICE}/archive")]


def test_without_a_shell_each_question_is_asked_alone_and_keys_are_files(scene: TransferWorld) -> None:
    scene.world.exec_programs["sh"] = no_shell
    assert scene.start().started
    assert all("dtnctl:lab/run.g1 a1" in scene.keys(endpoint) for endpoint in (HERE, THERE))
    receipt = scene.finish()
    assert (receipt.verdict, receipt.bytes, receipt.verified) == ("succeeded", 1000, "md5 of 1 file equal at both ends")
    assert all("dtnctl" not in scene.keys(endpoint) for endpoint in (HERE, THERE))


def test_who_has_started_it_reads_neither_its_notes_nor_its_record_to_wait_for_it(scene: TransferWorld) -> None:
    begun = scene.start().begun
    assert begun is not None
    assert begun.notes == read_notes(scene.engines[HERE], scene.engines[HERE].inspect(JOB))
    before = len(scene.world.calls())
    source, destination = scene.ends()
    action = FinishTransfer(TRANSFER, 1, 1, "gridftp", source, destination, TransferOptions(), True)
    waiting = Waiting(lambda _: None, threading.Event(), begun)
    assert await_transfer(action, scene.engines, SITE, scene.clock, waiting, scene.leased).verdict == "succeeded"
    reads = [call for call in scene.world.calls()[before:] if " GET " in call and "/archive" in call]
    assert reads == [f"{HERE} GET /containers/{JOB}/archive"]  # what the GridFTP servers logged
    asked = [call for call in scene.world.calls()[before:] if call == f"{HERE} HEAD /containers/{ledger_name(SITE)}/archive"]
    assert asked, "whether another run has recorded it meanwhile is asked"


@pytest.mark.parametrize("verdict", ["failed", "succeeded"])
def test_what_another_run_has_recorded_meanwhile_stays(scene: TransferWorld, verdict: Verdict) -> None:
    begun = scene.start().begun
    assert begun is not None
    other = replace(begun.claim, verdict=verdict, cause="another run wrote this")
    source, destination = scene.ends()
    action = FinishTransfer(TRANSFER, 1, 1, "gridftp", source, destination, TransferOptions(), True)
    write_record(scene.engines[HERE], SITE, other)
    waiting = Waiting(lambda _: None, threading.Event(), begun)
    if verdict == "succeeded":
        await_transfer(action, scene.engines, SITE, scene.clock, waiting, scene.leased)
    else:
        with pytest.raises(TransferError, match="another run wrote this"):
            await_transfer(action, scene.engines, SITE, scene.clock, waiting, scene.leased)
    assert scene.records() == (other,)


def test_logins_that_were_seen_to_be_possible_are_not_tried_for_each_transfer_of_a_run(scene: TransferWorld) -> None:
    source, destination = scene.ends()
    calls = JointCalls()
    for name in ("one", "two"):
        action = StartTransfer(name, 1, 1, "gridftp", source, destination, IMAGE, TransferOptions())
        assert start_transfer(action, scene.engines, SITE, scene.clock, calls=calls).started
    assert scene.commands.count("timeout") == 1


def test_what_was_begun_says_nothing_of_another_try(scene: TransferWorld) -> None:
    begun = scene.start().begun
    scene.finish()
    assert begun is not None
    scene.start(generation=2)
    source, destination = scene.ends()
    action = FinishTransfer(TRANSFER, 2, 1, "gridftp", source, destination, TransferOptions(), True)
    waiting = Waiting(lambda _: None, threading.Event(), begun)
    receipt = await_transfer(action, scene.engines, SITE, scene.clock, waiting, scene.leased)
    assert (receipt.generation, receipt.verdict) == (2, "succeeded")
