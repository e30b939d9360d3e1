"""R3: 100 processes take leases of 4 endpoints 100 times each. Some die while they hold one, some are stopped for longer than it lasts.

Whoever has a lease writes under it: it asks `check`, and locks a file that only one of them can have locked. A process that was stopped
must be refused by `check` when it goes on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from dtnctl.errors import LockError
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import Engine
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.lease import STALE_SECONDS, hold_leases, this_process
from tests.docker_clients import connect
from tests.faults.harness import Stage, warm_up
from tests.faults.measured import Measured, Task

CLIENTS = 100
ENDPOINTS = ("dtn1", "dtn2", "dtn3", "dtn4")
SITE = "soak"
PATIENCE = 600.0  # seconds for a lease: a client that does not get one then hangs
DIES = 0.004  # of the leases that are taken
STOPPED = 3  # clients, each once


@dataclass(frozen=True)
class Place:
    """Where clients find the engines, lock their files and write down what happens."""

    sockets: dict[str, str]
    folder: Path

    def note(self, what: str, endpoint: str) -> None:
        line = f"{time.monotonic():.6f} {endpoint} {what} {os.getpid()}\n"
        with (self.folder / "events").open("ab", buffering=0) as events:
            events.write(line.encode())


def measure(task: Task) -> Measured:
    """`size` leases, a hundredth of them by each client."""
    warm_up()
    with Stage(more=2) as stage, tempfile.TemporaryDirectory(prefix="soak-") as folder:
        place = Place(stage.sockets, Path(folder))
        for endpoint in ENDPOINTS:
            (place.folder / endpoint).touch()
        _live(place, task)
        left = [f"{name} has a lease left" for name, seen in stage.ask("GET", "view").items() if "soak.control.lease" in str(seen)]
        events = [line.split() for line in (place.folder / "events").read_text().splitlines()]
    counts = {what: sum(event[2] == what for event in events) for what in ("taken", "dies", "stops", "refused")}
    wrong = [" ".join(event) for event in events if event[2] in ("two-writers", "wrote-after-stop", "no-lease")]
    if counts["refused"] != counts["stops"]:
        wrong.append(f"{counts['stops']} clients were stopped, {counts['refused']} refused when they went on")
    note = f"{counts['dies']} holders killed, the next had the lease within {_longest_gap(events):.1f} s; {counts['stops']} stopped for "
    return Measured(counts["taken"], (*wrong, *left), f"{note}{STALE_SECONDS + 4:.0f} s, {counts['refused']} of them refused afterwards")


def _longest_gap(events: list[list[str]]) -> float:
    """From a holder's death to the next one that has that lease, in seconds."""
    longest = 0.0
    for number, (when, endpoint, what, _) in enumerate(events):
        if what == "dies":
            after = (float(event[0]) for event in events[number + 1 :] if event[1] == endpoint and event[2] == "taken")
            longest = max(longest, next(after, float(when)) - float(when))
    return longest


def _live(place: Place, task: Task) -> None:
    """All clients, each with the rest of its leases again when it died."""
    left = {number: max(1, task.size // CLIENTS) for number in range(CLIENTS)}
    running = {_fork(place, task, number, count, 0): number for number, count in left.items()}
    lives = dict.fromkeys(left, 0)
    while running:
        pid, status = os.waitpid(-1, os.WUNTRACED)
        if pid not in running:
            continue
        if os.WIFSTOPPED(status):
            threading.Timer(STALE_SECONDS + 4, os.kill, (pid, signal.SIGCONT)).start()
            continue
        number = running.pop(pid)
        if os.WIFSIGNALED(status):
            lives[number] += 1
            taken = sum(1 for line in (place.folder / "events").read_text().splitlines() if line.endswith(f" taken {pid}"))
            left[number] -= taken
            if left[number] > 0:
                running[_fork(place, task, number, left[number], lives[number])] = number


def _fork(place: Place, task: Task, number: int, count: int, life: int) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            _client(place, task.rng("client", number, life), count, stops=number < STOPPED and life == 0)
            code = 0
        os._exit(code)
    return pid


def _client(place: Place, rng: Random, count: int, *, stops: bool) -> None:
    engines: dict[str, Engine] = {}
    for name in ENDPOINTS:
        endpoint = Endpoint(docker=parse_engine(f"unix://{place.sockets[name]}"), host=name)
        engines[name] = connect(name, endpoint, site=SITE, registries={}, read_only=False, root=place.folder)
    stop_at = rng.randrange(count) if stops else -1
    for number in range(count):
        wanted = sorted(rng.sample(ENDPOINTS, 1 if rng.random() < 0.9 else 2))
        try:
            _hold(place, rng, {name: engines[name] for name in wanted}, stops=number == stop_at)
        except LockError as error:
            place.note("no-lease", wanted[0])
            raise SystemExit(str(error)) from error


def _hold(place: Place, rng: Random, engines: dict[str, Engine], *, stops: bool) -> None:
    clock = SystemClock()
    leases_of = hold_leases(engines, site=SITE, holder=this_process(), clock=clock, timeout=PATIENCE, report=lambda text: None)
    with leases_of as leases:
        for endpoint in engines:
            leases.check(endpoint)
            with _alone(place, endpoint):
                place.note("taken", endpoint)
        first = next(iter(engines))
        if rng.random() < DIES:
            place.note("dies", first)
            os.kill(os.getpid(), signal.SIGKILL)
        if stops:
            place.note("stops", first)
            os.kill(os.getpid(), signal.SIGSTOP)
            try:
                leases.check(first)
            except LockError:
                place.note("refused", first)
            else:
                place.note("wrote-after-stop", first)


@contextlib.contextmanager
def _alone(place: Place, endpoint: str) -> Iterator[None]:
    """What a writer does; it notes if another one is at it."""
    with (place.folder / endpoint).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            place.note("two-writers", endpoint)
        yield
