r"""nuttcp: a measurement from memory to memory. Command lines, progress and verdict. Pure.

Its server takes one client and ends (-1). The control connection has a port of its own, and each stream another one, from the second on;
a server would take 5000 and 5001 on, which no profile has opened. Output is `megabytes=… real_sec=…` a second and a last line with
`real_seconds=`, which is what was received; its megabytes are powers of 1024. Seen with nuttcp 6.1.2: with -N 1 alone it says retransmits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dtnctl.model.tools import NuttcpOptions
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Evidence, JobRequest, Judgement, Moved, Mover, ProgressReader
from dtnctl.movers.causes import find_cause, known
from dtnctl.movers.lines import Lines
from dtnctl.movers.verdict import KILLED, failure, judge_end
from dtnctl.printable import plural

MEGABYTE = 1024**2
SERVER_KILLED = "the connection ended: the server was killed"
KNOWN = (
    known(r"Error: connect: (.+)", "a data port of the nuttcp server is not reached: {1}", retryable=True),
    known(r"connect failed: (.+)", "the nuttcp server is not reached: {1}", retryable=True),
    known(r"Connection reset|Broken pipe|server aborted|error from server", SERVER_KILLED, retryable=True),
)
KNOWN_NO_BETTER = (known(r"nuttcp\S*: v\S+: (?:Error: )?(.+)", "nuttcp says: {1}", retryable=True),)


class Nuttcp(Mover):
    """nuttcp."""

    def client(self, request: JobRequest) -> tuple[str, ...]:
        options, own = request.options, _own(request.options)
        direction = "-r" if own.reverse else "-t"
        times = (f"-T{own.seconds:.0f}", "-i1", "-fparse")
        window = (f"-w{max(1, options.tcp_buffer // 1024)}",) if options.tcp_buffer is not None else ()
        host = request.destination.data_host or request.destination.host
        return ("nuttcp", direction, *times, f"-N{options.parallelism}", *window, *_ports(request), host)

    def server(self, request: JobRequest) -> tuple[str, ...]:
        return ("nuttcp", "-1", "--nofork", "--no3rdparty", *_ports(request))

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        return Reader()

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        return judge_end(evidence, options) or _judge(evidence)


MOVER = Nuttcp()


def _own(options: TransferOptions) -> NuttcpOptions:
    """Those of its file; the defaults where it has no `options:`."""
    return options.own if isinstance(options.own, NuttcpOptions) else NuttcpOptions()


def _ports(request: JobRequest) -> tuple[str, ...]:
    control, first, *_ = request.destination.listens
    version = ("-6",) if ":" in request.destination.data_host else ()
    return (*version, f"-P{control}", f"-p{first}")


_INTERVAL = re.compile(r"\s*megabytes=(\d{1,18}(?:\.\d{1,18})?) real_sec=(\d{1,18}\.\d{1,18}) rate_Mbps=(\d{1,18}(?:\.\d{1,18})?).*")
_TOTAL = re.compile(r"(?m)^\s*megabytes=(\d{1,18}(?:\.\d{1,18})?) real_seconds=\d[^\n]*?(?:retrans=(\d{1,18})[^\n]*)?$")


def _judge(evidence: Evidence) -> Judgement:
    killed = (SERVER_KILLED, True) if evidence.server_exit_code == KILLED else None
    cause, retryable = find_cause(evidence.log, KNOWN) or killed or find_cause(evidence.log, KNOWN_NO_BETTER) or ("", True)
    if evidence.exit_code != 0 or cause:
        return failure(evidence, f"{cause or 'nuttcp failed and does not say why'} (exit code {evidence.exit_code})", retryable=retryable)
    total = _TOTAL.search(evidence.log)
    moved = int(float(total[1]) * MEGABYTE) if total is not None else 0
    if total is None or moved == 0:
        return failure(evidence, "it ended well, but its output has no result", retryable=True)
    retransmits = int(total[2]) if total[2] is not None else None
    resent = f"; {plural(retransmits, 'retransmit')}" if retransmits is not None else ""
    return Judgement("succeeded", bytes=moved, verified=f"counted where it was received{resent}", retransmits=retransmits)


@dataclass(slots=True)
class Reader:
    """Adds up the seconds; each is of all streams together."""

    _lines: Lines = field(default_factory=Lines)
    _megabytes: float = 0.0

    def feed(self, chunk: bytes) -> Moved | None:
        lines = self._lines.feed(chunk)
        found = [match for line in lines if (match := _INTERVAL.fullmatch(line))]
        if not found:
            return None
        self._megabytes += sum(float(match[1]) for match in found)
        rate = float(found[-1][3]) * 1e6 / 8
        return Moved(int(self._megabytes * MEGABYTE), rate, rate > 0)
