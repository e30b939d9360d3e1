"""What this plan may touch: who is blocked, which containers stay as they are, and the choices and networks that follow. Pure.

These depend on each other: a blocked session keeps its containers, which keep their ports, addresses and networks, for want
of which another session may be blocked. So they are worked out together, until no further one is blocked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from dtnctl.model.plan import Cause
from dtnctl.model.protection import NOTHING, read_records
from dtnctl.model.resources import PREPARED_SUFFIX, RETIRED_SUFFIX, ContainerSeen, ContainerSpec, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.choices.allocate import allocate
from dtnctl.planning.choices.disposition import Disposition
from dtnctl.planning.choices.volume_plans import VolumesAsked
from dtnctl.planning.choices.volume_study import study_volumes
from dtnctl.planning.containers.compare import Difference, compare_container, spec_as_it_is
from dtnctl.planning.containers.host_part import NO_PART, joined
from dtnctl.planning.containers.services import Rebuild, Situation, service_steps
from dtnctl.planning.containers.specs import container_spec, with_fingerprints
from dtnctl.planning.guard import refuse_absent_image, refuse_service
from dtnctl.planning.host.resource import PlannedHost, PlannedService
from dtnctl.planning.host.resources import RESOURCES
from dtnctl.planning.networks import NetworkPlan, Users, study_networks
from dtnctl.planning.paths.handover import Stuck
from dtnctl.planning.paths.study import study_paths
from dtnctl.planning.paths.vlans import with_chosen_vlans
from dtnctl.planning.rails.protection import refuse_change
from dtnctl.planning.rails.suspension import without_suspended
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key, Service, carried, declared_transfers, emptied, resolve_services
from dtnctl.planning.scope import Scope, with_selection
from dtnctl.planning.step_ids import network_id
from dtnctl.planning.study import Study
from dtnctl.planning.transfers.in_time import as_it_runs
from dtnctl.planning.transfers.jobs import read_history
from dtnctl.planning.transfers.running_copies import copies_by_service, refuse_cutting_off
from dtnctl.planning.twins import find_twins, refuse_twin, without_twins
from dtnctl.planning.undeclared import find_doubted, find_forgotten, find_orphans, find_overdrawn
from dtnctl.planning.under_copies import held_steps, refuse_needing

NOTHING_STUCK: Mapping[str, Stuck] = {}


def study(site: Site, snapshot: Snapshot, now: datetime, scope: Scope, stuck: Mapping[str, Stuck] = NOTHING_STUCK) -> Study:
    """Everything that must be known before steps can be made. `stuck`: steps of an earlier draft that cannot be, with the reason."""
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
        stuck=stuck,
    )
    found.paths = study_paths(found.path_view)
    found.records = {name: read_records(seen.containers) for name, seen in answering.items()}
    found.orphans = tuple(find_orphans(found))
    found.overdrawn = None if scope.destroy else find_overdrawn(found)
    found.doubted = dict(find_doubted(found, now))
    owners = {found.live[key].owner for key in found.doubted}
    found.doubted_transfers = frozenset(item.transfer.name for item in found.declared_transfers if item.session in owners)
    found.forgotten = frozenset(find_forgotten(found)) if found.overdrawn is None else frozenset()
    _decide_all(found)
    return found


def _decide_all(found: Study) -> None:
    """Choose for every service, until no refusal brings another one: what a refused service would have taken is free for others."""
    refusals = _with_later(found, {service.key: refused for service in found.services if (refused := _refusals_at_sight(found, service))})
    while True:
        found.refusals |= refusals
        # One refused service blocks its whole session: half a session across two endpoints is of no use.
        found.blocked = frozenset(session for _, session in found.refusals)
        _decide(found)
        refusals = {key: refused for key, refused in _later_refusals(found).items() if key not in found.refusals}
        if not refusals:
            return


def _with_later(found: Study, refused: dict[Key, tuple[Refusal, ...]]) -> dict[Key, tuple[Refusal, ...]]:
    """With the reasons that would show once these are gone: a person should learn all of them at once."""
    if not refused:
        return refused
    _decide(found)
    later = _later_refusals(found)
    return {key: (*refusals, *(item for item in later.get(key, ()) if item not in refusals)) for key, refusals in refused.items()}


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
    refused = {name: item.obstacle for name, item in found.paths.items() if item.obstacle is not None}
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
