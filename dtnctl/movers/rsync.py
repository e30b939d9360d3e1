r"""rsync over the ssh of the destination's service: command line, progress and verdict. Pure.

The client reads the source beside its service and logs in at the destination. A file gets its final name when it is whole; what
was begun is removed by rsync itself, unless it is killed at the destination, so that a failed copy leaves whole files alone. Where further
tries may follow it is kept in a folder of its own beside the file, and the next try sends what differs from it.

Seen with rsync 3.2.7: `--info=progress2` writes `  BYTES PERCENT RATE TIME (xfr#N, to-chk=R/T)` ended by a carriage return; its kB, MB
and GB are powers of 1024. Exit code 23 says that some files were not copied, 24 that some vanished while they were read.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Access, Evidence, JobFile, JobRequest, Judgement, Moved, Mover, ProgressReader
from dtnctl.movers.causes import DISK_FAILURES, SSH_FAILURES, known
from dtnctl.movers.lines import Lines
from dtnctl.movers.ssh_login import login_files, ssh_options, ssh_place
from dtnctl.movers.verdict import judge_copy

PARTIAL = ".dtnctl-partial"
STALL_GRACE = 30  # seconds; the one who watches the job is to notice a stall first
UNITS = {"B": 1, "k": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
CUT_OFF = (
    "the connection ended: the service or its rsync was killed, and part of a file may be left there under a hidden name, .NAME.XXXXXX"
)
KEPT = f"; part of it may be kept there under a hidden name, {PARTIAL}/NAME, until the file is copied whole"
KEEPING = (11, 20, 30)  # exit codes with which it keeps what was begun: an error of files, a signal, a timeout
KNOWN = (
    *SSH_FAILURES,
    *DISK_FAILURES,
    known(r'rsync: \[sender\] .* "(.+)" failed: No such file or directory', "{1}: no such file or folder at the source", retryable=False),
    known(r'rsync: \[(?:receiver|generator|Receiver)\] .* "(.+)" failed: Permission denied', "{1}: permission denied", retryable=False),
    known(r'rsync: \[sender\] .* "(.+)": Permission denied', "{1}: permission denied at the source", retryable=False),
    known(r"(?:rsync|bash|sh): .*rsync: (?:command )?not found", "the image at the destination has no rsync", retryable=False),
    known(r"rsync error: timeout in data send/receive", "no data moved for the stall timeout", retryable=True),
    known(r"connection unexpectedly closed|error in socket IO", CUT_OFF, retryable=True),
    known(r"rsync error: (.+?) \(code (\d+)\)", "rsync says: {1}", retryable=True),
)


class Rsync(Mover):
    """rsync."""

    def client(self, request: JobRequest) -> tuple[str, ...]:
        options, there = request.options, request.destination
        ssh = shlex.join(("ssh", *ssh_options(request.folder, "destination"), "-p", str(there.port)))
        kinds = (*(["--recursive"] if options.recursive else []), *(["--copy-links"] if options.links == "follow" else []))
        timeout = f"--timeout={math.ceil(options.stall_timeout) + STALL_GRACE}"
        whole = () if request.is_retry else ("--whole-file",)
        kept = (f"--partial-dir={PARTIAL}",) if options.retries else ()
        modes = ("--times", "--ignore-times", *whole, *kept, "--mkpath", "--secluded-args", "--no-human-readable")
        rate = (f"--bwlimit={options.max_rate * 125}B",) if options.max_rate is not None else ()
        shown = ("--info=progress2,stats2", "--no-inc-recursive", timeout, *rate)
        return ("rsync", *kinds, *modes, *shown, "-e", ssh, request.source.path, ssh_place(there))

    def client_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        return login_files(request.folder, access)

    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        return Reader()

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        judged = judge_copy(evidence, options, "rsync", KNOWN)
        matched = sum(int(found.replace(",", "")) for found in _MATCHED.findall(evidence.log))
        may_keep = judged.verdict != "succeeded" and options.retries > 0 and evidence.exit_code in KEEPING
        return replace(judged, resumed=min(judged.bytes, matched), cause=judged.cause + (KEPT if may_keep else ""))


MOVER = Rsync()


_MATCHED = re.compile(r"(?m)^Matched data: (\d[\d,]{0,25}) bytes$")
_PROGRESS = re.compile(r"\s*(\d[\d,]{0,25})\s+\d{1,3}%\s+(\d+(?:\.\d+)?)([BkMGT])B?/s\s.*")


@dataclass(slots=True)
class Reader:
    """What rsync says that it has sent, of all files together."""

    _lines: Lines = field(default_factory=Lines)
    _most: int = -1

    def feed(self, chunk: bytes) -> Moved | None:
        lines = self._lines.feed(chunk)
        found = [match for line in lines if (match := _PROGRESS.fullmatch(line))]
        if not found:
            return None
        moved = int(found[-1][1].replace(",", ""))
        is_moving, self._most = moved > self._most, max(moved, self._most)
        return Moved(self._most, float(found[-1][2]) * UNITS[found[-1][3]], is_moving)
