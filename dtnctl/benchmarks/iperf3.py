"""iperf3 for `dtnctl bench network`: the commands for both sides, and what their output says. Pure.

Both commands print the machine's CPU counters (`/proc/stat`) before and after, since work in interrupts is not the process's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GIGABYTE = 1e9  # bytes, as rates of networks are decimal
TICKS = 100  # of /proc/stat a second, on every Linux (USER_HZ)
IDLE_COLUMNS = (3, 4)  # of the line `cpu`: idle, iowait
BUSY_COLUMNS = 8  # user … steal; what follows is part of user already
NOT_FOUND = (126, 127)  # a shell's exit codes for a command that is not there
PATIENCE = 30  # seconds for a server beyond the test's own time
PROBES = 100  # a tenth of a second each
# Colon and port in hexadecimal as /proc/net/tcp has them, any remote end, state 0A: listens. No connection is made for the
# question: a server that serves one test would take it for the test.
LISTENS = (
    "n={probes}; until cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -qi ':{port:04X} 0*:0000 0A';"
    " do n=$((n - 1)); [ $n -gt 0 ] || exit 1; sleep 0.1; done"
)
COUNTED = "head -n 1 /proc/stat; {command}; code=$?; echo; head -n 1 /proc/stat; exit $code"


@dataclass(frozen=True, slots=True)
class Load:
    """What each test does. `seconds` of sending, `streams` TCP connections, `cpus` as `taskset -c` takes them (native only; empty: all)."""

    seconds: int
    streams: int
    cpus: str = ""


def server_script(load: Load, port: int) -> str:
    """A shell script for the receiving side: serves one test and ends, also where none comes."""
    return COUNTED.format(command=f"timeout {load.seconds + PATIENCE} {_pinned(load)}iperf3 -s -1 -J -p {port}")


def client_script(load: Load, address: str, port: int) -> str:
    """A shell script for the sending side."""
    test = f"iperf3 -c {address} -p {port} -P {load.streams} -t {load.seconds} --connect-timeout 5000 -J"
    return COUNTED.format(command=f"timeout {load.seconds + PATIENCE} {_pinned(load)}{test}")


def listening_script(port: int) -> str:
    """A shell script that ends with 0 as soon as a TCP server listens on the port, and with 1 after ten seconds."""
    return LISTENS.format(probes=PROBES, port=port)


def _pinned(load: Load) -> str:
    return f"taskset -c {load.cpus} " if load.cpus else ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One test that worked. `bits` a second as received; CPU in seconds per gigabyte (10^9 bytes) received.

    `sender` and `receiver` are the processes' own, by iperf3; `sender_host` and `receiver_host` those of the whole machines,
    with whatever else ran there; None where the machine does not show it.
    """

    bits: float
    retransmits: int
    sender: float
    receiver: float
    sender_host: float | None = None
    receiver_host: float | None = None


class FailedTestError(Exception):
    """A test that gave no figure; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a script of ours printed: iperf3's own text, and how many CPU seconds the machine spent meanwhile."""

    text: str
    busy: float | None


def read_output(stdout: str) -> Output:
    """Take the two lines of counters off iperf3's output."""
    lines = stdout.splitlines()
    first, last = (lines[0], lines[-1]) if len(lines) > 1 else ("", "")
    before, after = _busy(first), _busy(last)
    body = lines[before is not None : len(lines) - (after is not None)]
    busy = after - before if before is not None and after is not None else None
    return Output("\n".join(body), busy)


def _busy(line: str) -> float | None:
    """CPU seconds that were not idle, of the first line of /proc/stat; None if it is none."""
    words = line.split()
    if not words or words[0] != "cpu" or not all(word.isdecimal() for word in words[1:]):
        return None
    return sum(int(word) for column, word in enumerate(words[1 : BUSY_COLUMNS + 1]) if column not in IDLE_COLUMNS) / TICKS


def read_sample(client: str, server: str, exit_code: int, errors: str = "") -> Sample:
    """The figures of a test from what both scripts printed. FailedTestError says what went wrong.

    iperf3 3.12 with -J exits with 0 when it is refused: only a result without `error` and with received bytes counts.
    """
    sent, received = read_output(client), read_output(server)
    end = _end(_document(sent.text, exit_code, errors))
    gigabytes = _number(end, "sum_received", "bytes") / GIGABYTE
    if gigabytes <= 0:
        raise FailedTestError("iperf3 received nothing")
    seconds = _number(end, "sum_received", "seconds")
    return Sample(
        bits=gigabytes * GIGABYTE * 8 / seconds,
        retransmits=int(_number(end, "sum_sent", "retransmits", missing=0.0)),
        sender=_number(end, "cpu_utilization_percent", "host_total") / 100 * seconds / gigabytes,
        receiver=_number(end, "cpu_utilization_percent", "remote_total") / 100 * seconds / gigabytes,
        sender_host=None if sent.busy is None else sent.busy / gigabytes,
        receiver_host=None if received.busy is None else received.busy / gigabytes,
    )


def missing_program(exit_code: int, errors: str, program: str) -> str:
    """Why the program could not be started at all; empty if it could."""
    if exit_code in NOT_FOUND:
        return f"there is no {program} there: {errors.strip() or f'exit code {exit_code}'}"
    return ""


def why_silent(port: int, exit_code: int, stdout: str, errors: str) -> str:
    """Why no server listens on the port, from what its script printed."""
    said = " ".join((read_output(stdout).text + " " + errors).split())[-200:]
    return missing_program(exit_code, errors, "iperf3") or f"no server listens on port {port}: {said or f'exit code {exit_code}'}"


def _document(text: str, exit_code: int, errors: str) -> Mapping[str, Any]:
    if missing := missing_program(exit_code, errors, "iperf3"):
        raise FailedTestError(missing)
    try:
        document = json.loads(text)
    except ValueError:
        said = " ".join((text + errors).split()) or "nothing"
        raise FailedTestError(f"iperf3 ended with {exit_code} and printed {said[:200]}") from None
    if not isinstance(document, dict):
        raise FailedTestError("iperf3 printed no JSON object")
    if "error" in document:
        raise FailedTestError(f"iperf3: {document['error']}")
    return document


def _end(document: Mapping[str, Any]) -> Mapping[str, Any]:
    end = document.get("end")
    if not isinstance(end, dict) or "sum_received" not in end:
        raise FailedTestError("iperf3 reported no result")
    return end


def _number(end: Mapping[str, Any], group: str, name: str, missing: float | None = None) -> float:
    value = end.get(group, {}).get(name, missing)
    if not isinstance(value, int | float):
        raise FailedTestError(f"iperf3's result has no {group}.{name}")
    return float(value)
