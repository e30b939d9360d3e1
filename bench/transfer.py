"""P7: a declared transfer with each tool, from its start to its verdict, against the same command line by hand in the same services."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bench.by_hand import USER, ByHand
from bench.figures import Figure, Options, Pairs, at_most, figure_of, in_turn, not_measured, seconds
from bench.place import Place, place
from bench.runs import apply
from bench.services import declare_data_network, declare_service
from dtnctl.model.actions import FinishTransfer, StartTransfer
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Step
from dtnctl.model.tools import TOOLS

SOURCE, DESTINATION = "dtn1", "dtn2"
SESSION = "dtn"
FILE = "/data/source"
COPY = "copy"
MIB = 2**20
SETTLED_SECONDS = 125.0  # a transfer between services that have just started asks first whether they take logins
LOOK_EVERY_SECONDS = 0.002


def measure(options: Options) -> Iterator[Figure]:
    size = options.size(1024, 16)
    with place(2, "both") as here:
        declare_data_network(here)
        volume = {"source": "/data", "target": "/data"}
        declare_service(here, SESSION, user=USER, volumes=[volume], data_nets=["data"], data_port_range=[50100, 50199])
        apply(here)
        settled = time.monotonic() + SETTLED_SECONDS
        _write_file(here, size)
        time.sleep(max(0.0, 0.0 if options.quick else settled - time.monotonic()))
        for tool in TOOLS.values():
            moved = f"{size} MiB" if tool.moves == "files" else "10 s"
            name = f"P7 declared {tool.name} of {moved} / its command line by hand"
            if tool.rdma:
                yield not_measured(name, at_most(1.05), "the lab has no RDMA device")
                continue
            yield _race(Race(here, tool.name), options, name)


def _race(race: Race, options: Options, name: str) -> Figure:
    race.declared()
    race.prepare()
    race.by_hand()
    race.latencies.clear()
    pairs = Pairs(*in_turn(options.rounds_or(5), race.declared, race.by_hand))
    first = f"; apply to first byte {statistics.median(race.latencies):.2f} s" if race.latencies else ""
    return figure_of(name, pairs, at_most(1.05), f"{seconds('declared', 'by hand', pairs)}{first}")


def _write_file(here: Place, size: int) -> None:
    for name in here.names:
        here.lab.exec(name, ["chmod", "1777", "/data"])
    here.lab.exec(SOURCE, ["sh", "-c", f"head -c {size * MIB} /dev/urandom >{FILE} && chmod 644 {FILE}"])


@dataclass(slots=True)
class Race:
    """The same copy in both ways, as often as wanted; its destination is removed before each.

    `latencies` are the seconds from the call of apply until the first byte was at the destination; a measurement has none.
    """

    here: Place
    tool: str
    generation: int = 0
    action: StartTransfer | None = None
    hand: ByHand | None = None
    latencies: list[float] = field(default_factory=list)

    def declared(self) -> float:
        """Seconds from the beginning of the transfer's start until its result is recorded."""
        self._remove_copy()
        self.generation += 1
        self.here.write(
            f"transfers/race-{self.tool}", {**self._ends(), "tool": self.tool, "session": SESSION, "generation": self.generation}
        )
        times = Times()
        with FirstByte(self.here.lab.files(DESTINATION) / "data") as first:
            began = time.perf_counter()
            done, _ = apply(self.here, times.note)
        if first.seen:
            self.latencies.append(first.seen - began)
        self.action = next(step.action for step in done.plan.steps if isinstance(step.action, StartTransfer))
        return times.ended - times.began

    def prepare(self) -> None:
        """All that the command line needs, by hand; not measured."""
        assert self.action is not None
        self.hand = ByHand(self.here, SESSION, self.action)
        self.hand.prepare()

    def by_hand(self) -> float:
        """Seconds of the same command line, run as the service's user."""
        assert self.hand is not None
        self._remove_copy()
        return self.hand.run()

    def _ends(self) -> Mapping[str, Any]:
        if TOOLS[self.tool].moves == "files":
            return {"from": f"{SOURCE}:{FILE}", "to": f"{DESTINATION}:/data/{COPY}", "verify": "size"}
        return {"from": SOURCE, "to": DESTINATION}

    def _remove_copy(self) -> None:
        self.here.lab.exec(DESTINATION, ["sh", "-c", f"rm -f /data/{COPY} /data/.{COPY}.*"])


class FirstByte:
    """Looks for the first byte in a folder while it is entered; `seen` is when that was there, 0 if it never was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            if any(_size(path) for path in self.folder.glob(f"*{COPY}*")):
                self.seen = time.perf_counter()
                return


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@dataclass(slots=True)
class Times:
    """When the transfer's start began and when its finish ended, on the clock of time.perf_counter."""

    began: float = 0.0
    ended: float = 0.0

    def note(self, outcome: Outcome, step: Step) -> None:
        now = time.perf_counter()
        if isinstance(step.action, StartTransfer):
            self.began = now - outcome.seconds
        if isinstance(step.action, FinishTransfer):
            self.ended = now
