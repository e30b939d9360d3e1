r"""iperf3: a measurement from memory to memory. Command lines, progress and verdict. Pure.

Its server takes one test and ends; what it received, to the byte, is in the JSON that it writes then. The client writes text, for
`--json-stream` exists from 3.17 on only and `-J` shows nothing before the end.

Traps: 3.12 with -J ends with exit code 0 although the port was refused (fixed in 3.14), so the exit code alone proves nothing; and
before 3.16 all streams of a client share one thread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dtnctl.model.tools import Iperf3Options
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Evidence, JobRequest, Judgement, Moved, Mover, ProgressReader
from dtnctl.movers.causes import find_cause, known
from dtnctl.movers.lines import Lines
from dtnctl.movers.verdict import failure, judge_end
from dtnctl.printable import plural

CONNECT_MILLISECONDS = 10_000
KNOWN = (
    known(r"unable to connect to server[^\n]*: Connection refused", "nothing listens on the port of the iperf3 server", retryable=True),
    known(r"unable to connect to server[^\n]*: (.+)", "the iperf3 server is not reached: {1}", retryable=True),
    known(r"the server is busy", "the iperf3 server is busy with another test", retryable=True),
    known(r"control socket has closed unexpectedly", "the connection ended: the server was killed", retryable=True),
    known(r"the server has terminated", "the server was ended", retryable=True),
    known(r"iperf3: (?:error - )?(.+)", "iperf3 says: {1}", retryable=True),
)
BITS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


class Iperf3(Mover):
    """iperf3."""

    def client(self, request: JobRequest) -> tuple[str, ...]:
        options, own = request.options, _own(request.options)
        place = ("-c", request.destination.data_host or request.destination.host, "-p", str(request.port))
        times = ("-t", f"{own.seconds:.0f}", "-i", "1", "--connect-timeout", str(CONNECT_MILLISECONDS))
        window = ("-w", str(options.tcp_buffer)) if options.tcp_buffer is not None else ()
        direction = ("--bidir",) if own.bidirectional else ("-R",) if own.reverse else ()
        rate = ("-b", str(options.max_rate * 1000 // options.parallelism)) if options.max_rate is not None else ()
        return ("iperf3", *place, *times, "-P", str(options.parallelism), *window, *rate, *direction, "-f", "k", "--forceflush")

    def server(self, request: JobRequest) -> tuple[str, ...]:
        return ("iperf3", "-s", "-1", "-J", "-p", str(request.port), "--forceflush")

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        return Reader(request.options.parallelism)

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        return judge_end(evidence, options) or _judge(evidence, _own(options))


MOVER = Iperf3()


def _own(options: TransferOptions) -> Iperf3Options:
    """Those of its file; the defaults where it has no `options:`."""
    return options.own if isinstance(options.own, Iperf3Options) else Iperf3Options()


def _judge(evidence: Evidence, own: Iperf3Options) -> Judgement:
    cause, retryable = find_cause(evidence.log, KNOWN) or ("", True)
    if evidence.exit_code != 0 or cause:
        return failure(evidence, f"{cause or 'iperf3 failed and does not say why'} (exit code {evidence.exit_code})", retryable=retryable)
    result = _result(evidence.server_log)
    if isinstance(result, str):
        return failure(evidence, f"it ended well, but {result}", retryable=True)
    sums = ("sum_sent",) if own.reverse else ("sum_received", "sum_sent_bidir_reverse") if own.bidirectional else ("sum_received",)
    try:
        moved = sum(int(result.get(name, {}).get("bytes", 0)) for name in sums)
        rate = sum(float(result.get(name, {}).get("bits_per_second", 0)) for name in sums) / 8
        retransmits = _retransmits(evidence.log, result)
    except (ValueError, OverflowError, TypeError, AttributeError):
        return failure(evidence, "it ended well, but the result of its server has no numbers where they belong", retryable=True)
    if moved <= 0:
        return failure(evidence, "it ended well, but the server counted no bytes", retryable=True)
    counted = "sent" if own.reverse else "received"
    verified = f"{counted} by the server, counted there; {plural(retransmits, 'retransmit')}"
    return Judgement("succeeded", bytes=moved, verified=verified, rate=rate or None, retransmits=retransmits)


def _result(log: str) -> dict[str, Any] | str:
    """The `end` of the server's result, or why there is none."""
    try:
        result = json.loads(log[log.index("{") : log.rindex("}") + 1])
    except (ValueError, RecursionError):
        return "its server wrote no result"
    if error := result.get("error"):
        return f"its server says: {error}"
    end: dict[str, Any] = result.get("end") or {}
    return end or "the result of its server is empty"


_SENDER = re.compile(r"(?m)^\[(?:SUM|\s*\d{1,18})\].*?bits/sec\s+(\d{1,18})\s+sender")


def _retransmits(log: str, result: Mapping[str, Any]) -> int:
    """Of the sender: the client says them in its last sender's line, a server that sent in its result."""
    lines = _SENDER.findall(log)
    return int(lines[-1]) if lines else int(result.get("sum_sent", {}).get("retransmits", 0))


_INTERVAL = re.compile(
    r"\[(SUM|\s*\d+)\](?:\[[TR]X-[CS]\])?\s+([\d.]+)-([\d.]+)\s+sec\s+(\d{1,18}(?:\.\d{1,18})?)\s+([KMGT]?)Bytes\s+(\d{1,18}(?:\.\d{1,18})?)\s+([KMGT]?)bits/sec(?!.*(?:sender|receiver)).*"
)


@dataclass(slots=True)
class Reader:
    """Adds up the intervals; with several streams those of their sum."""

    streams: int
    _lines: Lines = field(default_factory=Lines)
    _bytes: float = 0.0

    def feed(self, chunk: bytes) -> Moved | None:
        lines = self._lines.feed(chunk)
        wanted = "SUM" if self.streams > 1 else ""
        found = [match for line in lines if (match := _INTERVAL.fullmatch(line)) and (match[1] == "SUM") == bool(wanted)]
        if not found:
            return None
        self._bytes += sum(float(match[4]) * UNITS[match[5]] for match in found)
        rate = float(found[-1][6]) * BITS[found[-1][7]] / 8
        return Moved(int(self._bytes), rate, rate > 0)
