"""iperf3's commands and output. samples/: written by iperf3 3.12 between two containers, and by one that was refused."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from dtnctl.benchmarks.iperf3 import (
    FailedTestError,
    Load,
    client_script,
    listening_script,
    read_output,
    read_sample,
    server_script,
    why_silent,
)

SAMPLES = Path(__file__).parent / "samples"
P4, REFUSED = (SAMPLES / f"iperf3-{name}.json" for name in ("P4", "refused"))
BEFORE = "cpu  100 0 200 1000 50 10 40 0 7 0"
AFTER = "cpu  600 0 700 2000 90 60 140 0 9 0"  # 500 + 500 + 50 + 100 ticks that were not idle: 11.5 s
LOAD = Load(seconds=5, streams=4)


def framed(body: str, before: str = BEFORE, after: str = AFTER) -> str:
    return f"{before}\n{body}\n\n{after}\n"


def test_rate_is_that_of_the_receiver_and_cpu_is_by_gigabyte_received() -> None:
    sample = read_sample(framed(P4.read_text()), framed("{}"), 0)
    gigabytes = 10963386368 / 1e9
    assert sample.bits == pytest.approx(17526916418.155617)
    assert sample.retransmits == 391
    assert sample.sender == pytest.approx(0.423723957439026 * 5.004137 / gigabytes)
    assert sample.receiver == pytest.approx(0.666273058689687 * 5.004137 / gigabytes)
    assert sample.sender_host == sample.receiver_host == pytest.approx(11.5 / gigabytes)


def test_without_the_machines_counters_the_processes_own_are_left() -> None:
    sample = read_sample(P4.read_text(), "", 0)
    assert (sample.sender_host, sample.receiver_host) == (None, None)


def test_iperf3_3_12_that_was_refused_and_exits_with_0_is_a_failure() -> None:
    with pytest.raises(FailedTestError, match="iperf3: unable to connect to server: Connection refused"):
        read_sample(framed(REFUSED.read_text()), framed("{}"), 0)


@pytest.mark.parametrize(
    ("body", "exit_code", "errors", "why"),
    [
        ("", 127, "sh: iperf3: not found\n", "there is no iperf3 there: sh: iperf3: not found"),
        ("", 126, "", "there is no iperf3 there: exit code 126"),
        ("iperf3: error - something", 1, "and more\n", "iperf3 ended with 1 and printed iperf3: error - something"),
        ("", 124, "", "iperf3 ended with 124 and printed nothing"),
        ("[]", 0, "", "iperf3 printed no JSON object"),
        ('{"end": {}}', 0, "", "iperf3 reported no result"),
        ("{}", 0, "", "iperf3 reported no result"),
        ('{"end": {"sum_received": {}}}', 0, "", "iperf3's result has no sum_received.bytes"),
        ('{"end": {"sum_received": {"bytes": 0, "seconds": 5}}}', 0, "", "iperf3 received nothing"),
    ],
)
def test_what_is_no_result_says_why(body: str, exit_code: int, errors: str, why: str) -> None:
    with pytest.raises(FailedTestError, match=f"^{re.escape(why)}"):
        read_sample(framed(body), framed("{}"), exit_code, errors)


def test_a_result_without_retransmits_has_none() -> None:
    document = json.loads(P4.read_text())
    del document["end"]["sum_sent"]["retransmits"]
    assert read_sample(json.dumps(document), "", 0).retransmits == 0


@pytest.mark.parametrize("line", ["", "cpu0 1 2 3", "cpu one two", "intr 5"])
def test_a_first_line_that_is_no_counter_belongs_to_the_output(line: str) -> None:
    assert read_output(f"{line}\nx\n{AFTER}\n").busy is None
    assert read_output(f"{line}\nx\n{AFTER}\n").text == f"{line}\nx"


def test_both_scripts_count_the_machines_time_and_end_by_themselves() -> None:
    client, server = client_script(LOAD, "10.20.0.12", 5201), server_script(LOAD, 5201)
    assert "timeout 35 iperf3 -c 10.20.0.12 -p 5201 -P 4 -t 5 --connect-timeout 5000 -J; code=$?" in client
    assert "timeout 35 iperf3 -s -1 -J -p 5201; code=$?" in server
    assert "timeout 35 taskset -c 2-3 iperf3 -s" in server_script(Load(5, 4, "2-3"), 5201)


def test_a_script_prints_counters_around_the_output_and_keeps_the_exit_code() -> None:
    script = server_script(LOAD, 5201).replace("timeout 35 iperf3 -s -1 -J -p 5201", "sh -c 'echo {}; exit 3'")
    ran = subprocess.run(["sh", "-c", script], text=True, capture_output=True, check=False)
    assert ran.returncode == 3
    assert read_output(ran.stdout).text.strip() == "{}"
    assert read_output(ran.stdout).busy is not None


def test_listening_is_seen_without_a_connection() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        assert subprocess.run(["sh", "-c", listening_script(port)], check=False).returncode == 0
        with pytest.raises(BlockingIOError):
            server.accept()
    gone = listening_script(port).replace("n=100", "n=1")
    assert subprocess.run(["sh", "-c", gone], check=False).returncode == 1


@pytest.mark.parametrize(
    ("exit_code", "stdout", "errors", "why"),
    [
        (127, framed(""), "sh: iperf3: not found", "there is no iperf3 there: sh: iperf3: not found"),
        (1, framed('{"error": "address in use"}'), "", 'no server listens on port 5201: {"error": "address in use"}'),
        (124, "", "", "no server listens on port 5201: exit code 124"),
    ],
)
def test_a_server_that_does_not_listen_says_why(exit_code: int, stdout: str, errors: str, why: str) -> None:
    assert why_silent(5201, exit_code, stdout, errors) == why
