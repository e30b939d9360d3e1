"""The client library's one class: a state repository that is open, and what a program can ask and do with it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from dtnctl.client import applying, looking
from dtnctl.client.ending import Ending, worst
from dtnctl.client.interrupts import interrupts_set
from dtnctl.client.labels import selected, with_label
from dtnctl.client.missing import missing_logins, missing_secrets
from dtnctl.client.receipts import with_receipts
from dtnctl.client.run_record import recorded
from dtnctl.client.workplace import STATE_FOLDER, Workplace, open_workplace
from dtnctl.errors import ConfigError, DtnctlError, UsageError
from dtnctl.planning.scope import Scope

if TYPE_CHECKING:
    from dtn_agent.protocol import Host

    from dtnctl.client.events import Event, EventReports, OnEvent
    from dtnctl.client.looking import View
    from dtnctl.model.head import Head
    from dtnctl.model.outcome import Outcome
    from dtnctl.model.plan import Plan
    from dtnctl.model.report import TransferRow
    from dtnctl.model.resources import Snapshot
    from dtnctl.model.site import Site
    from dtnctl.repository import edit
    from dtnctl.repository.changes import Changes
    from dtnctl.repository.edit import Edit

ALL = Scope()
ENDED = frozenset({"succeeded", "partial", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Result:
    """What apply did: the plan that ran, what became of each step, the changes that a last look still found, and what it saw.

    `error` is the one with whose exit code `dtnctl apply` would end, None if all is well.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...]
    remaining: Plan | None
    seen: Snapshot | None
    error: DtnctlError | None


