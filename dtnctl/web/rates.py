"""Transfers' rates over time: each running one is followed once, for all who watch it; of one that has ended its record is read once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from dtnctl.errors import DtnctlError
from dtnctl.model.report import TransferRow
from dtnctl.model.samples import Collector, Sample
from dtnctl.movers.base import Moved
from dtnctl.providers.base import Observer
from dtnctl.runtime.transfers.attempt import is_running
from dtnctl.runtime.transfers.latest import latest_attempt
from dtnctl.runtime.transfers.notes import read_notes
from dtnctl.runtime.transfers.samples import progress_over_time, samples_of
from dtnctl.web.pages.transfers import is_under_way

KEPT = 64  # curves of transfers, ended ones first to go
MOST_FOLLOWED = 32  # at the same time
PAUSE = 1.0  # seconds until a job that has not started yet, or whose output broke off, is looked for again
Key = tuple[str, int, int, str]


@dataclass(frozen=True, slots=True)
class Curve:
    """What is known of a transfer by now. `total`: bytes that it copies; None: not known. `trouble`: why there is no more."""

    samples: tuple[Sample, ...] = ()
    moved: Moved | None = None
    total: int | None = None
    trouble: str = ""


@dataclass(slots=True)
class _Followed:
    """One attempt of a transfer. `begun` while a thread reads it."""

    curve: Curve = field(default_factory=Curve)
    is_read: bool = False
    collected: Collector = field(default_factory=Collector)


class Rates:
    """The curves of the transfers of one site. `wait` pauses a thread, and says whether to end."""

    def __init__(self, site: str, client_of: Callable[[str], Observer | None], wait: Callable[[float], bool]) -> None:
        self._site, self._client_of, self._wait = site, client_of, wait
        self._lock = threading.Lock()
        self._followed: OrderedDict[Key, _Followed] = OrderedDict()

    def curve(self, row: TransferRow) -> Curve:
        """What is known by now; the first call of it begins to read."""
        key = (row.name, row.generation, row.attempt, "runs" if is_under_way(row.state) else "ended")
        with self._lock:
            followed = self._followed.setdefault(key, _Followed())
            self._followed.move_to_end(key)
            self._forget()
            if not followed.is_read and (row.attempt or is_under_way(row.state)):
                if sum(item.is_read and name[3] == "runs" for name, item in self._followed.items()) >= MOST_FOLLOWED:
                    return Curve(trouble=f"{MOST_FOLLOWED} transfers are followed already")
                followed.is_read = True
                act = self._follow if is_under_way(row.state) else self._read
                threading.Thread(target=act, args=(row, followed), name=f"rate-{row.name}", daemon=True).start()
            return followed.curve

    def _forget(self) -> None:
        """Of too many, those that no thread reads and that were asked for longest ago."""
        for key in [key for key, item in self._followed.items() if key[3] == "ended" or not item.is_read]:
            if len(self._followed) <= KEPT:
                return
            del self._followed[key]

    def _follow(self, row: TransferRow, followed: _Followed) -> None:
        """Read the running job's output until it ends. What breaks off is begun again by the next who asks."""
        try:
            self._read_job(row, followed)
        except DtnctlError as error:
            followed.curve = Curve(followed.curve.samples, followed.curve.moved, followed.curve.total, str(error))
        self._wait(PAUSE)
        followed.is_read = False

    def _read_job(self, row: TransferRow, followed: _Followed) -> None:
        client = self._client_of(row.source.partition(":")[0])
        if client is None:
            return
        _, job = latest_attempt(client, self._site, row.name, row.generation)
        notes = read_notes(client, job) if job is not None and is_running(job) else None
        if job is None or notes is None:
            return
        followed.collected = Collector()
        for seconds, moved in progress_over_time(client, job, notes.reader(), follow=True):
            followed.collected.add(seconds, moved.bytes)
            followed.curve = Curve(followed.collected.samples(), moved, notes.total)

    def _read(self, row: TransferRow, followed: _Followed) -> None:
        """Read what the record of an ended one keeps."""
        client = self._client_of(row.source.partition(":")[0])
        try:
            samples = samples_of(client, self._site, row.name, row.generation)[1] if client is not None else ()
            followed.curve = Curve(samples, total=row.bytes)
            followed.is_read = client is not None
        except DtnctlError as error:
            followed.curve = Curve(trouble=str(error))
            self._wait(PAUSE)
            followed.is_read = False
