"""What every mover has in common: what was seen at its ends, the evidence, and the judgement. Pure.

A mover makes command lines, reads progress and judges. It never runs anything: runtime/transfers does, and returns evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from dtnctl.model.ledger import Verdict
from dtnctl.model.plan import JobEnd
from dtnctl.model.transfer_options import TransferOptions

WORK = "/root/dtnctl"  # the folder in a job's container that belongs to the job itself
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
    `sums` are checksums by file name, at the source and at the destination; `no_sums` is why there are none although they were asked for.
    """

    exit_code: int
    log: str
    out_of_memory: bool = False
    stopped: Stopped = ""
    before: Listing | None = None
    old: Listing | None = None
    source: Listing | None = None
    destination: Listing | None = None
    sums: tuple[Mapping[str, str], Mapping[str, str]] | None = None
    no_sums: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of an attempt. `bytes` and `files` are what is at the destination, as far as it is this transfer's."""

    verdict: Verdict
    cause: str = ""
    retryable: bool = False
    bytes: int = 0
    files: int = 0
    checksum: str = ""
    verified: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """How far it is: `bytes` is a lower bound; `rate` in bytes per second is None when it is not known for the whole.

    `is_moving` is False when the output only says that nothing moves.
    """

    bytes: int
    rate: float | None
    is_moving: bool


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
class JobFile:
    """A file for the job's container, root's."""

    path: str
    content: bytes = field(repr=False)
    mode: int


class Mover(Protocol):
    """One transfer tool. A module is one when it has these functions."""

    def refusal(self, source: JobEnd, destination: JobEnd, options: TransferOptions, before: Listing) -> str:
        """Why this tool cannot copy that, as a sentence; empty if it can."""

    def job_command(self, source: JobEnd, destination: JobEnd, options: TransferOptions, time_left: float | None) -> tuple[str, ...]:
        """The arguments of /bin/sh in the job's container. `time_left` in seconds until the deadline."""

    def job_files(self, source: Login, destination: Login) -> tuple[JobFile, ...]:
        """What the job needs in its container before it starts."""

    def reader(self, source: JobEnd, options: TransferOptions, sizes: Mapping[str, int]) -> ProgressReader:
        """Follows the job's output. `sizes` are those of the source's files by name."""

    def judge(self, evidence: Evidence, options: TransferOptions) -> Judgement:
        """The verdict."""
