"""What this plan may touch: who is blocked, which containers stay as they are, and the choices and networks that follow. Pure.

These depend on each other: a blocked session keeps its containers, which keep their ports, addresses and networks, for want
of which another session may be blocked. So they are worked out together, until no further one is blocked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dtnctl.model.impact import Cut
from dtnctl.model.plan import Cause, Change
from dtnctl.model.protection import NOTHING, read_records
from dtnctl.model.resources import PREPARED_SUFFIX, RETIRED_SUFFIX, ContainerSeen, ContainerSpec, EndpointSeen, Snapshot, main_name
from dtnctl.model.site import Site
from dtnctl.planning.choices.allocate import Allocations, allocate
from dtnctl.planning.choices.disposition import Disposition
from dtnctl.planning.choices.volume_plans import VolumePlans, VolumesAsked
from dtnctl.planning.choices.volume_study import study_volumes
from dtnctl.planning.clocks import doubt_expiry
from dtnctl.planning.containers.compare import Difference, compare_container, spec_as_it_is
from dtnctl.planning.containers.host_part import NO_PART, joined
from dtnctl.planning.containers.services import Rebuild, Situation, service_steps
from dtnctl.planning.containers.specs import container_spec, with_fingerprints
from dtnctl.planning.guard import prune_limit, refuse_absent_image, refuse_service
from dtnctl.planning.host.resource import PlannedHost, PlannedService
from dtnctl.planning.host.resources import RESOURCES
from dtnctl.planning.networks import NetworkPlan, Users, study_networks
from dtnctl.planning.orphans import held_removals, why_gone
from dtnctl.planning.paths.study import PathView, StudiedPath, study_paths
from dtnctl.planning.paths.vlans import with_chosen_vlans
from dtnctl.planning.rails.empty import refuse_empty
from dtnctl.planning.rails.freezing import FROZEN, refuse_frozen
from dtnctl.planning.rails.protection import Records, Removal, refuse_change, refuse_removal
from dtnctl.planning.rails.suspension import without_suspended
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key, ResolvedTransfer, Service, carried, declared_transfers, emptied, resolve_services
from dtnctl.planning.scope import Scope, with_selection
from dtnctl.planning.step_ids import network_id
from dtnctl.planning.transfers.in_time import as_it_runs
from dtnctl.planning.transfers.jobs import History, read_history
from dtnctl.planning.transfers.running_copies import copies_by_service, refuse_cutting_off, refuse_held, waits_for
from dtnctl.planning.twins import Twin, find_twins, refuse_twin, without_twins
from dtnctl.planning.under_copies import held_steps, refuse_needing
from dtnctl.printable import plural


@dataclass(slots=True)
class Study:
    """Everything that is known before steps are made.

    `resolved_transfers` are those of the declared ones whose session has not expired. `orphans` are live containers that no service
    stands for, `overdrawn` is why they may not go, `doubted` why single ones may not, with the transfers that their sessions carry.
    `written` is the site as its files have it, `site` what is wanted of it. `records` are what endpoints record of `protect:`.
    `jobs` are the running transfers of each service, `held_steps` those on hosts that wait for some of them. `refusals` are of covered
    services. `stays` are live containers that no step may touch. `twins` are endpoints that are or may be one engine with another
    one; `snapshot` knows nothing of them. `forgotten` are sessions, as (endpoint, session), for which an agent holds something although
    nothing of them is there. `hosts` are those whose agent answers. `paths` are the declared ones between sites.
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
        return PathView(self.site, self.snapshot, self.scope, self.now, needed, self.freeze)

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


