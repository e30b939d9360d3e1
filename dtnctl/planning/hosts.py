"""What an endpoint's agent should do beside the steps of single services: functions of interfaces, VLANs, tuning. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.plan import Cause, Change, ReleaseVf, RemoveNetwork, Step
from dtnctl.model.tuning import Tuning
from dtnctl.planning.functions import plan_count, plan_forgotten, plan_no_more
from dtnctl.planning.resolve import Service
from dtnctl.planning.shaping import plan_no_shaping
from dtnctl.planning.study import Study
from dtnctl.planning.tuning import plan_tuning
from dtnctl.planning.vlans import plan_unused_vlans, plan_vlans, wanted_vlans

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Owner

Planned = tuple[Change, tuple[Step, ...]]


def plan_host(found: Study, endpoint: str, host: Host, steps: tuple[Step, ...]) -> Iterator[Planned]:
    """Everything of one endpoint; `steps` are those that its services and networks get."""
    forgotten = tuple(_forgotten(found, endpoint, host))
    wanted = wanted_vlans(found.site, found.site.endpoints[endpoint].value, _services(found, endpoint))
    removals = tuple(step for step in steps if isinstance(step.action, RemoveNetwork))
    single = (
        *_counts(found, endpoint),
        *forgotten,
        *_no_more(found, endpoint, host, (*steps, *(step for _, step in forgotten))),
        *plan_unused_vlans(found.site.name, endpoint, wanted, host, removals),
    )
    yield from ((change, (step,)) for change, step in single)
    tuning = Tuning() if found.scope.destroy else found.site.endpoints[endpoint].value.tuning
    yield from plan_tuning(found.site, found.site.endpoints[endpoint], tuning, host)


def _services(found: Study, endpoint: str) -> tuple[Service, ...]:
    return tuple(service for service in found.services if service.endpoint.name == endpoint)


def _counts(found: Study, endpoint: str) -> Iterator[tuple[Change, Step]]:
    if found.scope.destroy:
        return
    document = found.site.endpoints[endpoint]
    for pf in found.allocations.pfs.get(endpoint, {}).values():
        if pf.grows:
            cause = Cause("declared, not there", document.file, document.mark(("vfs", pf.name)).line, "vfs")
            yield plan_count(endpoint, pf, cause)


def _forgotten(found: Study, endpoint: str, host: Host) -> Iterator[tuple[Change, Step]]:
    """What is held for sessions that have neither a service nor a container here."""
    wanted = {service.session.name for service in _services(found, endpoint)}
    living = {seen.owner for (name, _), seen in found.live.items() if name == endpoint and seen.kind == "service"}

    def is_forgotten(owner: Owner) -> bool:
        return owner.site == found.site.name and owner.session not in wanted | living

    yield from (plan_forgotten(endpoint, held) for held in host.held.vfs if is_forgotten(held.owner))
    yield from (plan_no_shaping(endpoint, held) for held in host.held.qos if is_forgotten(held.owner))


def _no_more(found: Study, endpoint: str, host: Host, steps: tuple[Step, ...]) -> Iterator[tuple[Change, Step]]:
    """Interfaces that nothing declares functions on any more, once the last one of ours was given back."""
    released = {(step.action.interface, step.action.index): step.id for step in steps if isinstance(step.action, ReleaseVf)}
    for held in host.held.pfs:
        is_used = held.interface in found.allocations.pfs.get(endpoint, {}) and not found.scope.destroy
        left = any((vf.pf, vf.index) not in released for vf in host.held.vfs if vf.pf == held.interface)
        if held.site == found.site.name and not is_used and not left:
            needs = tuple(step_id for (interface, _), step_id in sorted(released.items()) if interface == held.interface)
            yield plan_no_more(endpoint, held, needs)


def plan_vlans_needed(found: Study, endpoint: str, host: Host | None) -> Iterator[tuple[str, Change, Step]]:
    """The sub-interfaces that are missing, with the network that sits on each; the engine makes its own where no agent can."""
    if host is None or host.lacks("vlan"):
        return
    services = tuple(service for service in _services(found, endpoint) if found.is_workable(service))
    wanted = wanted_vlans(found.site, found.site.endpoints[endpoint].value, services)
    for change, step in plan_vlans(endpoint, wanted, host):
        yield wanted[change.name][1].name, change, step
