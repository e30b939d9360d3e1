"""The loop: observe, plan, and for apply: lease, observe again, plan again, execute, verify. Nothing is decided here."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias, assert_never

from dtnctl.errors import StalePlanError, UnreachableError, UsageError
from dtnctl.model.actions import (
    CreateContainer,
    EnsureLedger,
    FinishTransfer,
    HostRequest,
    JobAction,
    RecordCancel,
    RecordEnd,
    ReplaceContainer,
    RestoreContainer,
    StartTransfer,
    Undo,
    WaitHealthy,
)
from dtnctl.model.head import NOT_ASKED, Head
from dtnctl.model.ledger import Attempt, Requester
from dtnctl.model.outcome import Outcome
from dtnctl.model.ownership import LABEL_COMMIT
from dtnctl.model.path_actions import PathAction
from dtnctl.model.plan import Plan, Step
from dtnctl.model.protection import RecordProtection
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.nameable import nameable_objects, real_objects
from dtnctl.planning.paths.wanted import ports_by_provider
from dtnctl.planning.planner import Scope, make_plan
from dtnctl.planning.rails.freezing import Beginning, freeze_beginnings
from dtnctl.planning.resolve import wanted_by_endpoint
from dtnctl.planning.scope import with_selection
from dtnctl.planning.secret_uses import secret_uses, with_secrets
from dtnctl.planning.selection import label_mistake
from dtnctl.planning.shared_pools import drawn_from
from dtnctl.providers.base import Engine, Observer
from dtnctl.providers.paths.base import PathObserver, PathService
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.execute import Executor, unheard
from dtnctl.runtime.health import settle, wait_healthy
from dtnctl.runtime.lease import Holder, Leases, hold_leases
from dtnctl.runtime.leased_engine import leased_engines
from dtnctl.runtime.observe import observe_all, observe_paths
from dtnctl.runtime.paths.perform import PathRun
from dtnctl.runtime.protection import record_protection
from dtnctl.runtime.shared_leases import CurrentMoment, Moment, SharedLeases
from dtnctl.runtime.transfers.joint_calls import JointCalls, LookUp, no_secret
from dtnctl.runtime.volume_keys import with_keys

if TYPE_CHECKING:
    from dtnctl.runtime.transfers.notes import Begun
    from dtnctl.runtime.transfers.transfer import Progress

RECORDING = 4  # times `parallel`: most of what records the results of transfers is asked and written together

NO_PATHS: Mapping[str, PathObserver] = {}
NO_SERVICES: Mapping[str, PathService] = {}

HoldMoment: TypeAlias = Callable[[tuple[str, ...]], contextlib.AbstractContextManager[Leases | Moment]]


@dataclass(frozen=True, slots=True)
class Reports:
    """Where a run reports what it does: a sentence, a finished step, progress of a transfer, a step that begins."""

    say: Callable[[str], None]
    outcome: Callable[[Outcome, Step], None]
    progress: Callable[[Progress], None]
    started: Callable[[Step], None] = unheard


class ChangedPlanError(StalePlanError):
    """While apply waited for a lease, its plan became another one: `current` is what would run now."""

    def __init__(self, message: str, current: Plan) -> None:
        self.current = current
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Applied:
    """What apply did: the plan that ran, what became of each step, and the changes that a last look still found, with what it saw."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    remaining: Plan | None
    seen: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How an apply may run. `head` is the commit of the state. `expect`: the hash that must come out, or empty. `confirmed`: the hash
    that a person saw and accepted, or empty when there was no question. Times in seconds. `look_up`: a secret by its reference."""

    holder: Holder
    clock: Clock
    parallel: int
    lock_timeout: float
    head: Head = NOT_ASKED
    expect: str = ""
    confirmed: str = ""
    wait: bool = True
    stop: threading.Event = field(default_factory=threading.Event)
    look_up: LookUp = no_secret

    @property
    def requester(self) -> Requester:
        """On whose account transfers start."""
        return Requester(self.holder.who, self.head.commit, uncommitted=self.head.is_dirty)


def look_and_plan(
    site: Site, observers: Mapping[str, Observer], now: datetime, scope: Scope, paths: Mapping[str, PathObserver] = NO_PATHS
) -> tuple[Plan, Snapshot]:
    """What is there, and what apply would do about it. Changes nothing. `paths` are the providers of paths that are asked."""
    snapshot = _look(site, observers, now, scope, paths)
    return plan_from(site, snapshot, now, scope), snapshot


def _look(site: Site, observers: Mapping[str, Observer], now: datetime, scope: Scope, paths: Mapping[str, PathObserver]) -> Snapshot:
    seen = observe_all(observers, with_secrets(wanted_by_endpoint(site, now), secret_uses(site, now, scope)))
    return replace(seen, paths=observe_paths(paths, ports_by_provider(site)))


def plan_from(site: Site, snapshot: Snapshot, now: datetime, scope: Scope) -> Plan:
    """What apply would do about what was seen, whenever that was."""
    _refuse_mistyped(site, snapshot, scope, now)
    return make_plan(site, snapshot, now=now, scope=scope)


def _refuse_mistyped(site: Site, snapshot: Snapshot, scope: Scope, now: datetime) -> None:
    """A pattern that names nothing would look like success, and a mistyped --exclude would change what was to be spared."""
    scope = with_selection(scope, site, now)
    selection = scope.selection
    if selection is not None and (mistake := label_mistake(site, selection, destroy=scope.destroy)):
        raise UsageError(mistake)
    if scope.patterns and (lines := scope.mistyped(nameable_objects(site, snapshot)) or scope.beside(real_objects(site, snapshot))):
        raise UsageError(*lines)


def apply_plan(
    site: Site,
    engines: Mapping[str, Engine],
    plan: Plan,
    *,
    scope: Scope,
    terms: Terms,
    reports: Reports,
    paths: Mapping[str, PathService] = NO_SERVICES,
) -> Applied:
    """Make it so. The plan is made again under the leases, at the time that it is then, since waiting for them may have taken minutes.

    If it is not the expected one, nothing is touched: ChangedPlanError. No change is begun once a freeze begins that holds it back.
    Running transfers are waited for when the leases have been released.
    """
    run = _Run(site, engines, terms, reports, paths, calls=JointCalls(look_up=terms.look_up))
    leased = leased_endpoints(site, plan, terms.clock.now())
    if any(isinstance(step.action, StartTransfer) for step in plan.steps):
        threading.Thread(target=_import_transfers, name="import", daemon=True).start()
    with run.leased(leased) as leases:
        now = terms.clock.now()
        current, _ = look_and_plan(site, engines, now, scope, paths)
        _check_current(current, leased_endpoints(site, current, now), leased, terms)
        run.frozen.update(freeze_beginnings(site, current, now, scope))
        outcomes = run.carry_out(current, leases)
    outcomes = run.await_jobs(current, outcomes)
    if not outcomes or terms.stop.is_set():
        return Applied(current, outcomes, None)
    now, scope = terms.clock.now(), replace(scope, replace=())
    seen = _look(site, engines, now, scope, paths)
    return Applied(current, outcomes, make_plan(site, seen, now=now, scope=scope), seen)  # what a pattern named may be gone by now


def _import_transfers() -> None:
    """While engines are asked, what starts transfers is loaded."""

    import dtnctl.runtime.transfers.transfer  # noqa: F401  # imported for the steps


def carry_out(site: Site, engines: Mapping[str, Engine], plan: Plan, leases: Leases, terms: Terms, reports: Reports) -> tuple[Outcome, ...]:
    """The steps of a plan under leases that the caller holds, without a look before or after; what became of each."""
    return _Run(site, engines, terms, reports, calls=JointCalls(look_up=terms.look_up)).carry_out(plan, leases)


def touched_endpoints(plan: Plan) -> tuple[str, ...]:
    """Every endpoint that a step writes to."""
    known = [row.name for row in plan.endpoints]
    return tuple(sorted({endpoint for step in plan.steps for endpoint in _endpoints_of(step, known)}))


def _endpoints_of(step: Step, known: Collection[str]) -> tuple[str, ...]:
    """The step's endpoint; both ends of a transfer, since its keys go to both, and of a path, whose provider has no lease.

    A path whose endpoints are all unknown by now is held by the first endpoint that is `known`.
    """
    if isinstance(step.action, (StartTransfer, FinishTransfer)):
        return step.action.source.endpoint, step.action.destination.endpoint
    if isinstance(step.action, PathAction):
        return tuple(name for name in step.action.path.endpoints if name in known) or tuple(sorted(known)[:1])
    return (step.endpoint,)


def leased_endpoints(site: Site, plan: Plan, now: datetime) -> tuple[str, ...]:
    """Those that a step writes to, and those that share a pool of which it takes an address."""
    return tuple(sorted({*touched_endpoints(plan), *drawn_from(site, plan, now)}))


def _check_current(current: Plan, needed: tuple[str, ...], leased: tuple[str, ...], terms: Terms) -> None:
    for wanted, who in ((terms.expect, "expected"), (terms.confirmed, "confirmed")):
        if wanted and current.hash != wanted:
            text = f"the {who} plan is {wanted}, but what would run now is {current.hash}"
            raise ChangedPlanError(f"{text}; nothing was changed; run `dtnctl plan` and look again", current)
    beyond = set(needed) - set(leased)
    if beyond:
        text = f"while waiting for the lease, changes came up on {', '.join(sorted(beyond))}; nothing was changed; apply again"
        raise ChangedPlanError(text, current)


@dataclass(frozen=True, slots=True)
class _Run:
    """One apply with all that carrying out a step needs. `begun` are the transfers that it has started and not waited for yet.

    `calls` are those that its transfers make together. `frozen`: from when on a step is not begun any more.
    """

    site: Site
    engines: Mapping[str, Engine]
    terms: Terms
    reports: Reports
    paths: Mapping[str, PathService] = field(default_factory=dict)
    begun: dict[str, Begun] = field(default_factory=dict)
    calls: JointCalls = field(default_factory=JointCalls)
    frozen: dict[str, Beginning] = field(default_factory=dict)

    def leased(self, endpoints: tuple[str, ...]) -> contextlib.AbstractContextManager[Leases]:
        """The leases of these endpoints, on the run's terms."""
        return hold_leases(
            {name: self.engines[name] for name in endpoints},
            site=self.site.name,
            holder=self.terms.holder,
            clock=self.terms.clock,
            timeout=self.terms.lock_timeout,
            report=self.reports.say,
            stop=self.terms.stop,
        )

    def carry_out(self, plan: Plan, leases: Leases) -> tuple[Outcome, ...]:
        """Every step but those that wait for a job's end, and those that come after one."""
        later = _later_steps(plan)
        self.calls.expect(sum(isinstance(step.action, (StartTransfer, FinishTransfer)) for step in plan.steps if step.id not in later))
        executor = self._executor(
            lambda step: self._perform(step, leases), lambda step, action: self._go_back(step, action, leases), self.terms.parallel
        )
        return executor.execute([step for step in plan.steps if step.id not in later])

    def await_jobs(self, plan: Plan, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """The steps that wait, all at once, and the starts that come after them; returns what became of every step, in the plan's order."""
        later = _later_steps(plan)
        found = {outcome.step: outcome for outcome in outcomes} | self._left_to_the_next(plan)
        waits = [step for step in plan.steps if step.id in later and step.id not in found]
        self.calls.expect(len(waits))
        moments = self._moments(len(waits))
        ended = self._executor(lambda step: self._await_or_start(step, moments), _nothing_to_undo, max(1, len(waits))).execute(waits, found)
        found |= {outcome.step: outcome for outcome in ended}
        return tuple(found[step.id] for step in plan.steps)

    def _left_to_the_next(self, plan: Plan) -> dict[str, Outcome]:
        """Without waiting, what comes after a job's end is left to the next apply: starts, and the waits for these."""
        if self.terms.wait:
            return {}
        later = _later_steps(plan)
        starts = {step.id for step in plan.steps if step.id in later and isinstance(step.action, StartTransfer)}
        text = "it comes after a transfer that was not waited for; the first apply after that one's end starts it"
        left = [step for step in plan.steps if step.id in starts or (step.id in later and starts.intersection(step.needs))]
        outcomes = {step.id: Outcome(step.id, "skipped", text) for step in left}
        for step in left:
            self.reports.outcome(outcomes[step.id], step)
        return outcomes

    def _executor(self, perform: Callable[[Step], str], undo: Callable[[Step, Undo], None], parallel: int) -> Executor:
        return Executor(perform, undo, parallel, self.terms.clock, self.terms.stop, self.reports.outcome, self.reports.started, self.frozen)

    def _go_back(self, step: Step, action: Undo, leases: Leases) -> None:
        """Undo, and see that what was started again runs: it may be as broken as what was to follow it."""
        leases.check(step.endpoint)
        engine = self.engines[step.endpoint]
        engine.perform(action)
        if isinstance(action, (RestoreContainer, ReplaceContainer)) and action.start:
            settle(engine, engine.inspect(action.id), action.settle, self.terms.clock)

    def _perform(self, step: Step, leases: Leases | Moment) -> str:
        """Carry out one step; returns what the reader should know beyond that it is done."""
        for endpoint in _endpoints_of(step, self.engines):
            leases.check(endpoint)
        if isinstance(step.action, PathAction):
            return PathRun(self.paths[step.endpoint], self.terms.clock, self.reports.say, self.terms.stop).perform(step.action)
        engines = leased_engines(self.engines, leases.check)
        engine = engines[step.endpoint]
        match step.action:
            case HostRequest():
                assert engine.agent is not None, f"{step.id} asks an agent that {step.endpoint} does not have"
                engine.agent.perform(with_keys(step.action, self.terms.look_up))
            case WaitHealthy() | EnsureLedger() | StartTransfer() | FinishTransfer() | RecordCancel() | RecordEnd() | RecordProtection():
                return self._perform_job(step.action, engine, engines)
            case CreateContainer() | ReplaceContainer():
                engine.perform(self._with_commit(step.action))
            case _:
                engine.perform(step.action)
        return ""

    def _with_commit(self, action: CreateContainer | ReplaceContainer) -> CreateContainer | ReplaceContainer:
        """The container names the commit that it is made for. That is no part of the plan: a merge has the same plan as its branch."""
        head = self.terms.head
        if not head.commit:
            return action
        commit = f"{head.commit}+uncommitted" if head.is_dirty else head.commit
        return replace(action, labels=tuple(sorted((*action.labels, (LABEL_COMMIT, commit)))))

    def _perform_job(self, action: JobAction, engine: Engine, engines: Mapping[str, Engine]) -> str:
        match action:
            case WaitHealthy():
                wait_healthy(engine, action, self.terms.clock)
                return ""
            case EnsureLedger():
                from dtnctl.runtime.transfers.record import ensure_ledger

                ensure_ledger(engine, self.site.name, action.folder)
                return ""
            case RecordProtection():
                record_protection(engine, self.site.name, action)
                return ""
            case StartTransfer():
                from dtnctl.runtime.transfers.transfer import start_transfer

                terms = self.terms
                result = start_transfer(action, engines, self.site.name, terms.clock, terms.requester, self.calls)
                if result.begun is not None:
                    self.begun[action.transfer] = result.begun
                return result.text
            case FinishTransfer():
                from dtnctl.runtime.transfers.transfer import record_transfer

                return _result_text(record_transfer(action, engines, self.site.name, self.terms.clock, self.calls))
            case RecordCancel():
                from dtnctl.runtime.transfers.unrecorded import record_cancel

                record_cancel(action, engine, self.site.name)
                return ""
            case RecordEnd():
                from dtnctl.runtime.transfers.unrecorded import record_end

                return record_end(action, engine, self.site.name, self.terms.clock)
            case _:
                assert_never(action)

    def _moments(self, count: int) -> HoldMoment:
        """How threads, this many of them, hold leases for a moment: one alone takes both at once, several share, some at a time."""
        if count <= 1:
            return self.leased
        shared = SharedLeases(lambda endpoint: self.leased((endpoint,)), self.terms.clock)
        room = threading.BoundedSemaphore(RECORDING * self.terms.parallel)

        @contextlib.contextmanager
        def hold(endpoints: tuple[str, ...]) -> Iterator[Moment]:
            with room, shared.hold(endpoints) as moment:
                yield moment

        return hold

    def _await_or_start(self, step: Step, moments: HoldMoment) -> str:
        if isinstance(step.action, FinishTransfer):
            return self._await(step, step.action, moments)
        with _both_ends(step, moments) as leases:
            return self._perform(step, leases)

    def _await(self, step: Step, action: FinishTransfer, moments: HoldMoment) -> str:
        if not self.terms.wait:
            return "started; its result is recorded by the next apply"
        from dtnctl.runtime.transfers.transfer import InterruptedWaitError, Waiting, await_transfer

        waiting = Waiting(self.reports.progress, self.terms.stop, self.begun.pop(action.transfer, None))
        moment = CurrentMoment()
        engines, site, terms, calls = leased_engines(self.engines, moment.check), self.site.name, self.terms, self.calls
        try:
            return _result_text(
                await_transfer(
                    action, engines, site, terms.clock, waiting, lambda: moment.during(_both_ends(step, moments)), terms.requester, calls
                )
            )
        except InterruptedWaitError as interruption:
            return str(interruption)  # the copy goes on: to stop waiting for it is no failure


@contextlib.contextmanager
def _both_ends(step: Step, moments: HoldMoment) -> Iterator[Leases | Moment]:
    """The leases of both ends of a transfer, for a moment."""
    endpoints = tuple(sorted(set(_endpoints_of(step, ()))))
    with moments(endpoints) as leases:
        for endpoint in endpoints:
            with contextlib.suppress(UnreachableError):  # an end that is gone is not written to, and a failure is recorded without it
                leases.check(endpoint)
        yield leases


def _nothing_to_undo(step: Step, action: Undo) -> None:
    raise AssertionError(f"nothing that {step.id} does could go back by {action}")


def _later_steps(plan: Plan) -> AbstractSet[str]:
    """Steps that wait for a job's end or come after one that does: they are carried out when the leases have been released."""
    later: set[str] = set()
    for step in plan.steps:
        is_wait = isinstance(step.action, FinishTransfer) and step.action.wait
        if is_wait or not later.isdisjoint((*step.needs, *step.follows)):
            later.add(step.id)
    return later


def _result_text(attempt: Attempt) -> str:
    from dtnctl.runtime.transfers.notify import notice_text

    return f"{attempt.bytes} bytes in {attempt.seconds:.1f} s, {attempt.verified}{notice_text(attempt)}"