def study(site: Site, snapshot: Snapshot, now: datetime, scope: Scope) -> Study:
    """Everything that must be known before steps can be made."""
    scope = with_selection(without_suspended(scope, site, now), site, now)
    if scope.selection is not None:
        snapshot = scope.selection.seen(snapshot)
        scope = replace(scope, selection=scope.selection.with_undeclared(snapshot))
    twins = find_twins(site, snapshot)
    snapshot = without_twins(snapshot, twins)
    answering = {name: seen for name, seen in sorted(snapshot.endpoints.items()) if not seen.is_silent}
    site = with_chosen_vlans(site, snapshot)
    wanted = emptied(site) if scope.destroy else site
    history = read_history(answering, site.receipts, site.endpoints)
    declared = tuple(as_it_runs(item, history) for item in declared_transfers(wanted, now))
    found = Study(
        now=now,
        site=wanted,
        written=site,
        scope=scope,
        snapshot=snapshot,
        services=tuple(item for item in resolve_services(wanted, now, answering) if scope.asks(item.endpoint.name)),
        declared_transfers=declared,
        resolved_transfers=carried(wanted, declared, now),
        answering=answering,
        live={(name, item.name): item for name, seen in answering.items() for item in sorted(seen.containers, key=lambda item: item.name)},
        history=history,
        jobs=copies_by_service(declared_transfers(site, now) if scope.destroy else declared, answering, snapshot.progress),
        twins=twins,
    )
    found.paths = study_paths(found.path_view)
    found.records = {name: read_records(seen.containers) for name, seen in answering.items()}
    found.orphans = tuple(_orphans(found))
    found.overdrawn = None if scope.destroy else _overdrawn(found)
    found.doubted = dict(_doubted(found, now))
    owners = {found.live[key].owner for key in found.doubted}
    found.doubted_transfers = frozenset(item.transfer.name for item in found.declared_transfers if item.session in owners)
    found.forgotten = frozenset(_forgotten(found)) if found.overdrawn is None else frozenset()
    refusals = _with_later(found, {service.key: refused for service in found.services if (refused := _refusals_at_sight(found, service))})
    while True:
        found.refusals |= refusals
        # One refused service blocks its whole session: half a session across two endpoints is of no use.
        found.blocked = frozenset(session for _, session in found.refusals)
        _decide(found)
        refusals = {key: refused for key, refused in _later_refusals(found).items() if key not in found.refusals}
        if not refusals:
            return found


def _with_later(found: Study, refused: dict[Key, tuple[Refusal, ...]]) -> dict[Key, tuple[Refusal, ...]]:
    """With the reasons that would show once these are gone: a person should learn all of them at once."""
    if not refused:
        return refused
    _decide(found)
    later = _later_refusals(found)
    return {key: (*refusals, *(item for item in later.get(key, ()) if item not in refusals)) for key, refusals in refused.items()}


# --- what is no longer declared --------------------------------------------------------------------------


def _orphans(found: Study) -> Iterator[Key]:
    wanted = {(service.endpoint.name, service.container) for service in found.services}
    for (endpoint, name), seen in found.live.items():
        if seen.kind == "service" and (endpoint, main_name(name)) not in wanted:
            yield endpoint, name


def _doubted(found: Study, now: datetime) -> Iterator[tuple[Key, tuple[Refusal, ...]]]:
    """Containers that may not go: those that running transfers go through, protected or frozen ones, and those of doubtful expiry.

    Whether a session has expired only this machine's clock shows, which may be the wrong one.
    """
    orphans = {key: found.live[key] for key in found.orphans}
    waits = {(key[0], seen.owner): found.waits((key[0], seen.owner)) for key, seen in orphans.items()}
    held = dict(held_removals(orphans, waits, {key: found.why_gone(seen) for key, seen in orphans.items()}))
    for endpoint, name in found.orphans:
        owner = found.live[endpoint, name].owner
        session = found.site.sessions.get(owner)
        is_named = session is not None and endpoint in session.value.endpoints
        ahead = found.answering[endpoint].clock_ahead
        reasons = (
            doubt_expiry(session, endpoint, ahead, now) if session is not None and is_named else None,
            refuse_removal(_removal(found, endpoint, owner), found.records),
            found.freeze(endpoint, owner),
            held.get((endpoint, name)),
        )
        if refusals := tuple(refusal for refusal in reasons if refusal is not None):
            yield (endpoint, name), refusals


def _removal(found: Study, endpoint: str, owner: str) -> Removal:
    return Removal(
        endpoint,
        owner,
        found.written.sessions.get(owner),
        found.written.endpoints.get(endpoint),
        is_asked_for=found.scope.destroy,
        is_whole=owner not in found.sessions,
    )


