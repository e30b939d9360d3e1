"""Looks at the site again and again for the live view: one look at a time, by clients that cannot write and stay open."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace

from dtnctl.cli.top.rates import Rates
from dtnctl.cli.top.tables import Frame, endpoint_table, head_text, interface_table, session_table, transfer_table
from dtnctl.client.looking import View
from dtnctl.client.workplace import Workplace
from dtnctl.errors import EngineError, TransferError, UnreachableError
from dtnctl.model.progress import Measured
from dtnctl.model.report import TransferRow
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.planning.resolve import wanted_by_endpoint
from dtnctl.providers.base import Observer
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.observe import observe_all
from dtnctl.runtime.transfers.meter import Meters
from dtnctl.runtime.transfers.transfer import Progress, live_progress

PATIENCE = 30.0  # seconds until an endpoint that gave no answer is asked again: it keeps the others waiting for its time-out
AT_ONCE = 8  # logs of running transfers that are read at the same time


@dataclass(slots=True)
class Looker:
    """All looks of one run of the live view. Not for several threads at once."""

    workplace: Workplace
    clients: Mapping[str, Observer]
    clock: Clock
    _seen: dict[str, EndpointSeen] = field(default_factory=dict)
    _asked_at: dict[str, float] = field(default_factory=dict)
    _rates: Rates = field(default_factory=Rates)
    _meters: Meters = field(default_factory=Meters)

    def look(self) -> Frame:
        """One look; an endpoint that was silent less than PATIENCE ago is not asked and stays silent."""
        site, now = self.workplace.asked, self.clock.now()
        wanted = {name: replace(item, remote_images=frozenset()) for name, item in wanted_by_endpoint(self.workplace.site, now).items()}
        for name, found in observe_all(self._due(), wanted).endpoints.items():
            self._take(name, found)
        snapshot = self.snapshot
        seen = snapshot.endpoints
        view = View(self.workplace, site, snapshot, now, None)
        endpoints, sessions, transfers = view.endpoints(), view.sessions(), view.transfers()
        tables = (
            endpoint_table(endpoints, seen),
            interface_table(site, seen, self._rates),
            session_table(sessions),
            transfer_table(transfers, self._measured(transfers)),
        )
        return Frame(head_text(site.name, endpoints, sessions, transfers), tables)

    @property
    def snapshot(self) -> Snapshot:
        """What is known now."""
        return Snapshot(dict(sorted(self._seen.items())))

    def knows_rates(self) -> bool:
        """Whether another look would show rates of interfaces: an agent reports their counters."""
        return any(seen.host is not None for seen in self._seen.values())

    def _due(self) -> Mapping[str, Observer]:
        at = self.clock.monotonic()
        resting = {name for name, seen in self._seen.items() if seen.is_silent and at - self._asked_at[name] < PATIENCE}
        return {name: client for name, client in self.clients.items() if name not in resting}

    def _take(self, name: str, seen: EndpointSeen) -> None:
        self._seen[name] = seen
        self._asked_at[name] = self.clock.monotonic()
        if seen.host is not None:
            self._rates.feed(name, seen.host.facts)
        else:
            self._rates.forget(name)

    # --- running transfers ---

    def _measured(self, rows: tuple[TransferRow, ...]) -> Mapping[str, Measured]:
        """How far those are that run. One whose log does not say, or cannot be read, is left out."""
        running = [row for row in rows if row.state == "running"]
        for row in rows:
            if row.state != "running":
                self._meters.end(row.name)
        with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="progress") as pool:
            found = list(pool.map(self._progress, running))
        at = self.clock.monotonic()
        return {item.transfer: self._meters.feed(item, at) for item in found if item is not None}

    def _progress(self, row: TransferRow) -> Progress | None:
        client = self.clients[row.source.partition(":")[0]]
        with suppress(EngineError, UnreachableError, TransferError):
            return live_progress(client, self.workplace.site.name, row.name, row.generation)
        return None
