"""Makes and removes the one session that a benchmark measures in, by plans of `apply`'s own kind, under leases that are held already."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dtnctl.benchmarks.rows import BENCH, without_sessions
from dtnctl.errors import EngineError, LockError, PartialApplyError, UnreachableError
from dtnctl.model.actions import CreateContainer, ReplaceContainer
from dtnctl.model.plan import Plan
from dtnctl.model.resources import ContainerSpec, Snapshot, service_name
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope, make_plan
from dtnctl.planning.resolve import declared_transfers, wanted_by_endpoint
from dtnctl.planning.transfers.jobs import running_jobs
from dtnctl.providers.base import Engine
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.lease import POLL_SECONDS, Leases, hold_leases
from dtnctl.runtime.observe import observe_all
from dtnctl.runtime.reconcile import Reports, Terms, carry_out

SESSION = f"session/{BENCH}"
LEASE_PATIENCE = 60.0  # seconds


def running_transfers(site: Site, endpoints: Iterable[str], seen: Snapshot, now: datetime) -> tuple[str, ...]:
    """Names of the transfers that run from or to one of these endpoints, as far as the snapshot shows them."""
    answering = {name: item for name, item in seen.endpoints.items() if not item.is_silent}
    jobs = running_jobs(declared_transfers(site, now), answering)
    through = {transfer for (endpoint, _), transfers in jobs.items() if endpoint in endpoints for transfer in transfers}
    here = {
        item.owner for name in endpoints for item in seen.endpoints[name].containers if item.kind == "transfer" and item.state == "running"
    }
    return tuple(sorted(through | here))


@contextlib.contextmanager
def open_stage(
    site: Site, engines: Mapping[str, Engine], names: tuple[str, ...], terms: Terms, seen: Snapshot, say: Callable[[str], None]
) -> Iterator[Stage]:
    """The endpoints of these names under our leases; what the bench has made there is removed at the end, however it ends."""
    mine = {name: engines[name] for name in names}
    with hold_leases(
        mine, site=site.name, holder=terms.holder, clock=terms.clock, timeout=terms.lock_timeout, report=say, stop=terms.stop
    ) as leases:
        for name in names:
            leases.check(name)
        stage = Stage(site, engines, names, leases, terms, seen, say)
        try:
            yield stage
        finally:
            stage.clear()


@dataclass(frozen=True, slots=True)
class Standing:
    """The session as it is now, or would be: the container's name, and by endpoint its spec, the engine's version and the NICs below it.

    `refusals` are why it cannot be; then nothing was made.
    """

    container: str
    specs: Mapping[str, ContainerSpec] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    engines: Mapping[str, str] = field(default_factory=dict)
    nics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Stage:
    """The endpoints that a benchmark works on. `engines` are all of the site; only those of `names` are written to.

    `site` is the declared one. `seen` is what the other endpoints had at first: their addresses are taken.
    """

    site: Site
    engines: Mapping[str, Engine]
    names: tuple[str, ...]
    leases: Leases
    terms: Terms
    seen: Snapshot
    say: Callable[[str], None]
    networks: frozenset[str] = frozenset()  # that the session was to have, and that were not there before
    is_clear: bool = False

    def preview(self, site: Site) -> Standing:
        """What would be made now."""
        plan, snapshot = self._plan(site, Scope((SESSION,)))
        return self._standing(plan, snapshot, site)

    def raise_(self, site: Site) -> Standing:
        """Make the session of `site` that is the bench's, with its networks. PartialApplyError if it cannot be made as planned."""
        plan, snapshot = self._plan(site, Scope((SESSION,)))
        standing = self._standing(plan, snapshot, site)
        if standing.refusals:
            return standing
        self.is_clear = False
        self.networks |= frozenset(change.name for change in plan.changes if change.kind == "network" and change.mark == "create")
        self._carry_out(plan)
        return standing

    def clear(self) -> None:
        """Remove the session, whoever left it, and the networks that were made for it."""
        if self.is_clear:
            return
        await_leases(self.leases, self.names, self.terms.clock)
        found = self._look(self.site)
        left = {net for name in self.names for item in found.endpoints[name].containers if item.owner == BENCH for net in item.networks}
        targets = (SESSION, *(f"network/{name}" for name in sorted(self.networks | left)))
        plan = make_plan(without_sessions(self.site), found, now=self.terms.clock.now(), scope=Scope(targets))
        # What is removed is removed also after a signal.
        self._carry_out(plan, replace(self.terms, stop=threading.Event()))
        self.is_clear = True
        self.networks = frozenset()

    # --- planning and carrying out ---

    def _plan(self, site: Site, scope: Scope) -> tuple[Plan, Snapshot]:
        found = self._look(site)
        return make_plan(site, found, now=self.terms.clock.now(), scope=scope), found

    def _look(self, site: Site) -> Snapshot:
        """What is there now on our endpoints, and on the others what was at first. UnreachableError if one of ours is silent."""
        mine = {name: self.engines[name] for name in self.names}
        now = observe_all(mine, wanted_by_endpoint(site, self.terms.clock.now()))
        if now.silent:
            raise UnreachableError(f"no answer from {', '.join(f'{name}: {now.endpoints[name].silence}' for name in now.silent)}")
        return Snapshot(dict(sorted({**self.seen.endpoints, **now.endpoints}.items())))

    def _carry_out(self, plan: Plan, terms: Terms | None = None) -> None:
        outcomes = carry_out(self.site, self.engines, plan, self.leases, terms or self.terms, Reports(self.say, _ignore, _ignore))
        failed = [f"{outcome.step}: {outcome.reason}" for outcome in outcomes if outcome.result not in ("done", "skipped")]
        skipped = [f"{outcome.step}: {outcome.reason}" for outcome in outcomes if outcome.result == "skipped"]
        if failed or skipped:
            raise PartialApplyError(*(failed or skipped[:1]))

    def _standing(self, plan: Plan, snapshot: Snapshot, site: Site) -> Standing:
        specs = {step.endpoint: step.action.spec for step in plan.steps if isinstance(step.action, (CreateContainer, ReplaceContainer))}
        refusals = tuple(
            f"{change.endpoint}: {change.cause.text}" for change in plan.blocked if change.kind == "session" and change.name == BENCH
        )
        lacking = [name for name in site.sessions[BENCH].value.endpoints if name not in specs]
        if lacking and not refusals:
            raise EngineError(f"nothing is planned for {', '.join(lacking)}; what is left of an earlier run there could not be removed")
        return Standing(
            service_name(self.site.name, BENCH),
            specs,
            refusals,
            {name: snapshot.endpoints[name].engine_version for name in self.names},
            {name: _nics(snapshot, name, self.site) for name in self.names},
        )


def _ignore(*what: object) -> None:
    """Steps of single tests are not reported: a line for each test is."""


def _nics(snapshot: Snapshot, name: str, site: Site) -> tuple[str, ...]:
    """The interfaces that carry declared networks, as the endpoint's agent reports them; nothing without one."""
    host = snapshot.endpoints[name].host
    carrying = set(site.endpoints[name].value.interfaces.values())
    if host is None:
        return ()
    found = [item for item in host.facts.interfaces if item.name in carrying]
    return tuple(
        ", ".join(
            part
            for part in (f"{item.name}: {item.driver or item.kind}", f"{item.speed} Mb/s" if item.speed else "", f"MTU {item.mtu}")
            if part
        )
        for item in found
    )


def await_leases(leases: Leases, names: Iterable[str], clock: Clock) -> None:
    """Return when all leases are surely ours: a beat that comes late, on a busy host, makes a lease good again.

    LockError if one is lost, or not renewed within a minute: then nothing more may be written there.
    """
    deadline = clock.monotonic() + LEASE_PATIENCE
    for name in names:
        while True:
            try:
                leases.check(name)
                break
            except LockError:
                if name in leases.lost or clock.monotonic() >= deadline:
                    raise
                clock.sleep(POLL_SECONDS)
