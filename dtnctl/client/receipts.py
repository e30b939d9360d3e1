"""The mirror of records in Git: read before they look, and written when transfers start, end or are decided."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dtnctl.client.workplace import Workplace
from dtnctl.errors import DtnctlError

if TYPE_CHECKING:
    from dtnctl.model.ledger import Attempt, AttemptKey
    from dtnctl.model.outcome import Outcome
    from dtnctl.model.plan import Step
    from dtnctl.model.resources import Snapshot
    from dtnctl.providers.base import Observer
    from dtnctl.repository.receipts import Receipts
    from dtnctl.runtime.reconcile import Reports

WITHOUT = ("no_git", "no_repository")  # there is nothing that could hold a mirror
LATER = "nothing is lost, the next apply mirrors what is missing"


def receipts_of(workplace: Workplace, who: str = "dtnctl") -> Receipts:
    """The mirror of the site, at the remote that it names."""
    from dtnctl.repository.receipts import Receipts

    site = workplace.site
    return Receipts(workplace.root, site.name, site.settings.value.receipts.remote or "", who)


def with_receipts(workplace: Workplace) -> Workplace:
    """With what the repository mirrors of the declared generations. What cannot be fetched or read is said."""
    site = workplace.site
    if not site.transfers:
        return workplace
    receipts = receipts_of(workplace)
    trouble = receipts.fetch() if receipts.remote else ""
    if trouble:
        workplace.say(f"note: receipts cannot be fetched from {receipts.remote}: {trouble}; those that this clone has count")
    mirror = receipts.read({name: document.value.generation for name, document in site.transfers.items()})
    if mirror.trouble and workplace.head.result().absence not in WITHOUT:
        workplace.say(f"note: the receipts that Git mirrors cannot be read: {mirror.trouble}; those on the endpoints count")
    return replace(workplace, site=replace(site, receipts=mirror.attempts))


@dataclass(slots=True)
class Mirroring:
    """Mirrors records beside a run, one commit after the other: what is due meanwhile goes into the next one.

    `receipts` is None where there is no repository to mirror them into. `declares`: the site declares transfers; those that it has
    declared earlier may still have records.
    """

    site: str
    observers: Mapping[str, Observer]
    receipts: Receipts | None
    say: Callable[[str], None]
    declares: bool = True
    trouble: str = ""
    _due: dict[tuple[str, AttemptKey], None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="mirror"))

    def watching(self, reports: Reports) -> Reports:
        """The same reports; each transfer that a step started or ended is mirrored."""
        from dtnctl.model.actions import FinishTransfer, RecordEnd, StartTransfer

        def outcome(result: Outcome, step: Step) -> None:
            reports.outcome(result, step)
            if isinstance(step.action, (StartTransfer, FinishTransfer, RecordEnd)) and result.result != "skipped":
                self.note(step.endpoint, (step.action.transfer, step.action.generation, step.action.attempt))

        return replace(reports, outcome=outcome)

    def note(self, endpoint: str, key: AttemptKey) -> None:
        """The attempt's record, and those of later tries, are to be mirrored."""
        with self._lock:
            self._due[endpoint, key] = None
        self._pool.submit(self._write_due)

    def _write_due(self) -> None:
        with self._lock:
            due, self._due = tuple(self._due), {}
        if due:
            self._write(tuple(attempt for endpoint, key in due for attempt in _located(endpoint, self._records(endpoint, key))))

    def _records(self, endpoint: str, key: AttemptKey) -> Iterator[Attempt]:
        """Those that can be read now; the last look of a run shows the others."""
        from dtnctl.runtime.transfers.record import read_record

        transfer, generation, attempt = key
        with contextlib.suppress(DtnctlError):
            while (found := read_record(self.observers[endpoint], self.site, transfer, generation, attempt)) is not None:
                yield found
                attempt += 1

    def _write(self, attempts: tuple[Attempt, ...]) -> None:
        self.trouble = self.receipts.write(attempts) if self.receipts is not None else ""

    def end(self, snapshot: Snapshot | None) -> None:
        """Wait for what is under way, then mirror all that the endpoints' ledgers hold; a note if that cannot be."""
        self._pool.shutdown(wait=True)
        if snapshot is not None:
            found = tuple(attempt for seen in snapshot.endpoints.values() for attempt in _located(seen.name, seen.ledger.attempts))
            if found or self.declares:
                self._write(found)
        if self.trouble:
            self.say(f"note: receipts are not mirrored into Git: {self.trouble}; {LATER}")


def _located(endpoint: str, attempts: Iterable[Attempt]) -> Iterator[Attempt]:
    """Records of an older dtnctl do not name their endpoint, which whoever reads the mirror must know."""
    return (attempt if attempt.endpoint else replace(attempt, endpoint=endpoint) for attempt in attempts)


def mirroring(workplace: Workplace, observers: Mapping[str, Observer]) -> Mirroring:
    """What mirrors the records of a run."""
    from dtnctl.runtime.lease import operator

    has_mirror = workplace.head.result().absence not in WITHOUT
    receipts = receipts_of(workplace, operator()) if has_mirror else None
    return Mirroring(workplace.site.name, observers, receipts, workplace.say, declares=bool(workplace.site.transfers))