def _forgotten(found: Study) -> Iterator[Key]:
    """Sessions for which an agent keeps something, but which have neither a service nor a container there."""
    present = {service.key for service in found.services}
    present |= {(endpoint, seen.owner) for (endpoint, _), seen in found.live.items() if seen.kind == "service"}
    for endpoint, seen in found.answering.items():
        held = seen.host.held if seen.host is not None else None
        for owner in (owner for resource in RESOURCES for owner in resource.owners(held)) if held is not None else ():
            is_ours = owner.site == found.site.name and (endpoint, owner.session) not in present
            if is_ours and found.scope.covers("session", owner.session, endpoint):
                yield endpoint, owner.session


def _overdrawn(found: Study) -> Refusal | None:
    """Whether more sessions would go than one apply may remove; then none goes: a wrong folder must not empty a site."""
    owners = {key: found.live[key].owner for key in found.orphans}
    doomed = {owner for (endpoint, _), owner in owners.items() if found.scope.covers("session", owner, endpoint)}
    counted = ((key[0], item.owner) for key, item in found.live.items() if item.kind == "service")
    owned = {owner for endpoint, owner in counted if found.scope.selects("session", owner, endpoint)}
    is_empty = not any(found.scope.selects("session", item.session.name, item.endpoint.name) for item in found.services)
    if is_empty and found.scope.allow_empty:
        return None
    if is_empty and (refusal := refuse_empty(found.site, found.scope, doomed)):
        return refusal
    settings = found.site.settings
    limit = prune_limit(found.scope.prune if found.scope.prune is not None else settings.value.limits.max_prune, len(owned))
    if len(doomed) <= limit:
        return None
    text = f"{len(doomed)} of {plural(len(owned), 'session')} would be removed, the limit is {limit}"
    cause = Cause(text, settings.file, settings.mark(("limits", "max_prune")).line, "limits.max_prune")
    return Refusal("E0440", cause, f"--max-prune {len(doomed)} if it is meant")


# --- choices, networks and situations -----------------------------------------------------------------------


def _decide(found: Study) -> None:
    """What follows from who is blocked so far."""
    found.stays = frozenset(_stays(found))
    found.allocations = allocate(found.site, found.services, found.snapshot, _disposition(found))
    found.volumes = study_volumes(_volumes_asked(found))
    found.networks = {name: _networks(found, name, found.by_endpoint[name]) for name in found.answering}
    hosts = {name: _host(found, name, found.by_endpoint[name]) for name in found.answering}
    found.hosts = {name: host for name, host in hosts.items() if host is not None}
    found.held_steps = held_steps(found.hosts.values())
    found.situations = tuple(
        _situation(found, service) for service in found.services if found.is_workable(service) and service.key in found.allocations.chosen
    )


def _volumes_asked(found: Study) -> VolumesAsked:
    return VolumesAsked(
        site=found.site,
        scope=found.scope,
        services=found.services,
        workable=frozenset(service.key for service in found.services if found.is_workable(service)),
        answering=found.answering,
        stays=found.stays,
        may_remove=found.overdrawn is None,
        freeze=found.freeze,
    )


def _stays(found: Study) -> Iterator[Key]:
    orphans = frozenset(found.orphans)
    for key, seen in found.live.items():
        is_meant = found.scope.covers("session", seen.owner, key[0]) and seen.owner not in found.blocked
        if seen.kind == "service" and (not is_meant or key in found.doubted or (key in orphans and found.overdrawn is not None)):
            yield key


def _disposition(found: Study) -> Disposition:
    return Disposition(
        stays=found.stays,
        goes=frozenset(found.orphans) - found.stays,
        works=frozenset(service.key for service in found.services if found.is_workable(service)),
        forgotten=found.forgotten,
        fixed=frozenset(_fixed(found)),
    )


def _fixed(found: Study) -> Iterator[Key]:
    """Interfaces whose virtual functions this run leaves as many as they are."""
    for name, document in found.site.endpoints.items():
        for interface in {*document.value.vfs, *document.value.interfaces.values()}:
            if found.scope.leaves("vfs", interface, name):
                yield name, interface


