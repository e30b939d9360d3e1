r"""rdma_bw: ib_write_bw of perftest, a measurement of RDMA writes from memory to memory. Command lines and verdict. Pure.

Both sides connect by the RDMA connection manager (-R): the kernel chooses device, port and GID by the route to the address, as it does
for every other tool. Such a listener is in no list of TCP sockets, so `rdma resource` of iproute2 is asked. The client says how much it has
written once, at its end; with reliable connections a write counts when the other side's card has acknowledged it. A client whose server
was killed writes a result, too, and then waits for ever: seen with perftest 4.5 over rxe.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dtnctl.model.tools import RdmaBwOptions
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Evidence, JobRequest, Judgement, Moved, Mover, ProgressReader
from dtnctl.movers.causes import find_cause, known
from dtnctl.movers.lines import Lines
from dtnctl.movers.rdma import NOT_LOCKED
from dtnctl.movers.verdict import failure, judge_end

GRACE = 30  # seconds for connecting and ending
# Arguments: the seconds it has, and those of ib_write_bw beside its device. It opens that also where the connection manager chooses one;
# without -d it takes the first of the host, and the service may have another.
PROGRAM = """\
limit=$1; shift
for file in /dev/infiniband/uverbs*; do
    device=$(cat "/sys/class/infiniband_verbs/${file##*/}/ibdev") || continue
    timeout -k 5 "$limit" ib_write_bw -d "$device" "$@"
    code=$?
    [ "$code" != 124 ] && [ "$code" != 137 ] && exit "$code"
    echo "ib_write_bw did not end in its time"
    exit 1
done
echo "no verbs device is in the container"
exit 1
"""
KNOWN = (
    known(r"no verbs device is in the container|No IB devices found", "the session has no verbs device", retryable=False),
    known(r"(?i)couldn't allocate MR|failed to create mr", NOT_LOCKED, retryable=False),
    known(r"Unexpected CM event", "nothing listens on the port of the ib_write_bw server", retryable=True),
    known(r"did not end in its time|Completion with error", "the connection ended: the server was killed, or no data came", retryable=True),
)


class RdmaBw(Mover):
    """rdma_bw."""

    def client(self, request: JobRequest) -> tuple[str, ...]:
        return (*_common(request), request.destination.data_host or request.destination.host)

    def server(self, request: JobRequest) -> tuple[str, ...]:
        return _common(request)

    def listening(self, request: JobRequest) -> tuple[str, ...]:
        return _has_id(request, "LISTEN")

    def connected(self, request: JobRequest) -> tuple[str, ...]:
        return _has_id(request, "CONNECT")

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        return Reader()

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        return judge_end(evidence, options) or _judge(evidence)


MOVER = RdmaBw()


def _own(options: TransferOptions) -> RdmaBwOptions:
    """Those of its file; the defaults where it has no `options:`."""
    return options.own if isinstance(options.own, RdmaBwOptions) else RdmaBwOptions()


def _common(request: JobRequest) -> tuple[str, ...]:
    """What both sides must be asked alike."""
    own, pairs = _own(request.options), ("-q", str(request.options.parallelism))
    both = ("-b",) if own.bidirectional else ()
    what = ("-D", f"{own.seconds:.0f}", "-s", str(own.message_size), *pairs, *both)
    limit = str(math.ceil(own.seconds) + GRACE)
    return ("/bin/sh", "-c", PROGRAM, "measure", limit, "-R", "-F", "--report_gbits", *what, "-p", str(request.port))


def _has_id(request: JobRequest, state: str) -> tuple[str, ...]:
    """A command that ends with 0 if the connection manager has an id in this state at the port."""
    return ("/bin/sh", "-c", f"rdma resource show cm_id | grep -qE 'state {state} .*src-addr [^ ]*:{request.port}( |$)'")


_RESULT = re.compile(r"(?m)^ *(\d{1,18}) +(\d{1,18}) +(\d{1,18}\.\d{1,18}) +(\d{1,18}\.\d{1,18}) +(\d{1,18}\.\d{1,18}) *$")


def _judge(evidence: Evidence) -> Judgement:
    cause, retryable = find_cause(evidence.log, KNOWN) or find_cause(evidence.server_log, KNOWN) or ("", True)
    result = _RESULT.search(evidence.log)
    if evidence.exit_code != 0 or result is None:
        text = cause or "ib_write_bw failed and does not say why"
        return failure(evidence, f"{text} (exit code {evidence.exit_code})", retryable=retryable)
    moved = int(result[1]) * int(result[2])
    return Judgement("succeeded", bytes=moved, verified="acknowledged by the destination's card", rate=float(result[4]) * 1e9 / 8)


@dataclass(slots=True)
class Reader:
    """There is one result, at the end."""

    _lines: Lines = field(default_factory=Lines)

    def feed(self, chunk: bytes) -> Moved | None:
        found = [match for line in self._lines.feed(chunk) if (match := _RESULT.fullmatch(line))]
        if not found:
            return None
        size, count, rate = int(found[-1][1]), int(found[-1][2]), float(found[-1][4])
        return Moved(size * count, rate * 1e9 / 8, is_moving=True)
