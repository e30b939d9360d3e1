"""The client library's one class: a state repository that is open, and what a program can ask and do with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from dtnctl.client import applying, looking
from dtnctl.client.ending import Ending, worst
from dtnctl.client.labels import selected, with_label
from dtnctl.client.missing import missing_logins, missing_secrets
from dtnctl.client.receipts import with_receipts
from dtnctl.client.run_record import recorded
from dtnctl.client.workplace import STATE_FOLDER, Workplace, open_workplace
from dtnctl.errors import ConfigError, DtnctlError, UsageError
from dtnctl.planning.scope import Scope

if TYPE_CHECKING:
    import threading

    from dtn_agent.protocol import Host

    from dtnctl.client.events import Event, OnEvent
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
    from dtnctl.runtime.reconcile import Reports

ALL = Scope()
RUNNING = frozenset({"pending", "claimed", "starting", "running", "verifying"})


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
        from dtnctl.client.workplace import observers
        from dtnctl.runtime.transfers.transfer import with_live_progress

        view = self.look(paths=False)
        rows = {row.name: row for row in view.transfers()}
        row = rows[_one_of("transfer", name, rows)]
        if row.state != "running":
            return row
        with observers(view.workplace, self.timeout) as clients:
            return with_live_progress(row, clients[row.source.partition(":")[0]], view.site.name)

    def follow(self, transfer: str, *, every: float = 2.0, sleep: Callable[[float], None] = time.sleep) -> Iterator[TransferRow]:
        """The transfer's state, and again after `every` seconds, until it has ended; its last state is the last item.

        One that `apply` has not started stays pending: this waits for it.
        """
        while True:
            row = self.transfer(transfer)
            yield row
            if row.state not in RUNNING:
                return
            sleep(every)

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
        `wait`: until transfers have ended. `lock_timeout`: seconds for each endpoint's lease. `stop`, once set, ends the run after
        the steps that are under way.
        """
        workplace, scope = selected(with_receipts(self._opened()), with_label(scope, scope.label))
        _refuse_missing(workplace, plan, scope)
        with recorded("apply", scope) as run, applying.writing(workplace, self.timeout) as clients:
            run.planned(workplace, plan)
            conditions = applying.Conditions(lock_timeout, parallel, expect=plan.hash, wait=wait)
            conditions = conditions if stop is None else replace(conditions, stop=stop)
            applied = applying.carry_out(workplace, clients, plan, scope, conditions, _reports(on_event or _unheard))
            run.applied(applied)
            ending = Ending("apply", applied.plan, applied.outcomes, applied.remaining, waited=wait, deferring=scope.defer)
            run.error = worst(ending)
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


def _reports(on_event: OnEvent) -> Reports:
    from dtnctl.client.events import EventReports

    return EventReports(on_event).reports()


def _unheard(event: Event) -> None:
    """For a caller that takes no events."""
