"""What every mover has in common: what was seen at its ends, the evidence, and the judgement. Pure.

A mover makes command lines, reads progress and judges. It never runs anything: runtime/transfers does, and returns evidence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Literal, Protocol

from dtnctl.model.actions import JobEnd
from dtnctl.model.checksums import Algorithm
from dtnctl.model.ledger import Verdict
from dtnctl.model.tools import TOOLS, Side
from dtnctl.model.transfer_about import Passed
from dtnctl.model.transfer_options import TransferOptions

WORK = "/root/dtnctl"  # the folder in a job's container that belongs to the job itself
SSH_LOG = "/root/.globus/ssh.log"  # what ssh wrote, where a tool hides it; not in WORK, which is read whenever one looks at the attempt
Stopped = Literal["", "stalled", "deadline"]  # why we ended a job ourselves; empty if we did not


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder. `modified` is its time of change as the endpoint's host writes it.

    `identity` is the same for two names of one thing on one host, `trace` also on several hosts; empty where it is not known.
    """

    size: int
    modified: str
    is_folder: bool = False
    identity: str = field(default="", compare=False)
    trace: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """What is at a path: `entries` by path below it; the path itself, file or folder, is the empty name.

    `others` counts what is neither file nor folder. `root` is the path itself, whatever its kind.
    `problem` says why nothing more is known; then the rest means nothing.
    """

    kind: Literal["file", "folder", "other", "missing", "unknown"]
    entries: Mapping[str, Entry] = field(default_factory=dict)
    others: int = 0
    root: Entry | None = None
    problem: str = ""

    @property
    def files(self) -> Mapping[str, int]:
        """Sizes of the files by name, in name order."""
        return {name: entry.size for name, entry in sorted(self.entries.items()) if not entry.is_folder}

    @property
    def folders(self) -> frozenset[str]:
        return frozenset(name for name, entry in self.entries.items() if entry.is_folder)

    @property
    def bytes(self) -> int:
        return sum(entry.size for entry in self.entries.values() if not entry.is_folder)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict is drawn from.

    `before` and `old` are the source and the destination before the start, `source` and `destination` after the end; None: not looked at.
    `ended_by` is what the backend says of an end that is not the program's own; `disrupted`: a cluster made it, for reasons of its own.
    `sums` are checksums by file name, at the source and at the destination; `no_sums` is why there are none although they were asked for.
    `algorithm` is theirs, where the transfer leaves it to dtnctl, and `sums_seconds` is how long they took.
    `server_log` is the end of what the attempt's server wrote, `server_exit_code` how it ended; empty and None without one. Where the
    servers are those of the services, `server_log` is all that they wrote about this attempt, and `server_log_problem` says why it
    cannot be read where it is there.
    """

    exit_code: int
    log: str
    out_of_memory: bool = False
    stopped: Stopped = ""
    ended_by: str = ""
    disrupted: bool = False
    before: Listing | None = None
    old: Listing | None = None
    source: Listing | None = None
    destination: Listing | None = None
    sums: tuple[Mapping[str, str], Mapping[str, str]] | None = None
    no_sums: str = ""
    algorithm: Algorithm | None = None
    sums_seconds: float = 0.0
    server_log: str = ""
    server_log_problem: str = ""
    server_exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of an attempt. `bytes` and `files` are what is at the destination, as far as it is this transfer's.

    `rate` is the tool's own average in bytes per second, `retransmits` those of TCP, `streams` the TCP streams of a file; None: it does
    not say. `sums` are those of items, `resumed` the bytes that a try before had copied. `served` is what the servers' own logs say, in
    words; empty for tools whose servers write none.
    """

    verdict: Verdict
    cause: str = ""
    retryable: bool = False
    bytes: int = 0
    files: int = 0
    checksum: str = ""
    verified: str = ""
    rate: float | None = None
    retransmits: int | None = None
    streams: int | None = None
    served: str = ""
    sums: Passed = ()
    resumed: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """How far it is: `bytes` is a lower bound; `rate` in bytes per second is None when it is not known for the whole.

    `is_moving` is False when the output only says that nothing moves. `files` have surely arrived; None: the tool does not name files.
    """

    bytes: int
    rate: float | None
    is_moving: bool
    files: int | None = field(default=None, compare=False)


class ProgressReader(Protocol):
    """Follows one job's output."""

    def feed(self, chunk: bytes) -> Moved | None:
        """What the output says by now; None if this chunk says nothing new about it."""


