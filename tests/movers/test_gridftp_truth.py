"""What a receipt takes from the servers' transfer logs, and what it says when the client said something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Entry, Evidence, Judgement, Listing
from dtnctl.movers.gridftp import MOVER
from dtnctl.movers.gridftp_truth import NO_LOG

TREE = Listing("folder", {"a": Entry(6, "1"), "b": Entry(4, "1")})
UNCOMPARED = TransferOptions(recursive=True, verify="none")
BY_SIZE = TransferOptions(recursive=True, verify="size")


def line(kind: str, file: str, size: int, *, start: str = "00", end: str = "10", code: int = 226, retrans: str = "") -> str:
    """As the image's server writes it: the destination `STOR`, the source `RETR`."""
    return (
        f"DATE=202606010000{end}.000000 HOST=dtn1 PROG=globus-gridftp-server NL.EVNT=FTP_INFO START=202606010000{start}.000000 USER=dtn "
        f"FILE={file} BUFFER=0 BLOCK=262144 NBYTES={size} VOLUME=/ STREAMS=4 STRIPES=1 DEST=[10.0.0.2] TYPE={kind} CODE={code}{retrans}\n"
    )


BOTH = line("STOR", "/out/a", 6) + line("STOR", "/out/b", 4, start="10", end="20")


def judged(log: str, options: TransferOptions = BY_SIZE, exit_code: int = 0) -> Judgement:
    return MOVER.judge(Evidence(exit_code, "error: x", before=TREE, source=TREE, destination=TREE, server_log=log), options)


def test_rate_streams_and_retransmits_are_those_of_the_servers() -> None:
    sent = line("RETR", "/in/a", 6, retrans=" retrans=2,1") + line("RETR", "/in/b", 4)
    found = judged("ssh: Warning\n" + BOTH + sent)
    assert (found.verdict, found.rate, found.streams, found.retransmits) == ("succeeded", 0.5, 4, 3)
    times = "2026-06-01T00:00:00Z to 2026-06-01T00:00"
    received = f"destination received 2 files, 10 bytes, 4 streams, {times}:20Z"
    assert found.served == f"{received}; source sent 2 files, 10 bytes, 4 streams, {times}:10Z, 3 retransmits"


@pytest.mark.parametrize("log", ["", "ssh: Permission denied\n"])
def test_an_image_whose_server_writes_no_log_is_no_failure_and_is_named(log: str) -> None:
    found = judged(log)
    assert (found.verdict, found.served, found.rate, found.streams) == ("succeeded", NO_LOG, None, None)


def test_a_log_that_cannot_be_read_is_not_called_missing() -> None:
    known = Evidence(0, "", before=TREE, source=TREE, destination=TREE, server_log_problem="/root/log holds more than 256 MiB")
    found = MOVER.judge(known, BY_SIZE)
    assert (found.verdict, found.served) == ("succeeded", "the servers' log cannot be read: /root/log holds more than 256 MiB")


@pytest.mark.parametrize("log", [line("STOR", "/out/a", 6), line("STOR", "/out/a", 6) + line("STOR", "/out/b", 3)])
def test_a_difference_to_what_the_client_said_is_written_down(log: str) -> None:
    found = judged(log)
    assert found.verdict == "succeeded"
    assert found.served.endswith("Z; it differs: 2 files with 10 bytes were to be copied")


def test_where_nothing_is_compared_the_servers_word_decides() -> None:
    found = judged(line("STOR", "/out/a", 6) + line("STOR", "/out/b", 1, code=426), UNCOMPARED)
    assert (found.verdict, found.retryable, found.verified) == ("failed", True, "")
    assert found.cause.startswith("it ended well, but its server logged less than was to be copied: destination received 1 file, 7 bytes")
    assert "1 broken off" in found.cause


def test_a_file_that_was_restarted_is_one_file() -> None:
    log = line("STOR", "/out/a", 2, code=426) + line("ESTO", "/out/a", 4) + line("STOR", "/out/b", 4)
    found = judged(log, UNCOMPARED)
    assert (found.verdict, "differs" in found.served) == ("succeeded", False)


def test_files_that_stay_as_they_are_are_not_missed() -> None:
    options = replace(BY_SIZE, sync_level="size")
    evidence = Evidence(0, "", before=TREE, old=TREE, source=TREE, destination=TREE)
    only_a = replace(TREE, entries={**TREE.entries, "a": Entry(5, "0")})
    found = MOVER.judge(replace(evidence, old=only_a, server_log=line("STOR", "/out/a", 6)), options)
    assert (found.verdict, "differs" in found.served) == ("succeeded", False)


def test_a_failed_copy_keeps_what_the_servers_said() -> None:
    found = judged(line("STOR", "/out/a", 6, code=426), exit_code=1)
    assert (found.verdict, found.rate) == ("failed", None)
    assert found.served.startswith("destination received 0 files, 6 bytes")


def test_a_copy_that_took_no_time_has_no_rate() -> None:
    assert judged(line("STOR", "/out/a", 6, end="00") + line("STOR", "/out/b", 4, end="00")).rate is None
