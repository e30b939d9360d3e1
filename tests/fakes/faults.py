"""The order of all calls in a world, and the faults planned for some of them."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
from collections import Counter
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from tests.fakes.state import Json

DEATH_SECONDS = 5.0
ACTIONS = ("kill-client", "signal-client", "status", "reset", "stall", "prune", "restart", "down")


class Peer(NamedTuple):
    """A client process. Its start time tells it from a later one with the same number."""

    pid: int
    started: int


def peer_of(pid: int) -> Peer:
    """The process with this id; `started` is 0 for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return Peer(pid, 0)
    return Peer(pid, int(fields[19]))


@dataclass(slots=True)
class Call:
    """One call of the API. `path` names objects by name, so that it is equal in every run; `status` is None while it lasts."""

    number: int
    endpoint: str
    method: str
    path: str
    query: dict[str, str]
    peer: Peer
    authenticated: bool = False
    status: int | None = None
    fault: str = ""


@dataclass(slots=True)
class Fault:
    """What goes wrong with which call: call number `at`, or the `nth` call that fits `match` ("POST /containers/*/start").

    `nth` 0 means every fitting call. `when` "after" lets the engine do its work first and spoils only the answer. `signal-client` sends
    the client the `signal` and answers; from `down` on the engine cuts every connection until it is `up` again.
    """

    do: str
    at: int = 0
    match: str = ""
    endpoint: str = ""
    nth: int = 1
    when: str = "before"
    status: int = 500
    message: str = "injected fault"
    seconds: float = 0.0
    signal: int = 0
    seen: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        if self.do not in ACTIONS:
            raise ValueError(f"fault: do is {self.do!r}; expected one of {', '.join(ACTIONS)}")
        if self.when not in ("before", "after"):
            raise ValueError(f"fault: when is {self.when!r}; expected before or after")
        if not self.at and not self.match:
            raise ValueError("fault: neither at (a call's number) nor match (for example 'POST /containers/*/start') is given")

    def strikes(self, call: Call) -> bool:
        """Whether this call is the one; counts the calls that fit."""
        if self.endpoint not in ("", call.endpoint):
            return False
        if self.at:
            return call.number == self.at
        if not fnmatchcase(f"{call.method} {call.path}", self.match):
            return False
        self.seen += 1
        return self.nth in (0, self.seen)


class Journal:
    """What happened in a world: every call in order, every start, every client killed."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.killed: set[Peer] = set()
        self.client = Peer(0, 0)
        """Who called an engine last."""
        self._starts: Counter[tuple[str, str, str]] = Counter()

    def clear(self) -> None:
        """Forget everything, planned faults included. The dead stay dead: what they sent late belongs to no later trial."""
        self.calls, self.faults = [], []
        self._starts.clear()

    def begin(self, call: Call) -> Fault | None:
        """Note a call; returns the fault planned for it."""
        call.number = len(self.calls) + 1
        self.calls.append(call)
        struck = [fault for fault in self.faults if fault.strikes(call)]
        return struck[0] if struck else None

    def count_start(self, endpoint: str, name: str, labels: dict[str, str]) -> None:
        self._starts[endpoint, name, json.dumps(labels, sort_keys=True)] += 1

    def starts(self) -> list[Json]:
        """How often containers were started, by endpoint, name and labels; removed containers count as well."""
        return [
            {"endpoint": endpoint, "name": name, "labels": json.loads(labels), "count": count}
            for (endpoint, name, labels), count in sorted(self._starts.items())
        ]

    def report(self) -> list[Json]:
        """Every call as a JSON object; the client's `pid` is all that differs from run to run."""
        shown = []
        for call in self.calls:
            entry = asdict(call)
            entry["pid"] = entry.pop("peer")[0]
            shown.append(entry)
        return shown


def kill_client(pid: int) -> bool:
    """SIGKILL a client and wait until it is dead; false for ourselves and for processes that are gone."""
    if pid <= 0 or pid == os.getpid():
        return False
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [], DEATH_SECONDS)
    finally:
        os.close(handle)
    return True


def signal_client(pid: int, number: int) -> None:
    """Send a client a signal and go on; nothing for ourselves and for processes that are gone."""
    if pid > 0 and pid != os.getpid():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
