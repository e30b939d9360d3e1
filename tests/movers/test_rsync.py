"""rsync: its command line, and what its output says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.actions import JobEnd
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Access, Entry, Evidence, JobRequest, Listing, Login
from dtnctl.movers.rsync import CUT_OFF, KEPT, MOVER

SAMPLES = Path(__file__).parent / "samples"
HERE = JobEnd("a", "lab.s", "/data/in", "127.0.0.1", 22, "dtn")
THERE = JobEnd("b", "lab.s", "/data/out", "fd00::2", 30001, "dtn")


def test_it_logs_in_at_the_destination_with_its_own_key_and_skips_nothing() -> None:
    options = TransferOptions(recursive=True, links="follow", stall_timeout=60)
    command = MOVER.client(JobRequest(HERE, THERE, options, folder="/dtnctl"))
    assert command == (
        *("rsync", "--recursive", "--copy-links", "--times", "--ignore-times", "--whole-file", "--mkpath", "--secluded-args"),
        *("--no-human-readable", "--info=progress2,stats2", "--no-inc-recursive", "--timeout=90", "-e"),
        "ssh -F /dtnctl/ssh_config -o HostKeyAlias=destination -i /dtnctl/id_destination -p 30001",
        *("/data/in", "dtn@[fd00::2]:/data/out"),
    )
    access = Access({"destination": Login(THERE, b"PRIVATE", "ssh-ed25519 B")}, "")
    files = {file.path for file in MOVER.client_files(JobRequest(HERE, THERE, options, folder="/dtnctl"), access)}
    assert files == {"/dtnctl/id_destination", "/dtnctl/ssh_config", "/dtnctl/known_hosts"}


def test_a_try_that_others_may_follow_keeps_what_it_began_and_the_next_one_sends_the_rest() -> None:
    first = MOVER.client(JobRequest(HERE, THERE, TransferOptions(retries=1)))
    assert {"--whole-file", "--partial-dir=.dtnctl-partial"} < set(first)
    second = MOVER.client(JobRequest(HERE, THERE, TransferOptions(retries=1), is_retry=True))
    assert set(first) - set(second) == {"--whole-file"}


def test_what_was_there_already_is_counted_for_all_runs() -> None:
    log = "Literal data: 5 bytes\nMatched data: 1,000 bytes\nFile list size: 0\nMatched data: 20 bytes\n"
    there = Listing("file", {"": Entry(5000, "1")})
    evidence = Evidence(0, log, before=there, source=there, destination=there)
    assert MOVER.judge(evidence, TransferOptions(verify="size")).resumed == 1020
    assert MOVER.judge(replace(evidence, log=""), TransferOptions(verify="size")).resumed == 0


def test_progress_has_bytes_and_a_rate_in_powers_of_1024() -> None:
    reader = MOVER.reader(JobRequest(HERE, THERE, TransferOptions()), {})
    moved = [found for line in (SAMPLES / "rsync-progress2.stdout").read_bytes().splitlines(True) if (found := reader.feed(line))]
    assert [item.bytes for item in moved[:2]] == [32768, 197230592]
    assert moved[-1].bytes == 2147483648
    assert moved[1].rate == pytest.approx(188.06 * 1024**2)
    assert moved[1].is_moving


WELL = Evidence(0, "", before=Listing("file", {"": Entry(5, "1")}), destination=Listing("missing"))


@pytest.mark.parametrize(
    ("log", "code", "cause", "retryable"),
    [
        ('rsync: [receiver] write failed on "/small/x": No space left on device (28)', 11, "the disk at the destination is full", False),
        ("ssh: connect to host b port 30001: Connection refused\nrsync: connection unexpectedly closed (0 bytes)", 255,
         "nothing listens on control port 30001 of b", True),
        ("dtn@b: Permission denied (publickey).", 255,
         "the login of dtn@b was refused: its sshd must read ~/.ssh/authorized_keys2, and the account must not be locked", False),
        ("bash: line 1: rsync: command not found", 127, "its program cannot be run in the image", False),
        ("rsync: connection unexpectedly closed (60 bytes received so far) [sender]", 12, CUT_OFF, True),
        ("rsync error: error in socket IO (code 10) at io.c(823) [sender=3.2.7]", 10, CUT_OFF, True),
        ("rsync error: some files vanished before they could be transferred (code 24) at main.c", 24,
         "rsync says: some files vanished before they could be transferred", True),
        ("", 5, "rsync failed and does not say why", True),
    ],
)  # fmt: skip
def test_a_failure_says_why(log: str, code: int, cause: str, retryable: bool) -> None:
    judged = MOVER.judge(replace(WELL, exit_code=code, log=log), TransferOptions())
    assert (judged.verdict, judged.cause, judged.retryable) == (
        "failed", f"{cause} (exit code {code}); nothing is at the destination", retryable,
    )  # fmt: skip


@pytest.mark.parametrize(("code", "retries", "is_said"), [(11, 3, True), (20, 3, True), (11, 0, False), (255, 3, False)])
def test_what_is_kept_for_a_next_try_is_said(code: int, retries: int, is_said: bool) -> None:
    judged = MOVER.judge(replace(WELL, exit_code=code), TransferOptions(retries=retries))
    assert judged.cause.endswith(KEPT) is is_said


def test_a_rate_is_given_in_bytes_per_second() -> None:
    assert "--bwlimit=1000000B" in MOVER.client(JobRequest(HERE, THERE, TransferOptions(max_rate=8000)))