def _networks(found: Study, endpoint: str, services: list[Service]) -> NetworkPlan:
    workable = tuple(service for service in services if found.is_workable(service))
    seen = found.answering[endpoint].containers
    staying = tuple(item for item in seen if item.kind != "service" or (endpoint, item.name) in found.stays)
    users = Users(tuple(services), workable, staying, may_remove=found.overdrawn is None)
    return study_networks(found.site, found.site.endpoints[endpoint], users, found.answering[endpoint], found.scope, _obstacles(found))


def _obstacles(found: Study) -> Mapping[str, Refusal]:
    """By network, why the path that it goes over is not there and will not be made."""
    refused = {name: item.refusal for name, item in found.paths.items() if item.refusal is not None}
    return {name: refused[path] for name, item in found.site.networks.items() if (path := item.value.path) in refused and path is not None}


def _host(found: Study, endpoint: str, services: list[Service]) -> PlannedHost | None:
    """What the kinds of things that an agent makes must know; None where no agent answers."""
    seen, hardware = found.answering[endpoint], found.allocations.hardware
    if seen.host is None:
        return None
    return PlannedHost(
        site=found.site,
        scope=found.scope,
        document=found.site.endpoints[endpoint],
        seen=seen,
        host=seen.host,
        services=tuple(services),
        workable=tuple(service for service in services if found.is_workable(service)),
        forgotten=frozenset(session for name, session in found.forgotten if name == endpoint),
        may_remove=found.overdrawn is None,
        pfs=hardware.pfs.get(endpoint, {}),
        refused_pfs=hardware.refused_pfs.get(endpoint, {}),
        waits={session: cuts for name, session in found.jobs if name == endpoint and (cuts := found.waits((name, session)))},
        volumes=found.volumes,
    )


def _situation(found: Study, service: Service) -> Situation:
    endpoint = service.endpoint.name
    seen = found.live.get((endpoint, service.container))
    retired = found.live.get((endpoint, service.container + RETIRED_SUFFIX))
    prepared = found.live.get((endpoint, service.container + PREPARED_SUFFIX))
    plan = found.networks[endpoint]
    wanted = {net.name for net in service.nets}
    touched = wanted.union(*(item.networks for item in (seen, retired, prepared) if item is not None))
    removed = sorted(plan.removed_in_use & touched) if seen is not None or retired is not None else []
    allocation = found.allocations.chosen[service.key]
    spec = with_fingerprints(container_spec(service, allocation), found.answering[endpoint].secrets, seen or retired)
    differences = tuple(_differences(found, service, spec, seen)) if seen is not None else ()
    is_new = seen is None or bool(removed) or any(item.forces_replace for item in differences)
    planned, here = PlannedService(service, allocation, seen, is_new), found.hosts.get(endpoint)
    host = joined(resource.for_service(here, planned) for resource in RESOURCES) if here is not None else NO_PART
    made = [network_id(endpoint, name) for name in sorted(wanted & plan.made)]
    paths = {found.site.networks[name].value.path for name in wanted & found.site.networks.keys()}
    made += [step_id for name, item in sorted(found.paths.items()) if name in paths for step_id in item.last_step]
    return Situation(
        service=service,
        allocation=allocation,
        spec=spec,
        seen=seen,
        as_it_is=spec_as_it_is(spec, seen, found.answering[endpoint].images) if seen is not None and differences else spec,
        retired=retired,
        prepared=prepared,
        image=found.answering[endpoint].images.get(service.image),
        differences=(*differences, *(host.differences if seen is not None else ())),
        host=host,
        networks=tuple(made),
        image_moves=bool(_moved_to(found, service)),
        rebuild=tuple(_rebuild(found, plan, name) for name in removed),
        force_replace=found.scope.replaces(service.session.name, endpoint),
        jobs=found.jobs.get(service.key, ()),
        waits=found.waits(service.key),
    )


