"""Runs clients of one world a call at a time: which one goes on, dies or is stopped is a list of choices, and equal lists give equal runs.

Each client is a thread that waits at every call until the scheduler lets it make it. Which choices there are in a state, the scheduler
says; `explore` tries them all, and goes no further in a state that was seen before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from dtnctl.errors import DtnctlError
from tests.faults.one_thread import LOCAL, REAL_THREAD
from tests.faults.small_engines import LEASE, Shared

Value = TypeVar("Value")
JUMP = 31.0  # seconds: longer than a lease without a beat is left alone
Choice = tuple[str, int]
SELDOM = {"kill": 0.01, "stop": 0.2}  # so that runs get far before something happens


class Killed(BaseException):
    """The process is gone: it catches nothing, and makes no call any more."""


class Client:
    """A dtnctl that runs `program`, and the way in which it makes calls and looks at the clock."""

    def __init__(self, number: int, shared: Shared, program: Callable[[Client], None], *, is_reversed: bool) -> None:
        self.number = number
        self.name = f"client {number}"
        self.shared = shared
        self.program = program
        self.is_reversed = is_reversed
        self.woke_at = -1, 0.0
        self.history = 0  # of all that it was answered: it decides what the client does next
        self.pending = ""
        self.may_go: Callable[[], bool] = lambda: True
        self.is_dead = self.has_ended = self.is_stopped = self.was_stopped = self.is_beating = False
        self.beats: list[tuple[Any, tuple[Any, ...]]] = []
        self.ended_with = ""
        self.go, self.came = threading.Semaphore(0), threading.Semaphore(0)
        self.thread = REAL_THREAD(target=self._live, daemon=True)

    def _live(self) -> None:
        LOCAL.beats, LOCAL.is_reversed = self.beats, self.is_reversed
        self.go.acquire()
        try:
            self.program(self)
        except Killed:
            pass
        except DtnctlError as error:
            self.ended_with = str(error)
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is a mistake of the program that is tried
            self.shared.wrong.append(f"{self.name} ended with {type(error).__name__}: {error}")
        self.has_ended = True
        self.came.release()

    # --- what its program does ---

    def call(self, what: str, work: Callable[[], Value]) -> Value:
        if self.is_beating:
            return work()
        self._pause(what, lambda: True)
        try:
            result = work()
        except DtnctlError as error:
            self._remember(what, type(error).__name__)
            raise
        self._remember(what, _short(result))
        return result

    def _pause(self, what: str, may_go: Callable[[], bool]) -> None:
        if self.is_dead:
            raise Killed
        self.pending, self.may_go = what, may_go
        self.came.release()
        self.go.acquire()
        if self.is_dead:
            raise Killed

    def _remember(self, what: str, answer: object) -> None:
        self.history = hash((self.history, what, answer, self.shared.time))

    def note_write(self, endpoint: str, what: str) -> None:
        """A write without the endpoint's lease: a fault, unless the client was stopped, which no engine can exclude."""
        lease = self.shared.boxes[endpoint].get(LEASE)
        if lease is not None and lease.made_by == self.name:
            return
        text = f"{self.name} wrote on {endpoint} without its lease: {what}"
        (self.shared.unfenced if self.was_stopped else self.shared.wrong).append(text)

    # --- its clock ---

    def monotonic(self) -> float:
        return self.shared.time

    def now(self) -> Any:
        from datetime import UTC, datetime

        return datetime.fromtimestamp(1.8e9 + self.shared.time, UTC)

    def sleep(self, seconds: float) -> None:
        """Until something has changed since it woke the last time, or time has passed: to look again before that would show the same."""
        del seconds
        self._pause("sleep", lambda: (self.shared.changes, self.shared.time) != self.woke_at)
        self.woke_at = self.shared.changes, self.shared.time
        self._remember("sleep", None)

    def wait_for(self, what: str, is_so: Callable[[], bool]) -> None:
        self._pause(what, is_so)
        self._remember(what, None)

    # --- what the scheduler does ---

    def step(self) -> None:
        """Let it go on until its next call, or its end."""
        self.go.release()
        self.came.acquire()

    def kill(self) -> None:
        self.is_dead = True
        while not self.has_ended:
            self.step()

    def beat(self) -> None:
        """All of its leases, as their threads would."""
        self.is_beating = True
        for leases, (endpoint, held) in self.beats:
            if not leases.stopping.is_set() and leases.held.get(endpoint) is held:
                leases._beat(endpoint, held, int(self.shared.time))
        self.is_beating = False

    @property
    def is_holding(self) -> bool:
        return any(box.made_by == self.name for found in self.shared.boxes.values() if (box := found.get(LEASE)) is not None)


def _short(result: object) -> object:
    """What a client does next depends on no more of an answer than this."""
    match result:
        case dict():
            return tuple(sorted(result.items()))
        case str() | None | int():
            return result
        case _:
            return (
                getattr(result, "id", ""),
                getattr(result, "state", ""),
                getattr(result, "started_at", ""),
                getattr(result, "exit_code", 0),
            )


