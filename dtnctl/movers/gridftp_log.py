r"""Reads what globus-url-copy writes: progress, and why it failed. Pure.

Seen with globus-url-copy 10.12 and globus-gridftp-server 13.24:
- `-vb` prints "Source:", "Dest:" and the name of each file as it starts, then about every five seconds
  `  BYTES bytes   X MB/sec avg   Y MB/sec inst`, ended by a carriage return. Its "MB" are MiB.
- The last such line may stop short of the file's size although all arrived.
- With several files at once (-cc) the lines come from all of them, without a name.
- A pipelined file (-pp) is announced by "Pipelining:" and its two whole URLs, before the files that were asked for earlier have ended.
- The exit code is 1 for whatever went wrong; a refused port and a refused login have the same text. The job's own ssh wrapper
  therefore keeps what ssh says, and writes it at the end with "ssh: " before each line.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from dtnctl.movers.base import Moved
from dtnctl.movers.causes import DISK_FAILURES, SSH_FAILURES, find_cause, known
from dtnctl.movers.lines import Lines

MEBI = 1024**2

_PERFORMANCE = re.compile(r"\s*(\d{1,20}) bytes\s+(\d+(?:\.\d+)?) MB/sec avg\s+(\d+(?:\.\d+)?) MB/sec inst\s*")
_SOURCE = re.compile(r"Source: (\S+)")
_NAME = re.compile(r"  (\S+)(?:  ->  \S+)?")


@dataclass(slots=True)
class Reader:
    """Adds up what one job's output reports. `root` is the source as a URL, `sizes` are those of its files by name below it.

    With one file at a time the sum is exact but for the last line's age. With more it is a lower bound: of the files that have
    started, all but the largest `concurrency` must have ended.
    """

    root: str
    sizes: Mapping[str, int]
    concurrency: int
    _lines: Lines = field(default_factory=Lines)
    _folder: str = ""
    _started: int = 0
    _files: int = 0
    _current: int = 0
    _line: int = 0
    _rate: float = 0.0
    _is_moving: bool = False
    _largest: list[int] = field(default_factory=list)
    _most: int = 0

    def feed(self, chunk: bytes) -> Moved | None:
        """How far it is by now; None if the chunk has no performance line and no file that started."""
        lines = self._lines.feed(chunk)
        self._is_moving = False
        read = [line for line in lines if self._read(line)]
        if not read:
            return None
        self._most = max(self._most, self._sum())
        rate = self._rate if self.concurrency == 1 and self._rate > 0 else None
        return Moved(self._most, rate, self._is_moving, max(0, self._files - len(self._largest)))

    def _read(self, line: str) -> bool:
        """Whether the line is about progress."""
        if match := _PERFORMANCE.fullmatch(line):
            self._line, self._rate = int(match[1]), float(match[3]) * MEBI
            self._is_moving = self._is_moving or self._rate > 0
            return True
        if match := _SOURCE.fullmatch(line):
            self._folder = match[1]
        elif match := _NAME.fullmatch(line):
            return self._start(match[1])
        return False

    def _start(self, name: str) -> bool:
        size = self.sizes.get(self._below_root(name))
        if size is None:
            return False
        self._is_moving = True
        self._started += size
        self._files += 1
        self._current, self._line = size, 0
        heapq.heappush(self._largest, size)
        if len(self._largest) > self.concurrency:
            heapq.heappop(self._largest)
        return True

    def _below_root(self, name: str) -> str:
        whole = unquote(name if "://" in name else self._folder + name)
        root = unquote(self.root)
        return whole[len(root) :] if root.endswith("/") and whole.startswith(root) else "" if whole == root else name

    def _sum(self) -> int:
        if self.concurrency == 1:
            return self._started - self._current + min(self._line, self._current)
        return self._started - sum(self._largest)


# The first that is found counts: ssh's own words tell more than the mover's. Each was provoked in the lab, unless it says otherwise.
KNOWN = (
    *SSH_FAILURES,
    known(
        r"Server is not configured for SSHFTP|no GridFTP server program",
        "the image has no GridFTP server program: neither ~/.globus/sshftp nor /etc/grid-security/sshftp",
        retryable=False,
    ),
    *DISK_FAILURES,
    known(
        r"Unable to open file (.+)\n[^\n]*System error in open: No such file or directory", "{1}: no such file or folder", retryable=False
    ),
    known(r"Unable to open file (.+)\n[^\n]*System error in open: (.+)", "{1}: {2}", retryable=False),
    known(
        r"Unable to connect to (\S+)\n[^\n]*System error in connect: (.+)",
        "no data connection to {1}: {2}; are the session's data ports open, and is that its data address?",
        retryable=True,
    ),
    known(
        r"System error in \w+: (Connection reset by peer|Connection timed out|Broken pipe)", "a connection broke off: {1}", retryable=True
    ),
    known(
        r"System error in bind: Address already in use",
        "all data ports are in use, also those that were used just before: the `data_port_range` needs more for these streams and files",
        retryable=True,
    ),
    known(r"System error in (\w+): (.+)", "the {1} failed: {2}", retryable=False),
    known(r"the operation was aborted", "stalled: no data moved for the stall timeout", retryable=True),
    known(r"error parsing url", "globus-url-copy cannot express one of the names", retryable=False),
    known(
        r"an end-of-file was reached",
        "a connection ended: the server was killed, or its port or its login was refused (globus-url-copy says the same of all three)",
        retryable=True,
    ),
    known(r"the server responded with an error\s+(.+)", "the server says: {1}", retryable=True),
    known(r"error: (.+)", "globus-url-copy says: {1}", retryable=True),
)


def explain(log: str) -> tuple[str, bool] | None:
    """The cause in a job's output, and whether it may pass by itself; None if it names none."""
    return find_cause(log, KNOWN)
