"""nuttcp: what both sides are asked to do, and what the client's output means. The output is from real runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.tools import NuttcpOptions
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Evidence, JobRequest, Judgement
from dtnctl.movers.nuttcp import MOVER
from tests.movers.jobs import SAMPLES, THERE, progress, request

OPTIONS = TransferOptions(own=NuttcpOptions())


def asked(own: NuttcpOptions, data_host: str = "10.1.0.2", tcp_buffer: int | None = None) -> JobRequest:
    return request(there=replace(THERE, data_host=data_host, listens=(50197, 50198, 50199)), own=own, parallelism=2, tcp_buffer=tcp_buffer)


def test_both_sides_have_a_control_port_and_a_port_for_each_stream_of_the_profile() -> None:
    """nuttcp's own choice would be 5000 and 5001 on."""
    measured = asked(NuttcpOptions(seconds=5.0), tcp_buffer=4194304)
    assert MOVER.client(measured) == (
        "nuttcp", "-t", "-T5", "-i1", "-fparse", "-N2", "-w4096", "-P50197", "-p50198", "10.1.0.2",
    )  # fmt: skip
    assert MOVER.server(measured) == ("nuttcp", "-1", "--nofork", "--no3rdparty", "-P50197", "-p50198")


def test_a_server_listens_on_ipv6_only_if_it_is_asked_to() -> None:
    measured = asked(NuttcpOptions(reverse=True), "fd00::2")
    assert MOVER.client(measured)[1:] == ("-r", "-T10", "-i1", "-fparse", "-N2", "-6", "-P50197", "-p50198", "fd00::2")
    assert "-6" in MOVER.server(measured)


@pytest.mark.parametrize(
    ("sample", "bytes_moved", "retransmits"),
    [
        ("nuttcp-N1.log", int(2225.8750 * 1024**2), 0),
        ("nuttcp-N2.log", int(788.2500 * 1024**2), None),
        ("nuttcp-reverse.log", int(689.6250 * 1024**2), None),
    ],
)
def test_the_last_line_is_what_was_received(sample: str, bytes_moved: int, retransmits: int | None) -> None:
    judged = MOVER.judge(Evidence(0, (SAMPLES / sample).read_text()), OPTIONS)
    verified = "counted where it was received" + ("; 0 retransmits" if retransmits == 0 else "")
    assert judged == Judgement("succeeded", bytes=bytes_moved, verified=verified, retransmits=retransmits)


@pytest.mark.parametrize(
    ("sample", "cause"),
    [
        ("nuttcp-refused.log", "the nuttcp server is not reached: Connection refused (exit code 1)"),
        ("nuttcp-data-refused.log", "a data port of the nuttcp server is not reached: Connection refused (exit code 1)"),
        ("nuttcp-killed.log", "the connection ended: the server was killed (exit code 1)"),
    ],
)
def test_a_failure_is_named_and_may_pass(sample: str, cause: str) -> None:
    judged = MOVER.judge(Evidence(1, (SAMPLES / sample).read_text()), OPTIONS)
    assert (judged.verdict, judged.cause, judged.retryable) == ("failed", cause, True)


@pytest.mark.parametrize(
    ("code", "log"),
    [(1, ""), (1, "nuttcp-t: v6.1.2: Error: odd words\n"), (0, "  2225.8750 MB of which nothing is said at the end\n")],
)
def test_a_server_that_was_killed_is_the_cause_where_the_client_knows_no_better(code: int, log: str) -> None:
    judged = MOVER.judge(Evidence(code, log, server_exit_code=137), OPTIONS)
    assert (judged.verdict, judged.retryable) == ("failed", True)
    assert judged.cause == f"the connection ended: the server was killed (exit code {code})"
    refused = (SAMPLES / "nuttcp-refused.log").read_text()
    assert "is not reached" in MOVER.judge(Evidence(1, refused, server_exit_code=137), OPTIONS).cause


@pytest.mark.parametrize(
    ("evidence", "cause"),
    [
        (Evidence(1, ""), "nuttcp failed and does not say why (exit code 1)"),
        (Evidence(0, "nuttcp-t: v6.1.2: Error: odd words\n"), "nuttcp says: odd words (exit code 0)"),
        (Evidence(0, ""), "it ended well, but its output has no result"),
        (Evidence(0, "megabytes=0.0000 real_seconds=3.01 rate_Mbps=0.0\n"), "it ended well, but its output has no result"),
    ],
)
def test_exit_code_0_without_a_result_is_no_success(evidence: Evidence, cause: str) -> None:
    assert MOVER.judge(evidence, OPTIONS).cause == cause


@pytest.mark.parametrize("piece", [9, 4096])
def test_its_seconds_add_up_to_less_than_the_whole(piece: int) -> None:
    found = progress(MOVER, "nuttcp-N2.log", piece)
    assert found[-1].bytes == int((296.1875 + 230.1875) * 1024**2)
    assert found[-1].rate == 1968.4236e6 / 8