@dataclass
class Bounds:
    """How much goes wrong in one run at most: clients that die, and clients that are stopped for longer than their lease."""

    deaths: int
    stops: int


@dataclass
class Run:
    """One run: a world, its clients, and what has gone wrong so far."""

    shared: Shared
    clients: list[Client]
    bounds: Bounds
    taken: list[Choice] = field(default_factory=list)

    def begin(self) -> None:
        for client in self.clients:
            client.thread.start()
            client.step()

    def choices(self) -> list[Choice]:
        """What can happen now, in a fixed order."""
        alive = [client for client in self.clients if not client.has_ended]
        ready = [client for client in alive if client.may_go()]
        found: list[Choice] = [("go", client.number) for client in ready]
        if self.shared.running_job() is not None:
            found.append(("job ends", 0))
        waiting = [client for client in alive if client.pending == "sleep" and client not in ready]
        if waiting and any((client.is_dead or client.is_stopped) and client.is_holding for client in self.clients):
            found.append(("time passes", 0))
        if waiting and self.bounds.stops:
            found += [("stop", client.number) for client in alive if client.is_holding and client not in waiting]
        if self.bounds.deaths:
            found += [("kill", client.number) for client in alive]
        return found

    def weight(self, choice: Choice) -> float:
        """How likely it is tried early: one that was stopped goes on late, when others have done much."""
        what, number = choice
        return 0.04 if what == "go" and self.clients[number].was_stopped else SELDOM.get(what, 1.0)

    def take(self, choice: Choice) -> None:
        self.taken.append(choice)
        what, number = choice
        match what:
            case "go":
                self.clients[number].is_stopped = False
                self.clients[number].step()
            case "job ends":
                self.shared.end_job()
            case "time passes":
                self._pass()
            case "stop":
                self.bounds.stops -= 1
                self.clients[number].is_stopped = self.clients[number].was_stopped = True
                self._pass()
            case "kill":
                self.bounds.deaths -= 1
                self.clients[number].kill()

    def _pass(self) -> None:
        """Half a minute: the leases of all who are alive and not stopped have beaten meanwhile."""
        self.shared.time += JUMP
        for client in self.clients:
            if not client.is_stopped and not client.is_dead:
                client.beat()

    def key(self) -> int:
        """Equal for states from which the same can happen."""
        clients = tuple(
            (client.history, client.pending, client.has_ended, client.is_dead, client.is_stopped, client.was_stopped)
            for client in self.clients
        )
        return hash((self.shared.fingerprint(), clients, self.bounds.deaths, self.bounds.stops))

    def end(self) -> None:
        for client in self.clients:
            client.kill()
            client.thread.join()


@dataclass
class Explored:
    """What trying came to. `is_whole`: there was nothing left to try.

    `late` are writes of clients that were stopped, by what was wrong at the end of such a run (empty: nothing), with the choices of one.
    """

    runs: int = 0
    states: int = 0
    failures: list[str] = field(default_factory=list)
    late: dict[tuple[str, str], str] = field(default_factory=dict)
    is_whole: bool = True


def explore(make: Callable[[], Run], finish: Callable[[Run], Iterator[str]], most: int, rng: Random) -> Explored:
    """Every run that differs in its choices, at most so many, in a random order. `finish` says what is wrong at a run's end."""
    found = Explored()
    seen: set[int] = set()
    left: list[tuple[Choice, ...]] = [()]
    while left:
        if found.runs >= most:
            found.is_whole = False
            break
        place = rng.randrange(len(left))
        left[place], left[-1] = left[-1], left[place]
        prefix = left.pop()
        run = make()
        run.begin()
        left += _follow(run, prefix, seen, rng)
        found.runs += 1
        wrong = "; ".join(dict.fromkeys((*run.shared.wrong, *finish(run))))
        if run.shared.unfenced:
            found.late.setdefault(("; ".join(run.shared.unfenced), wrong), _words(run.taken))
        elif wrong:
            found.failures.append(f"{wrong}\n    after {_words(run.taken)}")
        run.end()
    found.states = len(seen)
    return found


def _follow(run: Run, prefix: tuple[Choice, ...], seen: set[int], rng: Random) -> list[tuple[Choice, ...]]:
    """Take the choices of the prefix, then any one in every new state; returns the others."""
    left: list[tuple[Choice, ...]] = []
    for choice in prefix:
        run.take(choice)
    while choices := run.choices():
        key = run.key()
        if key in seen:
            run.taken.append(("seen before", 0))
            return left
        seen.add(key)
        taken = rng.choices(choices, [run.weight(choice) for choice in choices])[0]
        left += [(*run.taken, other) for other in choices if other != taken]
        run.take(taken)
    return left


def _words(taken: list[Choice]) -> str:
    """`go 0 x3, kill 1, …`"""
    words: list[list[Any]] = []
    for what, number in taken:
        text = f"{what} {number}"
        if words and words[-1][0] == text:
            words[-1][1] += 1
        else:
            words.append([text, 1])
    return ", ".join(text if count == 1 else f"{text} x{count}" for text, count in words)
