"""Waits for a job to end: follows its output, reports progress, stops it when it stalls or its time is over.

Waiting is done by the engine's own stream of the job's output, which ends with the job. Nothing is polled but the caller's request to stop.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.resources import ContainerSeen
from dtnctl.movers.base import Moved, ProgressReader, Stopped
from dtnctl.providers.base import Engine, Observer
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.transfers.attempt import is_running

LOG_KEPT = 64 * 1024
LOOK_UP_SECONDS = 0.5  # how often a watcher of a silent job looks whether it is to stop
BLIND_SECONDS = 5.0  # how long one question for the end lasts when the output cannot be read
STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """Times in seconds. `time_left` is None without a deadline."""

    stall: float
    time_left: float | None


@dataclass(frozen=True, slots=True)
class Watched:
    """A job that has ended: as it is now, the end of its output, and why it was stopped if it was."""

    job: ContainerSeen
    log: bytes
    stopped: Stopped


class InterruptedWaitError(Exception):
    """The caller asked to stop waiting; the job goes on, and nothing failed."""


class Tail:
    """The end of an output, at most `LOG_KEPT` bytes of it."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._kept = 0
        self._lost = 0

    def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._kept += len(chunk)
        while self._kept - len(self._chunks[0]) >= LOG_KEPT:
            self._lost += len(self._chunks[0])
            self._kept -= len(self._chunks.popleft())

    def content(self) -> bytes:
        kept = b"".join(self._chunks)
        lost = self._lost + max(0, len(kept) - LOG_KEPT)
        return (b"[%d bytes before this are left out]\n" % lost if lost else b"") + kept[-LOG_KEPT:]


def read_tail(observer: Observer, container: str) -> bytes:
    """The end of what a container wrote; if the engine does not answer, a line that says so."""
    tail = Tail()
    try:
        for chunk in observer.logs(container, tail=5000):
            tail.add(chunk)
    except EngineError as error:
        tail.add(f"[the engine cannot show the output: {error}]\n".encode())
    return tail.content()


@dataclass(slots=True)
class _Stream:
    """A container's output in a thread of its own; what arrives can be waited for together with other things."""

    engine: Engine
    container: str
    arrived: queue.SimpleQueue[bytes | EngineError | UnreachableError | None] = field(default_factory=queue.SimpleQueue)

    def start(self) -> None:
        threading.Thread(target=self._read, name=f"log {self.container[:12]}", daemon=True).start()

    def _read(self) -> None:
        try:
            for chunk in self.engine.logs(self.container, follow=True):
                self.arrived.put(chunk)
            self.arrived.put(None)
        except (EngineError, UnreachableError) as error:
            self.arrived.put(error)


@dataclass(slots=True)
class Watch:
    """Watches one job until it ends. `make_reader` gives a new reader for each time that its output is read from the start."""

    engine: Engine
    container: str
    make_reader: Callable[[], ProgressReader]
    limits: WatchLimits
    clock: Clock
    stop: threading.Event
    report: Callable[[Moved], None]
    _began: float = 0.0
    _moved_at: float = 0.0
    _most: int = 0

    def run(self) -> Watched:
        """The job when it has ended. InterruptedWaitError if the caller wants to stop waiting; NotFoundError if it is removed meanwhile."""
        self._began = self._moved_at = self.clock.monotonic()
        stopped: Stopped = ""
        while True:
            tail = Tail()
            stopped = self._follow(tail, stopped)
            job = self.engine.inspect(self.container)
            if is_running(job):
                # its output ended before it did, or cannot be read: ask for its end alone
                stopped = self._stop_if_due(stopped)
                self.engine.wait(self.container, BLIND_SECONDS)
                job = self.engine.inspect(self.container)
            if not is_running(job):
                return Watched(job, tail.content(), stopped)

    def _follow(self, tail: Tail, stopped: Stopped) -> Stopped:
        """Read the output until it ends, and stop the job when it is time to."""
        stream, reader = _Stream(self.engine, self.container), self.make_reader()
        stream.start()
        while True:
            found = self._next(stream)
            match found:
                case None | UnreachableError():
                    return stopped  # whether the endpoint is gone or only this connection, the next question shows
                case EngineError():
                    tail.add(f"[the engine cannot show the output: {found}]\n".encode())
                    self._moved_at = self.clock.monotonic()  # whether it moves is not known
                    return stopped
                case bytes():
                    tail.add(found)
                    self._note(reader.feed(found))
            stopped = self._stop_if_due(stopped)

    def _next(self, stream: _Stream) -> bytes | EngineError | UnreachableError | None:
        """What arrived, nothing included; None at the end."""
        try:
            return stream.arrived.get(timeout=LOOK_UP_SECONDS)
        except queue.Empty:
            return b""

    def _note(self, moved: Moved | None) -> None:
        if moved is None:
            return
        if moved.is_moving:
            self._moved_at = self.clock.monotonic()
        if moved.bytes >= self._most:  # read again from the start, it begins with old output
            self._most = moved.bytes
            self.report(moved)

    def _stop_if_due(self, stopped: Stopped) -> Stopped:
        """Stop the job if that is due and was not done; returns why it was stopped."""
        if stopped:
            return stopped
        if self.stop.is_set():
            raise InterruptedWaitError
        now = self.clock.monotonic()
        late = self.limits.time_left is not None and now - self._began >= self.limits.time_left
        if not late and now - self._moved_at < self.limits.stall:
            return ""
        self.engine.stop(self.container, STOP_SECONDS)
        return "deadline" if late else "stalled"
