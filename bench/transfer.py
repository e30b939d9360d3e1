"""P7: a declared GridFTP transfer, from its start to its verdict, against the same globus-url-copy by hand in the source's service."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bench.figures import Figure, Options, Pairs, at_most, figure_of, in_turn, seconds
from bench.place import Place, place
from bench.runs import apply
from bench.services import declare_data_network, declare_service, in_service
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import FinishTransfer, StartTransfer, Step
from dtnctl.movers.gridftp import copy_command

SOURCE, DESTINATION = "dtn1", "dtn2"
SESSION, USER = "dtn", "dtnaas"
FILE = "/data/source"
COPY = "/data/copy"
MIB = 2**20


def measure(options: Options) -> Iterator[Figure]:
    size = options.size(4096, 64)
    with place(2, "both") as here:
        declare_data_network(here)
        volume = {"source": "/data", "target": "/data"}
        declare_service(here, SESSION, user=USER, volumes=[volume], data_nets=["data"], data_port_range=[50100, 50199])
        apply(here)
        _write_file(here, size)
        race = Race(here)
        race.declared()
        race.let_in()
        race.by_hand()
        pairs = Pairs(*in_turn(options.rounds_or(5), race.declared, race.by_hand))
    detail = seconds("declared", "by hand", pairs)
    yield figure_of(f"P7 declared transfer of {size} MiB / globus-url-copy by hand", pairs, at_most(1.05), detail)


def _write_file(here: Place, size: int) -> None:
    for name in here.names:
        here.lab.exec(name, ["chmod", "1777", "/data"])
    here.lab.exec(SOURCE, ["sh", "-c", f"head -c {size * MIB} /dev/urandom >{FILE} && chmod 644 {FILE}"])


@dataclass(slots=True)
class Race:
    """The same copy in both ways, as often as wanted; its destination is removed before each."""

    here: Place
    generation: int = 0
    command: tuple[str, ...] = ()

    def declared(self) -> float:
        """Seconds from the beginning of the transfer's start until its result is recorded."""
        self._remove_copy()
        self.generation += 1
        ends = {"from": f"{SOURCE}:{FILE}", "to": f"{DESTINATION}:{COPY}", "tool": "gridftp", "session": SESSION}
        self.here.write("transfers/race", {**ends, "generation": self.generation, "verify": "size"})
        times = Times()
        done, _ = apply(self.here, times.note)
        self.command = next(_by_hand(step.action) for step in done.plan.steps if isinstance(step.action, StartTransfer))
        return times.ended - times.began

    def by_hand(self) -> float:
        """Seconds of the same command line, run as the service's user."""
        self._remove_copy()
        command = in_service(self.here, SOURCE, SESSION, *self.command, user=USER)
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - began

    def let_in(self) -> None:
        """A key of the user's own, let in at both ends, as people have it for copies by hand."""
        make = "mkdir -p -m 700 ~/.ssh && ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519"
        trust = "echo 'StrictHostKeyChecking accept-new' >~/.ssh/config"
        public = self._as_user(SOURCE, f"{make} && {trust} && cat ~/.ssh/id_ed25519.pub").strip()
        for endpoint in (SOURCE, DESTINATION):
            self._as_user(
                endpoint, f"mkdir -p -m 700 ~/.ssh && echo '{public}' >>~/.ssh/authorized_keys && chmod 600 ~/.ssh/authorized_keys"
            )

    def _as_user(self, endpoint: str, script: str) -> str:
        command = in_service(self.here, endpoint, SESSION, "sh", "-c", script, user=USER)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def _remove_copy(self) -> None:
        self.here.lab.exec(DESTINATION, ["rm", "-f", COPY])


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


def _by_hand(action: StartTransfer) -> tuple[str, ...]:
    return copy_command(action.source, action.destination, action.options)