@dataclass(frozen=True, slots=True)
class Login:
    """How an attempt logs in at one end: a key that only this end lets in, and the host key that only this end has."""

    end: JobEnd
    private_key: bytes = field(repr=False)
    host_key: str


@dataclass(frozen=True, slots=True)
class Access:
    """What an attempt may use: its logins by end, and a secret that its client and its server share and nothing else knows."""

    logins: Mapping[Side, Login]
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file for a container of the attempt. One below `JobRequest.folder` belongs to the user that the program runs as, else to root."""

    path: str
    content: bytes = field(repr=False)
    mode: int


NOTHING = Listing("missing")


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a mover is asked for.

    `folder` is that of the attempt's own files in its containers. `time_left` is in seconds; None: there is no deadline. `before` is
    what is to be copied of the source; it is known for files of a container, and not for command lines.
    `is_retry`: an earlier try of the same generation may have left a part.
    """

    source: JobEnd
    destination: JobEnd
    options: TransferOptions
    folder: str = WORK
    time_left: float | None = None
    before: Listing = NOTHING
    is_retry: bool = False

    @property
    def port(self) -> int:
        """Where the attempt's server listens, for tools that have one."""
        return self.destination.listens[0]


class Mover(ABC):
    """One transfer tool. Its module in this package has one as `MOVER`; its row is in model/tools.py.

    `server_ends`: whether its server ends by itself when its client has gone, and writes its result then.
    """

    server_ends = True

    def refusal(self, request: JobRequest, before: Listing) -> str:
        """Why this tool cannot carry out that, as a sentence; empty if it can. `before` is what is at the source."""
        return ""

    @abstractmethod
    def client(self, request: JobRequest) -> tuple[str, ...]:
        """The program that the attempt is, with its arguments. It ends by itself when all is moved; its exit code is the attempt's."""

    def server(self, request: JobRequest) -> tuple[str, ...]:
        """The program that runs beside the destination's service meanwhile; nothing for a tool whose row has no server."""
        return ()

    def listening(self, request: JobRequest) -> tuple[str, ...]:
        """A command whose exit code 0 says that the server takes connections. It must not connect: some servers take one and end."""
        return listens_on(request.port)

    def server_needs(self, request: JobRequest) -> tuple[str, tuple[str, ...]]:
        """What its program at the destination must be, and a command there whose exit code 0 says that it is; nothing: it is not asked."""
        return "", ()

    def connected(self, request: JobRequest) -> tuple[str, ...]:
        """A command whose exit code 0 says that the server is in use; while it is not, for long, the server ends by itself."""
        return connected_on(request.port)

    def leftovers(self, request: JobRequest) -> tuple[str, ...]:
        """Files at the destination that this attempt alone makes, and that its server leaves only if it was killed."""
        return ()

    def client_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        """What the client needs in its container before it starts."""
        return ()

    def server_files(self, request: JobRequest, access: Access) -> tuple[JobFile, ...]:
        """What the server needs in its container before it starts."""
        return ()

    def servers_log(self, request: JobRequest) -> str:
        """The file in the client's container that has what the services' own servers wrote; empty if there is none."""
        return ""

    @abstractmethod
    def reader(self, request: JobRequest, sizes: Mapping[str, int]) -> ProgressReader:
        """Follows the client's output. `sizes` are those of the source's files by name; none for a measurement."""

    @abstractmethod
    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        """The verdict."""


def folder_of(end: JobEnd) -> str:
    """The folder that is read or written, or that has the file; never empty."""
    return end.path.rpartition("/")[0] or "/"


def in_brackets(host: str) -> str:
    """The host as it stands before a colon: an IPv6 address has brackets."""
    return f"[{host}]" if ":" in host else host


def mover_of(tool: str) -> Mover:
    """The mover of a tool: its own if it has a row in model/tools.py, else the one of all tools that sites declare."""
    mover: Mover = import_module(f"dtnctl.movers.{tool if tool in TOOLS else 'command'}").MOVER
    return mover


def listens_on(port: int) -> tuple[str, ...]:
    """A command that ends with 0 if something listens on the TCP port in its network: proc_net_tcp(5), state 0A."""
    return ("grep", "-qi", f":{port:04X} 0*:0000 0A ", "/proc/net/tcp", "/proc/net/tcp6")


def connected_on(port: int) -> tuple[str, ...]:
    """A command that ends with 0 if there is a connection at the TCP port in its network: proc_net_tcp(5), state 01."""
    return ("grep", "-qiE", f":{port:04X} [0-9A-F]+:[0-9A-F]{{4}} 01 ", "/proc/net/tcp", "/proc/net/tcp6")
