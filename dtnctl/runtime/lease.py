"""One writer per endpoint: a lease that dies with its holder, kept in the store of the endpoint.

A fixed name is an atomic test-and-set there. The holder writes a beat into it every few seconds. A waiter takes a
lease over when its beat did not move for a while on the waiter's own clock, or at once when the holder is a dead process of
the waiter's own machine. It removes the old one by id, never by name: that could hit the next holder's.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from dtnctl.errors import BlockedError, ConflictError, DtnctlError, EngineError, LockError, NotFoundError, UnreachableError
from dtnctl.model.resources import LABEL_KIND, LABEL_SELF, LABEL_SITE, Snapshot, describe_holder, lease_name, self_reference
from dtnctl.providers.base import Engine
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.observe import find_ours

LABEL_HOLDER = "dtnctl.holder"
BEAT_SECONDS = 5.0
STALE_SECONDS = 30.0  # a lease whose beat stands still for so long is taken over
SAFE_SECONDS = 20.0  # without a confirmed beat for so long, the holder stops writing; shorter than STALE_SECONDS on purpose
POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, distinct from every other one on any machine. `started` is its start time in seconds since the epoch."""

    who: str
    machine: str
    pid: int
    started: float

    def text(self) -> str:
        """For the lease's label."""
        return json.dumps({"who": self.who, "machine": self.machine, "pid": self.pid, "started": self.started}, sort_keys=True)


def operator() -> str:
    """Who runs this program, and where: what leases and records of transfers name."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def this_process() -> Holder:
    """Ourselves as a holder. The machine is known by its boot and our process namespace, so that a pid means something."""
    import psutil

    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    namespace = str(Path("/proc/self/ns/pid").readlink())
    return Holder(operator(), f"{boot} {namespace}", os.getpid(), psutil.Process().create_time())


def is_dead(text: str) -> bool:
    """Whether the holder was a process of this very machine that is gone. Anything doubtful counts as alive."""
    import psutil

    try:
        data = json.loads(text)
        if data["machine"] != this_process().machine:
            return False
        started: float = psutil.Process(int(data["pid"])).create_time()
        return abs(started - float(data["started"])) > 1.0
    except psutil.NoSuchProcess:
        return True
    except (ValueError, KeyError, TypeError, psutil.Error):
        return False


@dataclass(slots=True)
class _Held:
    engine: Engine
    id: str
    last_beat: float


@dataclass(slots=True)
class Leases:
    """The leases that we hold. `check` is called before every write."""

    clock: Clock
    held: dict[str, _Held] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    refused: dict[str, DtnctlError] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def check(self, endpoint: str) -> None:
        """Raise LockError unless the lease of the endpoint is certainly still ours, or the reason why there never was one."""
        if endpoint in self.refused:
            raise self.refused[endpoint]
        if endpoint in self.lost:
            raise LockError(f"the lease of {endpoint} was lost: {self.lost[endpoint]}; nothing more is changed there")
        age = self.clock.monotonic() - self.held[endpoint].last_beat
        if age > SAFE_SECONDS:
            raise LockError(f"the lease of {endpoint} could not be renewed for {age:.0f} s; nothing more is changed there")

    def hold(self, engine: Engine, lease: str) -> None:
        """Note a lease that was just taken, and let it beat. Each has a thread of its own: one slow engine must not cost the others."""
        held = self.held[engine.endpoint] = _Held(engine, lease, self.clock.monotonic())
        threading.Thread(target=self._beat_forever, args=(engine.endpoint, held), name="lease", daemon=True).start()

    def _beat_forever(self, endpoint: str, held: _Held) -> None:
        number = 0
        while not self.stopping.wait(BEAT_SECONDS) and self.held.get(endpoint) is held:
            number += 1
            self._beat(endpoint, held, number)

    def _beat(self, endpoint: str, held: _Held, number: int) -> None:
        before = self.clock.monotonic()
        try:
            held.engine.store.beat(held.id, f"{os.getpid()} {number}\n".encode())
            held.last_beat = before
        except NotFoundError:
            self.lost[endpoint] = "somebody removed it"
        except DtnctlError as error:
            if before - held.last_beat > SAFE_SECONDS:
                self.lost.setdefault(endpoint, str(error))


@dataclass(frozen=True, slots=True)
class _Request:
    """Who wants leases, until when on the clock, and where waiting is reported. `stop` ends the waiting."""

    site: str
    holder: Holder
    deadline: float
    report: Callable[[str], None]
    stop: threading.Event


@contextlib.contextmanager
def hold_leases(
    engines: Mapping[str, Engine],
    *,
    site: str,
    holder: Holder,
    clock: Clock,
    timeout: float,
    report: Callable[[str], None],
    stop: threading.Event | None = None,
) -> Iterator[Leases]:
    """Hold the leases of all these endpoints, or raise LockError after `timeout` seconds or when `stop` is set; released at the end.

    An endpoint that cannot give one (its disk is full, it went away) is not written to: `check` says why. The others go on.
    All are asked for at once. Where one is taken, the others are released and all are taken in name order: two holders
    that want the same two endpoints cannot wait for each other for ever.
    """
    leases = Leases(clock)
    request = _Request(site, holder, clock.monotonic() + timeout, report, stop or threading.Event())
    try:
        _acquire(leases, engines, request)
        yield leases
    finally:
        leases.stopping.set()
        _release(leases)


def _acquire(leases: Leases, engines: Mapping[str, Engine], request: _Request) -> None:
    names = sorted(engines)
    with ThreadPoolExecutor(max_workers=max(1, len(names)), thread_name_prefix="lease") as pool:
        results = list(pool.map(lambda name: _try_to_take(leases, engines[name], request), names))
    if all(results):
        return
    _release(leases)
    for name in names:
        if name in leases.refused:
            continue
        try:
            leases.hold(engines[name], _wait_for(engines[name], leases.clock, request))
        except (EngineError, UnreachableError) as error:
            leases.refused[name] = error


def _try_to_take(leases: Leases, engine: Engine, request: _Request) -> bool:
    """Whether the endpoint needs no waiting: we hold its lease, or it cannot give one."""
    try:
        lease = _take(engine, request.site, request.holder)
    except (EngineError, UnreachableError) as error:
        leases.refused[engine.endpoint] = error
        return True
    if lease is None:
        return False
    leases.hold(engine, lease)
    return True


def _take(engine: Engine, site: str, holder: Holder) -> str | None:
    """The lease's id, or None when somebody has it."""
    name = lease_name(site)
    labels = {LABEL_SITE: site, LABEL_KIND: "lease", LABEL_SELF: self_reference(engine.endpoint, name), LABEL_HOLDER: holder.text()}
    try:
        return engine.store.claim(name, tuple(sorted(labels.items())))
    except ConflictError:
        return None


