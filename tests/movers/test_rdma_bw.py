"""ib_write_bw: what both sides are asked to do, and what the client's output means. The output is from real runs over rxe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.tools import RdmaBwOptions
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Evidence, Judgement, Moved
from dtnctl.movers.rdma_bw import MOVER
from tests.movers.jobs import SAMPLES, THERE, request

OPTIONS = TransferOptions(own=RdmaBwOptions())


def test_both_sides_are_asked_alike_and_connect_by_the_connection_manager() -> None:
    measured = request(own=RdmaBwOptions(seconds=3.0, bidirectional=True, message_size=4096), parallelism=2)
    words = ("measure", "33", "-R", "-F", "--report_gbits", "-D", "3", "-s", "4096", "-q", "2", "-b", "-p", "50199")
    assert MOVER.server(measured)[3:] == words
    assert MOVER.client(measured)[3:] == (*words, "10.1.0.2")
    assert MOVER.client(replace(measured, destination=replace(THERE, data_host="")))[-1] == "10.0.0.2"


def test_its_listener_and_its_connections_are_those_of_the_connection_manager() -> None:
    measured = request(own=RdmaBwOptions())
    assert "state LISTEN .*src-addr [^ ]*:50199" in MOVER.listening(measured)[2]
    assert "state CONNECT .*src-addr [^ ]*:50199" in MOVER.connected(measured)[2]


def test_its_last_line_is_what_was_acknowledged() -> None:
    found = MOVER.judge(Evidence(0, (SAMPLES / "ib_write_bw.log").read_text()), OPTIONS)
    rate = 0.049221e9 / 8
    assert found == Judgement("succeeded", bytes=282 * 65536, verified="acknowledged by the destination's card", rate=rate)


@pytest.mark.parametrize(
    ("log", "cause", "retryable"),
    [
        ("ib_write_bw-refused.log", "nothing listens on the port of the ib_write_bw server", True),
        (
            "ib_write_bw-memlock.log",
            "its buffers cannot be locked in memory: write `limits: {memlock: -1}` in the session's profile",
            False,
        ),
        ("ib_write_bw-killed.log", "ib_write_bw failed and does not say why", True),
    ],
)
def test_a_failure_is_named_and_a_result_is_not_enough(log: str, cause: str, retryable: bool) -> None:
    """A client whose server was killed writes a result, too."""
    found = MOVER.judge(Evidence(1, (SAMPLES / log).read_text()), OPTIONS)
    assert (found.verdict, found.cause, found.retryable) == ("failed", f"{cause} (exit code 1)", retryable)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("ib_write_bw did not end in its time", "the connection ended: the server was killed, or no data came"),
        ("no verbs device is in the container", "the session has no verbs device"),
    ],
)
def test_what_its_script_says_is_a_cause(words: str, cause: str) -> None:
    assert MOVER.judge(Evidence(1, f"{words}\n"), OPTIONS).cause == f"{cause} (exit code 1)"


def test_progress_is_its_result() -> None:
    reader = MOVER.reader(request(own=RdmaBwOptions()), {})
    assert reader.feed(b" #bytes     #iterations    BW peak[Gb/sec]\n") is None
    assert reader.feed((SAMPLES / "ib_write_bw.log").read_bytes()) == Moved(282 * 65536, 0.049221e9 / 8, is_moving=True)
