r"""rdma: rcopy of rdma-core (rdmacm-utils), which writes one file into the destination's memory-mapped file. Pure.

Its server is started beside the destination's service and writes under a name of the attempt's own; when the file is whole the server's
script gives it its final name. Both run as the session's user.

Traps, seen with rcopy 44 over rxe and read in its source: the server writes for all who reach its port, where its user may; it empties the
file when a client comes and gives it its full size at once, so that a file of the right size proves nothing; on a full disk it is killed by
SIGBUS; a client whose server was killed waits for ever, and the connection manager alone knows (DISCONNECT); one whose connection broke
ends with the number of bytes that it sent, of which the exit code is the last eight bits, 0 as well; an empty file cannot be mapped; the
address ends at the first colon. There is no progress: what the kernel knows of the client is written to its output instead, how much of the
file it has mapped, and its time on a CPU.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Evidence, JobRequest, Judgement, Listing, Moved, Mover, ProgressReader, folder_of
from dtnctl.movers.causes import DISK_FAILURES, find_cause, known
from dtnctl.movers.lines import Lines
from dtnctl.movers.verdict import KILLED, failure, judge_copies, judge_end

AHEAD = 256 * 1024  # bytes; what is mapped and not sent: the kernel maps 64 KiB at once, rcopy's send buffer has 128 KiB
# Arguments: the file, HOST:NAME, the port.
CLIENT = """\
port=$3
rcopy "$1" "$2" -p "$port" &
copy=$!
(gone=
while sleep 1 >/dev/null && set -- $(cat "/proc/$copy/stat") && [ $# -gt 14 ]; do
    mapped=$(sed -n '/ r--s /,/^Rss:/s/^Rss: *\\([0-9]*\\) kB/\\1/p' "/proc/$copy/smaps" | sort -n | tail -n 1)
    echo "rcopy has mapped ${mapped:-0} kB in $((${14} + ${15})) ticks"
    if rdma resource show cm_id | grep -qE "state DISCONNECT .*dst-addr [^ ]*:$port( |\\$)"; then
        [ -z "$gone" ] || { echo "rcopy has lost its server"; kill -HUP "$copy"; exit; }
        gone=yes
    fi
done) 2>/dev/null &
looking=$!
trap 'kill "$copy" "$looking"; exit 143' TERM
wait "$copy"
code=$?
kill "$looking" 2>/dev/null
[ "$code" != 129 ] || code=1
exit "$code"
"""
# Arguments: the destination's folder, the name in it, the name until it is whole, the port. 135 is SIGBUS: what was written into memory has
# no place on the disk, and writing more says why; its core would be left in the folder.
SERVER = """\
words={folder}/words
end() {{ kill "$server" 2>/dev/null; wait "$server"; cat "$words"; rm -f -- "$part"; exit "$1"; }}
name=$2 part=$3
mkdir -p -- "$1" && cd -- "$1" && : >"$part" && rm -f -- "$part" || exit
ulimit -c 0
rcopy -p "$4" >"$words" 2>&1 &
server=$!
trap 'end 143' TERM
while kill -0 "$server" 2>/dev/null; do
    if grep -qx "opening: $part, transferring\\.\\.\\.[0-9]* bytes\\.\\.\\.closing\\.\\.\\.done" "$words"; then
        mv -fT -- "$part" "$name" || end 1
        end 0
    fi
    ! grep -qE 'error|unable|cannot|not opened' "$words" || end 1
    sleep 0.1
done
wait "$server"
code=$?
[ "$code" != 135 ] || LC_ALL=C dd if=/dev/zero of="$part" bs=1M count=4 oflag=append conv=notrunc
end "$code"
"""
# A server that only receives does not notice a client whose host is gone; one that works uses a CPU.
CONNECTED = """\
used=$(cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/^[0-9]* (rcopy) //p' | cut -d " " -f 12-13)
[ "$used" != "$(cat {folder}/used 2>/dev/null)" ] && echo "$used" >{folder}/used
"""
NOT_LOCKED = "its buffers cannot be locked in memory: write `limits: {{memlock: -1}}` in the session's profile"
KNOWN = (
    known(r"rconnect failed\s*: Cannot allocate memory", NOT_LOCKED, retryable=False),
    known(r"rconnect failed\s*: Connection refused", "nothing listens on the port of the rcopy server", retryable=True),
    known(r"rconnect failed\s*: (.+)", "the rcopy server is not reached by RDMA: {1}", retryable=True),
    known(r"rcopy has lost its server", "the connection ended: the server was killed", retryable=True),
    known(r"getaddrinfo failed: (.+)", "the address of the destination cannot be looked up: {1}", retryable=False),
)
OF_SERVER = (
    *DISK_FAILURES,
    known(r"error allocating file", "the disk at the destination is full", retryable=False),
    known(r"unable to open destination file|not opened", "the file cannot be made at the destination", retryable=False),
    known(r"error mapping file", "the file system of the destination cannot map files to memory, which rcopy needs", retryable=False),
    known(r"error receiving data", "the connection ended before the file was whole", retryable=True),
    known(r"mv: (.+)", "the file is whole, but has not got its name: {1}", retryable=False),
)


class Rdma(Mover):
    """rdma."""

    def refusal(self, request: JobRequest, before: Listing) -> str:
        if before.files and before.bytes == 0:
            return f"{request.source.path} on {request.source.endpoint} is empty, and rcopy copies no empty file; use another `tool:`"
        if ":" in _host(request):
            return f"rcopy takes no IPv6 address, and {request.destination.endpoint} receives at {_host(request)}; use another `tool:`"
        return ""

    def client(self, request: JobRequest) -> tuple[str, ...]:
        place = f"{_host(request)}:{_part(request)}"
        return ("/bin/sh", "-c", CLIENT, "copy", request.source.path, place, str(request.port))

    def server(self, request: JobRequest) -> tuple[str, ...]:
        folder, name = folder_of(request.destination), request.destination.path.rpartition("/")[2]
        return ("/bin/sh", "-c", SERVER.format(folder=request.folder), "server", folder, name, _part(request), str(request.port))

    def listening(self, request: JobRequest) -> tuple[str, ...]:
        return ("grep", "-q", "waiting for connection", f"{request.folder}/words")

    def connected(self, request: JobRequest) -> tuple[str, ...]:
        return ("/bin/sh", "-c", CONNECTED.format(folder=request.folder))

    def leftovers(self, request: JobRequest) -> tuple[str, ...]:
        return (f"{folder_of(request.destination)}/{_part(request)}",)

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        return Reader()

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        return judge_end(evidence, options) or _judge(evidence, options)


MOVER = Rdma()
_LOOK = re.compile(r".*?rcopy has mapped (\d{1,18}) kB in (\d{1,18}) ticks")
_RESULT = re.compile(r"(\d{1,20}) bytes in (\d{1,9}\.\d{1,9}) seconds = (\d{1,9}\.\d{1,9}) Gb/sec")


def _host(request: JobRequest) -> str:
    return request.destination.data_host or request.destination.host


def _part(request: JobRequest) -> str:
    """The name of the file until it is whole. No other attempt has its port at the same time."""
    return f".dtnctl-rcopy-{request.port}"


def _judge(evidence: Evidence, options: TransferOptions) -> Judgement:
    cause, retryable = find_cause(evidence.server_log, OF_SERVER) or find_cause(evidence.log, KNOWN) or ("", True)
    result = _RESULT.search(evidence.log)
    # without the server's container it is not known whether the file has its name: its checksum shows it
    is_named = evidence.server_exit_code == 0 or (evidence.server_exit_code is None and options.verify == "checksum")
    if evidence.exit_code == 0 and is_named and result is not None and not cause:
        judged = judge_copies(evidence, options)
        return replace(judged, rate=float(result[3]) * 1e9 / 8 or None) if judged.verdict == "succeeded" else judged
    return failure(evidence, f"{cause or _unnamed(evidence)} (exit code {evidence.exit_code})", retryable=retryable)


def _unnamed(evidence: Evidence) -> str:
    if evidence.server_exit_code == KILLED:
        return "the connection ended: the server was killed"
    return "rcopy failed and does not say why"


@dataclass(slots=True)
class Reader:
    """What the client has mapped of the file is a lower bound: of a large file the kernel takes back what memory does not suffice for."""

    _lines: Lines = field(default_factory=Lines)
    _most: int = 0
    _ticks: int = 0

    def feed(self, chunk: bytes) -> Moved | None:
        found = [self._note(line) for line in self._lines.feed(chunk)]
        return next((moved for moved in reversed(found) if moved is not None), None)

    def _note(self, line: str) -> Moved | None:
        if match := _RESULT.fullmatch(line):
            return Moved(int(match[1]), float(match[3]) * 1e9 / 8, is_moving=True)
        if not (match := _LOOK.fullmatch(line)):
            return None
        moved, ticks = max(self._most, int(match[1]) * 1024 - AHEAD), int(match[2])
        is_moving = moved > self._most or ticks > self._ticks
        self._most, self._ticks = moved, ticks
        return Moved(moved, None, is_moving)
