"""Everything that is known before steps are made, as one value, and the questions that it answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dtnctl.model.impact import Cut
from dtnctl.model.plan import Cause, Change
from dtnctl.model.resources import ContainerSeen, EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.choices.allocate import Allocations
from dtnctl.planning.choices.volume_plans import VolumePlans
from dtnctl.planning.containers.services import Situation
from dtnctl.planning.host.resource import PlannedHost
from dtnctl.planning.networks import NetworkPlan
from dtnctl.planning.orphans import why_gone
from dtnctl.planning.paths.handover import Stuck
from dtnctl.planning.paths.study import PathView, StudiedPath
from dtnctl.planning.rails.freezing import FROZEN, refuse_frozen
from dtnctl.planning.rails.protection import Records
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key, ResolvedTransfer, Service
from dtnctl.planning.scope import Scope
from dtnctl.planning.transfers.jobs import History
from dtnctl.planning.transfers.running_copies import refuse_held, waits_for
from dtnctl.planning.twins import Twin


@dataclass(slots=True)
class Study:
    """Everything that is known before steps are made.

    `resolved_transfers` are those of the declared ones whose session has not expired. `orphans` are live containers that no service
    stands for, `overdrawn` is why they may not go, `doubted` why single ones may not, with the transfers that their sessions carry.
    `written` is the site as its files have it, `site` what is wanted of it. `records` are what endpoints record of `protect:`.
    `jobs` are the running transfers of each service, `held_steps` those on hosts that wait for some of them. `refusals` are of covered
    services. `stays` are live containers that no step may touch. `twins` are endpoints that are or may be one engine with another
    one; `snapshot` knows nothing of them. `forgotten` are sessions, as (endpoint, session), for which an agent holds something although
    nothing of them is there. `hosts` are those whose agent answers. `paths` are the declared ones between sites,
    `stuck` the steps that ask for some of them and cannot be in this plan.
    """

    now: datetime
    site: Site
    written: Site
    scope: Scope
    snapshot: Snapshot
    services: tuple[Service, ...]
    declared_transfers: tuple[ResolvedTransfer, ...]
    resolved_transfers: tuple[ResolvedTransfer, ...]
    answering: Mapping[str, EndpointSeen]
    live: Mapping[Key, ContainerSeen]
    history: History
    by_endpoint: Mapping[str, list[Service]] = field(init=False)
    sessions: frozenset[str] = field(init=False)
    orphans: tuple[Key, ...] = ()
    overdrawn: Refusal | None = None
    doubted: Mapping[Key, tuple[Refusal, ...]] = field(default_factory=dict)
    records: Records = field(default_factory=dict)
    doubted_transfers: frozenset[str] = frozenset()
    forgotten: frozenset[Key] = frozenset()
    twins: Mapping[str, Twin] = field(default_factory=dict)
    jobs: Mapping[Key, tuple[Cut, ...]] = field(default_factory=dict)
    held_steps: Mapping[str, tuple[Cut, ...]] = field(default_factory=dict)
    refusals: dict[Key, tuple[Refusal, ...]] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    stays: frozenset[Key] = frozenset()
    allocations: Allocations = field(default_factory=Allocations)
    networks: Mapping[str, NetworkPlan] = field(default_factory=dict)
    volumes: VolumePlans = field(default_factory=VolumePlans)
    hosts: Mapping[str, PlannedHost] = field(default_factory=dict)
    paths: Mapping[str, StudiedPath] = field(default_factory=dict)
    stuck: Mapping[str, Stuck] = field(default_factory=dict)
    situations: tuple[Situation, ...] = ()

    def __post_init__(self) -> None:
        """`by_endpoint` are the services, `sessions` those that have services now, also where this run does not look."""
        self.by_endpoint = {name: [] for name in self.site.endpoints}
        for service in self.services:
            self.by_endpoint[service.endpoint.name].append(service)
        self.sessions = frozenset(item.name for item in self.site.sessions.values() if not item.value.is_expired(self.now))

    def covers(self, service: Service) -> bool:
        return self.scope.covers("session", service.session.name, service.endpoint.name)

    def freeze(self, endpoint: str, session: str = "") -> Refusal | None:
        """Why nothing of the endpoint, or of a session there, may be changed now; None if it may."""
        if self.scope.override_freeze:
            return None
        return refuse_frozen(self.written, endpoint, self.written.sessions.get(session), self.now)

    @property
    def frozen(self) -> frozenset[str]:
        """Sessions that nothing but a freeze blocks: what of them runs goes on to carry transfers."""
        others = {session for (_, session), refused in self.refusals.items() for refusal in refused if refusal.code != FROZEN}
        return self.blocked - others

    def is_workable(self, service: Service) -> bool:
        """Whether this plan may touch it: covered, not blocked, on an endpoint that answers."""
        return service.endpoint.name in self.answering and service.session.name not in self.blocked and self.covers(service)

    @property
    def path_view(self) -> PathView:
        """What paths are judged by."""
        wanted = {net.name for service in self.services if self.covers(service) for net in service.nets}
        needed = {path for name, item in self.site.networks.items() if name in wanted and (path := item.value.path) is not None}
        return PathView(self.site, self.snapshot, self.scope, self.now, needed, self.freeze, self.stuck)

    def waits(self, key: Key) -> tuple[Cut, ...]:
        """The running transfers through a service that no change may cut off in this run."""
        return tuple(cut for cut in self.jobs.get(key, ()) if waits_for(self.site, self.scope, cut.transfer))

    def held_job(self, transfer: str, change: Change) -> tuple[Refusal, ...]:
        """Why the container of a job, or of its server, does not go yet: what runs is not ended because its file is gone."""
        may_run = self.history.is_running(transfer) or self._may_run_unseen(transfer)
        if not (change.cuts and may_run and waits_for(self.site, self.scope, transfer)):
            return ()
        return (refuse_held(f"transfer {transfer} on {change.endpoint}", "destroy", change.cuts, change.cause, change.summary),)

    def _may_run_unseen(self, transfer: str) -> bool:
        """Whether its job is nowhere that was seen, and not everything was: a server that still runs may serve one."""
        is_seen = any(self.history.jobs(endpoint, transfer) for endpoint in self.answering)
        return not is_seen and len(self.answering) < len(self.site.endpoints)

    def why_gone(self, seen: ContainerSeen) -> Cause:
        """Why a container that no service stands for goes."""
        return why_gone(self.site, self.sessions, seen, destroy=self.scope.destroy)
