"""iperf3: what its output and its server's result say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.actions import JobEnd
from dtnctl.model.tools import Iperf3Options
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Evidence, JobRequest
from dtnctl.movers.iperf3 import MOVER

SAMPLES = Path(__file__).parent / "samples"
HERE = JobEnd("a", "lab.s", "", "127.0.0.1", 22, "dtn")
THERE = JobEnd("b", "lab.s", "", "10.0.0.2", 22, "dtn", data_host="10.1.0.2", data_ports=(50100, 50199), listens=(50199,))
OPTIONS = TransferOptions(parallelism=4, own=Iperf3Options(5.0))
SERVER = (SAMPLES / "iperf3-P4.json").read_text()
WELL = Evidence(0, (SAMPLES / "iperf3-P4-text.txt").read_text(), server_log=SERVER, server_exit_code=0)


def request(**own: bool) -> JobRequest:
    return JobRequest(HERE, THERE, replace(OPTIONS, tcp_buffer=65536, own=Iperf3Options(5.0, **own)))


def test_client_and_server_meet_on_the_ports_of_the_attempt() -> None:
    assert MOVER.server(request()) == ("iperf3", "-s", "-1", "-J", "-p", "50199", "--forceflush")
    assert MOVER.client(request()) == (
        *("iperf3", "-c", "10.1.0.2", "-p", "50199", "-t", "5", "-i", "1", "--connect-timeout", "10000"),
        *("-P", "4", "-w", "65536", "-f", "k", "--forceflush"),
    )
    assert "-R" in MOVER.client(request(reverse=True))
    assert "--bidir" in MOVER.client(request(bidirectional=True))


def test_the_rate_of_all_streams_is_shared_by_them() -> None:
    limited = MOVER.client(JobRequest(HERE, THERE, replace(OPTIONS, max_rate=1_000_000)))
    assert limited[limited.index("-b") + 1] == "250000000"


@pytest.mark.parametrize(("streams", "sample", "intervals"), [(1, "iperf3-text.txt", 5), (4, "iperf3-P4-text.txt", 3)])
def test_progress_is_the_sum_of_the_intervals_and_not_of_the_result(streams: int, sample: str, intervals: int) -> None:
    reader = MOVER.reader(JobRequest(HERE, THERE, TransferOptions(parallelism=streams)), {})
    moved = [found for line in (SAMPLES / sample).read_bytes().splitlines(keepends=True) if (found := reader.feed(line)) is not None]
    assert len(moved) == intervals
    assert 5e9 < moved[-1].bytes < 13e9
    assert all(item.rate is not None and item.rate > 1e9 and item.is_moving for item in moved)


def test_a_line_in_two_pieces_counts_once() -> None:
    reader = MOVER.reader(JobRequest(HERE, THERE, TransferOptions(parallelism=1)), {})
    assert reader.feed(b"[  5]   0.00-1.00   sec  1.00 MBytes  8000 Kb") is None
    moved = reader.feed(b"its/sec    0    507 KBytes\n")
    assert moved is not None
    assert (moved.bytes, moved.rate) == (1024**2, 1_000_000.0)


def test_the_bytes_are_those_that_the_server_received() -> None:
    judged = MOVER.judge(WELL, OPTIONS)
    assert (judged.verdict, judged.bytes) == ("succeeded", json.loads(SERVER)["end"]["sum_received"]["bytes"])
    assert judged.verified.startswith("received by the server, counted there; ")


def test_in_reverse_they_are_those_that_the_server_sent() -> None:
    judged = MOVER.judge(WELL, replace(OPTIONS, own=Iperf3Options(5.0, reverse=True)))
    assert judged.bytes == json.loads(SERVER)["end"]["sum_sent"]["bytes"]
    assert judged.verified.startswith("sent by the server")


def test_a_refused_port_is_a_failure_although_iperf3_3_12_with_json_ends_with_exit_code_0() -> None:
    refused = Evidence(0, (SAMPLES / "iperf3-refused.json").read_text(), server_log="")
    assert MOVER.judge(refused, OPTIONS).verdict == "failed"
    text = replace(
        refused,
        exit_code=1,
        log="iperf3: error - unable to connect to server - server may have stopped running, etc.: Connection refused\n",
    )
    judged = MOVER.judge(text, OPTIONS)
    assert (judged.cause, judged.retryable) == ("nothing listens on the port of the iperf3 server (exit code 1)", True)


@pytest.mark.parametrize(
    ("server_log", "cause"),
    [
        ("", "its server wrote no result"),
        ("{ not json }", "its server wrote no result"),
        ('{"end": {}}', "the result of its server is empty"),
        ('{"error": "unable to receive parameters"}', "its server says: unable to receive parameters"),
        ('{"end": {"sum_received": {"bytes": 0}}}', "the server counted no bytes"),
    ],
)
def test_without_bytes_that_the_server_counted_it_is_no_success(server_log: str, cause: str) -> None:
    judged = MOVER.judge(replace(WELL, server_log=server_log), OPTIONS)
    assert (judged.verdict, judged.cause, judged.retryable) == ("failed", f"it ended well, but {cause}", True)


def test_a_failure_without_words_says_so() -> None:
    assert MOVER.judge(replace(WELL, exit_code=3, log=""), OPTIONS).cause == "iperf3 failed and does not say why (exit code 3)"
