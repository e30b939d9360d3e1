"""What an endpoint's agent should do beside the steps of single services: functions of interfaces, VLANs, tuning. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.plan import Cause, Change, ReleaseVf, RemoveNetwork, Step
from dtnctl.planning.functions import plan_count, plan_forgotten, plan_no_more
from dtnctl.planning.resolve import Service
from dtnctl.planning.study import Study
from dtnctl.planning.vlans import plan_unused_vlans, plan_vlans, wanted_vlans

if TYPE_CHECKING:
    from dtn_agent.protocol import HeldVf, Host

Planned = tuple[Change, Step]


def plan_host(found: Study, endpoint: str, host: Host, steps: tuple[Step, ...]) -> Iterator[Planned]:
    """Everything of one endpoint; `steps` are those that its services and networks get."""
    yield from _counts(found, endpoint)
    forgotten = tuple(plan_forgotten(endpoint, held) for held in _forgotten(found, endpoint, host))
    yield from forgotten
    yield from _no_more(found, endpoint, host, (*steps, *(step for _, step in forgotten)))
    wanted = wanted_vlans(found.site, found.site.endpoints[endpoint].value, _services(found, endpoint))
    removals = tuple(step for step in steps if isinstance(step.action, RemoveNetwork))
    yield from plan_unused_vlans(found.site.name, endpoint, wanted, host, removals)


def _services(found: Study, endpoint: str) -> tuple[Service, ...]:
    return tuple(service for service in found.services if service.endpoint.name == endpoint)


def _counts(found: Study, endpoint: str) -> Iterator[Planned]:
    document = found.site.endpoints[endpoint]
    for pf in found.allocations.pfs.get(endpoint, {}).values():
        if pf.grows:
            cause = Cause("declared, not there", document.file, document.mark(("vfs", pf.name)).line, "vfs")
            yield plan_count(endpoint, pf, cause)


def _forgotten(found: Study, endpoint: str, host: Host) -> Iterator[HeldVf]:
    """Functions of sessions that have neither a service nor a container here."""
    wanted = {service.session.name for service in _services(found, endpoint)}
    living = {seen.owner for (name, _), seen in found.live.items() if name == endpoint and seen.kind == "service"}
    return (held for held in host.held.vfs if held.owner.site == found.site.name and held.owner.session not in wanted | living)


def _no_more(found: Study, endpoint: str, host: Host, steps: tuple[Step, ...]) -> Iterator[Planned]:
    """Interfaces that nothing declares functions on any more, once the last one of ours was given back."""
    released = {(step.action.interface, step.action.index): step.id for step in steps if isinstance(step.action, ReleaseVf)}
    for held in host.held.pfs:
        is_used = held.interface in found.allocations.pfs.get(endpoint, {})
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