@dataclass(slots=True)
class Client:
    """A state repository and the endpoints that it declares. Made by `dtnctl.open_repository`.

    Every call reads the files as they are then: ConfigError with all that is wrong in them. `timeout`: seconds that an endpoint has for
    an answer. `notes` are sentences that are no errors and still worth a look, such as receipts that cannot be fetched, each once.
    """

    root: Path
    timeout: float = 10.0
    notes: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is held between two calls."""

    @property
    def site(self) -> Site:
        """The validated site."""
        return self._opened().site

    @property
    def head(self) -> Head:
        """The commit that the files are of, and whether some have changed since."""
        return self._opened().head.result()

    # --- looking: by clients that cannot write ---

    def look(self, *, label: str = "", paths: bool = True) -> View:
        """One look at all endpoints, or those of the part of the site that `label` selects. One that does not answer is silent there."""
        return looking.look(self._opened(), self.timeout, label=label, asks_paths=paths)

    def plan(self, scope: Scope = ALL) -> Plan:
        """What apply would do, and why. UsageError for a scope that names nothing."""
        return looking.make_plan(self._opened(), with_label(scope, scope.label), self.timeout)

    def host(self, endpoint: str) -> Host | None:
        """What the agent of the endpoint reports of its hardware; None without an agent, or one that does not answer."""
        seen = self.look(paths=False).snapshot.endpoints
        _one_of("endpoint", endpoint, seen)
        return seen[endpoint].host

    def transfer(self, name: str) -> TransferRow:
        """The transfer's state; of a running one how far it is."""
        return self._transfer(name)[0]

    def follow(self, transfer: str, *, every: float = 2.0, sleep: Callable[[float], None] = time.sleep) -> Iterator[TransferRow]:
        """The transfer's state, and again after `every` seconds, until it has ended; its last state is the last item.

        One that `apply` has not started stays pending: this waits for it. An end that is unknown is one where the endpoint answers;
        where it does not, the transfer may still run.
        """
        while True:
            row, is_answered = self._transfer(transfer)
            yield row
            if row.state in ENDED or (row.state == "unknown" and is_answered):
                return
            sleep(every)

    def _transfer(self, name: str) -> tuple[TransferRow, bool]:
        """Its row, and whether both ends answered."""
        from dtnctl.client.workplace import observers
        from dtnctl.runtime.transfers.transfer import with_live_progress

        view = self.look(paths=False)
        rows = {row.name: row for row in view.transfers()}
        row = rows[_one_of("transfer", name, rows)]
        ends = [end.partition(":")[0] for end in (row.source, row.destination)]
        if row.state == "running":
            with observers(view.workplace, self.timeout) as clients:
                row = with_live_progress(row, clients[ends[0]], view.site.name)
        return row, not any(view.snapshot.endpoints[end].is_silent for end in ends)

    # --- changing endpoints ---

    def apply(
        self,
        plan: Plan,
        scope: Scope = ALL,
        *,
        on_event: OnEvent | None = None,
        check: bool = True,
        wait: bool = True,
        parallel: int = 0,
        lock_timeout: float = 60.0,
        stop: threading.Event | None = None,
    ) -> Result:
        """Carry out exactly this plan, made with the same scope; the run is recorded in Git as one of `dtnctl apply`.

        StalePlanError if another plan would run now: nothing is touched then. With `check`, the error of the worst that happened is
        raised, as the exit code says it; else it stands in the result. `on_event` is called one event at a time, from several threads.
        `wait`: until transfers have ended. `lock_timeout`: seconds for each endpoint's lease.

        Once `stop` is set, no further step is begun, a replacement that has stopped its old container is brought to an end, and the error
        is StoppedError if something was left out. Ctrl-C does the same, and so does an exception of `on_event`, which is raised then.
        UsageError for a scope that destroys: `dtnctl destroy` asks for the site's name.
        """
        if scope.destroy:
            raise UsageError("apply does not destroy; `dtnctl destroy` does, and asks for the site's name")
        workplace, scope = selected(with_receipts(self._opened()), with_label(scope, scope.label))
        _refuse_missing(workplace, plan, scope)
        hearing = _hearing(on_event, stop)
        with recorded("apply", scope) as run, applying.writing(workplace, self.timeout) as clients, interrupts_set(hearing.stop):
            run.planned(workplace, plan)
            conditions = applying.Conditions(lock_timeout, parallel, expect=plan.hash, wait=wait, stop=hearing.stop)
            applied = applying.carry_out(workplace, clients, plan, scope, conditions, hearing.reports())
            run.applied(applied)
            is_cut_short = hearing.stop.is_set() and any(outcome.result != "done" for outcome in applied.outcomes)
            number = signal.SIGINT if is_cut_short else 0
            run.error = worst(Ending("apply", applied.plan, applied.outcomes, applied.remaining, number, wait, deferring=scope.defer))
        if hearing.failure is not None:
            raise hearing.failure
        if check and run.error is not None:
            raise run.error
        return Result(applied.plan, applied.outcomes, applied.remaining, applied.seen, run.error)

    # --- changing files: comments and order stay ---

    def create_session(self, endpoints: Sequence[str], name: str | None = None, **fields: str) -> Edit:
        """Write a session file; `fields` are image, profile, user and state. Nothing runs before `apply`."""
        from dtnctl.repository.edit import create_session

        return create_session(self._files(), list(endpoints), fields, name)

    def start_session(self, name: str) -> Edit:
        """Write `state: started` into the session's file."""
        from dtnctl.repository.edit import set_session_state

        return set_session_state(self._files(), name, "started")

    def stop_session(self, name: str) -> Edit:
        """Write `state: stopped` into the session's file."""
        from dtnctl.repository.edit import set_session_state

        return set_session_state(self._files(), name, "stopped")

    def delete_session(self, name: str) -> Edit:
        """Remove the session's file."""
        from dtnctl.repository.edit import delete_session

        return delete_session(self._files(), name)

    def declare_transfer(self, source: str, destination: str, tool: str, name: str | None = None, **fields: object) -> Edit:
        """Write a transfer's file; one that exists with the same ends and tool gets a higher generation. `fields` are those of its file."""
        from dtnctl.repository.edit import declare_transfer

        return declare_transfer(self._files(), {"from": source, "to": destination, "tool": tool, **fields}, name)

    def changes(self) -> Changes:
        """Changes of any state files, checked and written together: `with client.changes() as changes: changes.set("site", ...)`."""
        from dtnctl.repository.changes import Changes
        from dtnctl.runtime.clock import SystemClock

        return Changes(self.root, STATE_FOLDER, SystemClock().now())

    def _opened(self) -> Workplace:
        return open_workplace(self.root, self._note)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _files(self) -> edit.Repository:
        from dtnctl.repository.edit import Repository
        from dtnctl.runtime.clock import SystemClock

        return Repository(self.root, STATE_FOLDER, SystemClock().now())


def open_repository(folder: str | Path = ".", *, timeout: float = 10.0) -> Client:
    """The state repository that `folder` is in. ConfigError with all that is wrong in its files, UsageError if there is none."""
    from dtnctl.repository.find import find_repository

    client = Client(find_repository(Path(folder).resolve(), STATE_FOLDER), timeout)
    client._opened()  # mistakes are said now
    return client


def _one_of(kind: str, name: str, known: Mapping[str, object]) -> str:
    if name not in known:
        from dtnctl.model.nearest import suggestion

        raise UsageError(f"no {kind} named {name}; try {suggestion(name, known, f'`dtnctl {kind}s list`')}")
    return name


def _refuse_missing(workplace: Workplace, plan: Plan, scope: Scope) -> None:
    if problems := [*missing_secrets(workplace, scope), *missing_logins(workplace, plan)]:
        raise ConfigError(problems)


def _hearing(on_event: OnEvent | None, stop: threading.Event | None) -> EventReports:
    from dtnctl.client.events import EventReports

    return EventReports(on_event or _unheard, stop or threading.Event())


def _unheard(event: Event) -> None:
    """For a caller that takes no events."""