def _rebuild(found: Study, plan: NetworkPlan, name: str) -> Rebuild:
    if name in plan.rebuilt:
        document = found.site.networks[name]
        return Rebuild(name, "recreated", Cause(f"network {name} is recreated", document.file, document.mark().line), plan.is_drift(name))
    successor = next(made for made, gone in sorted(plan.room.items()) if name in gone)
    document = found.site.networks[successor]
    cause = Cause(f"network {name} makes room for {successor}", document.file, document.mark().line)
    return Rebuild(name, f"gone, for {successor}", cause, is_drift=False)


def _differences(found: Study, service: Service, spec: ContainerSpec, seen: ContainerSeen) -> Iterator[Difference]:
    differences = compare_container(spec, seen, found.answering[service.endpoint.name].images, service.backend)
    yield from differences
    moved = _moved_to(found, service)
    if moved and not any(difference.field == "image" for difference in differences):
        yield Difference("image", seen.spec.image, moved, forces_replace=True)
    if found.scope.replaces(service.session.name, service.endpoint.name):
        yield Difference("container", "as it is", "a new one", forces_replace=True)


def _moved_to(found: Study, service: Service) -> str:
    """The registry's new digest of a tag that is pulled always; empty if it is what is here, or the registry did not say."""
    seen = found.answering[service.endpoint.name]
    digest, image = seen.remote_digests.get(service.image, ""), seen.images.get(service.image)
    if not digest or image is None or any(item.endswith(digest) for item in image.digests):
        return ""
    return f"{service.image} ({digest.removeprefix('sha256:')[:12]} in the registry)"


# --- who cannot be ------------------------------------------------------------------------------------------


def _refusals_at_sight(found: Study, service: Service) -> tuple[Refusal, ...]:
    if not found.covers(service):
        return ()
    if service.endpoint.name in found.twins:
        return (refuse_twin(found.site, found.twins[service.endpoint.name]),)
    seen = found.answering.get(service.endpoint.name)
    is_new = seen is not None and (seen.name, service.container) not in found.live
    image = refuse_absent_image(service, seen) if is_new and seen is not None else None
    return (*refuse_service(service, seen), *([image] if image is not None else []))


def _later_refusals(found: Study) -> Mapping[Key, tuple[Refusal, ...]]:
    """Every reason that what was decided so far gives, by service."""
    reasons: dict[Key, tuple[Refusal, ...]] = {}
    for service, refusal in _later_reasons(found):
        reasons[service.key] = (*reasons.get(service.key, ()), *(() if refusal in reasons.get(service.key, ()) else (refusal,)))
    return reasons


def _later_reasons(found: Study) -> Iterator[tuple[Service, Refusal]]:
    for service in found.services:
        if found.covers(service):
            plan = found.networks.get(service.endpoint.name)
            refused = plan.refused if plan is not None else {}
            for refusal in (*found.allocations.refused.get(service.key, ()), *(refused.get(net.name) for net in service.nets)):
                if refusal is not None:
                    yield service, refusal
    for situation in found.situations:
        seen = found.answering[situation.service.endpoint.name]
        image = refuse_absent_image(situation.service, seen) if situation.needs_new_container else None
        running = refuse_cutting_off(situation) or refuse_needing(situation, found.held_steps)
        reasons = (*situation.host.refusals, *_volumes(found, situation), image, running, *_rails(found, situation))
        yield from ((situation.service, refusal) for refusal in reasons if refusal is not None)


def _volumes(found: Study, situation: Situation) -> Iterator[Refusal]:
    """Why a service that something is done for cannot have its volumes."""
    is_given = situation.service.wants_running or situation.needs_new_container
    refused = [plan.refusal for plan in found.volumes.of_service(situation.service) if plan.refusal is not None]
    if refused and is_given and service_steps(situation):
        yield from refused


def _rails(found: Study, situation: Situation) -> Iterator[Refusal | None]:
    """What protects or freezes a service that would be changed."""
    endpoint, session = situation.service.key
    yield refuse_change(situation, found.records[endpoint].get(session, NOTHING))
    frozen = found.freeze(endpoint, session)
    yield frozen if frozen is not None and service_steps(situation) else None