@dataclass(frozen=True, slots=True)
class _Sighting:
    """Somebody's lease at one moment."""

    id: str
    holder: str
    beat: bytes


def _sight(engine: Engine, site: str) -> _Sighting | None:
    """The lease as it is now; None when it was just released. LockError if the name is somebody else's: that is never removed."""
    name = lease_name(site)
    what = f"{engine.endpoint} has an object named {name}"
    seen = find_ours(engine, name, lambda whose: LockError(f"{what} {whose}; nothing can be locked there while it has that name"))
    if seen is None:
        return None
    return _Sighting(seen.id, seen.labels.get(LABEL_HOLDER, ""), engine.store.last_beat(seen.id))


def _wait_for(engine: Engine, clock: Clock, request: _Request) -> str:
    endpoint = engine.endpoint
    last: _Sighting | None = None
    since = clock.monotonic()
    while True:
        lease = _take(engine, request.site, request.holder)
        if lease is not None:
            return lease
        seen = _sight(engine, request.site)
        who = describe_holder(seen.holder) if seen is not None else "somebody"
        if seen is not None and (last is None or seen.id != last.id):
            request.report(f"waiting for the lease of {endpoint}, held by {who}")
        if seen != last:
            last, since = seen, clock.monotonic()
        if seen is not None and (is_dead(seen.holder) or clock.monotonic() - since > STALE_SECONDS):
            request.report(f"taking over the lease of {endpoint}: {who} is gone")
            engine.store.remove(seen.id)
            continue
        if request.stop.is_set():
            raise LockError(f"stopped while waiting for the lease of {endpoint}, held by {who}; nothing was changed")
        if clock.monotonic() >= request.deadline:
            fix = f"wait longer with --lock-timeout or, if that run is surely dead, `dtnctl unlock {endpoint}`"
            raise LockError(f"the lease of {endpoint} is held by {who}; {fix}")
        clock.sleep(POLL_SECONDS)


def _release(leases: Leases) -> None:
    """Give all back. One that was lost meanwhile is not ours to remove: it is removed by id, which then finds nothing."""

    def give_back(held: _Held) -> None:
        with contextlib.suppress(DtnctlError):
            held.engine.store.remove(held.id)

    if leases.held:
        with ThreadPoolExecutor(max_workers=len(leases.held), thread_name_prefix="release") as pool:
            list(pool.map(give_back, leases.held.values()))
    leases.held.clear()


def clear_dead_leases(engines: Mapping[str, Engine], snapshot: Snapshot, report: Callable[[str], None]) -> None:
    """Remove leases that dead processes of this machine left. Those of other machines go when somebody needs the endpoint."""
    for name, seen in snapshot.endpoints.items():
        if seen.lease is not None and seen.lease.is_ours and is_dead(seen.lease.holder):
            engines[name].store.remove(seen.lease.id)
            report(f"{name}: removed the lease that {describe_holder(seen.lease.holder)} left when it died")


def remove_lease(engine: Engine, site: str) -> str:
    """Remove the endpoint's lease, whoever holds it; returns who did, empty if there is none.

    BlockedError if what has that name is not this site's: then it stays.
    """
    name = lease_name(site)
    what = f"{engine.endpoint} has an object named {name}"
    seen = find_ours(engine, name, lambda whose: BlockedError(f"{what} {whose}; it was not removed"))
    if seen is None:
        return ""
    engine.store.remove(seen.id)
    return describe_holder(seen.labels.get(LABEL_HOLDER, ""))
