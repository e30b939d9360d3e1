"""What an endpoint's agent should do beside the steps of single services: functions of interfaces, VLANs, tuning. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dtnctl.model.hardware import interface_named
from dtnctl.model.plan import Cause, Change, HostRequest, RemoveNetwork, Step
from dtnctl.model.tuning import Tuning
from dtnctl.planning.choices.physical_functions import stranger
from dtnctl.planning.containers.virtual_functions import plan_count, plan_forgotten, plan_no_more
from dtnctl.planning.host.shaping import plan_no_shaping
from dtnctl.planning.host.tuning import plan_tuning
from dtnctl.planning.host.vlans import plan_unused_vlan, plan_vlan, unused_vlans, wanted_vlans
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service
from dtnctl.planning.step_ids import count_id
from dtnctl.planning.study import Study

if TYPE_CHECKING:
    from dtn_agent.protocol import HeldPf, HeldQos, HeldVf, Host

Planned = tuple[Change, Step]


def plan_host(found: Study, endpoint: str, host: Host, steps: tuple[Step, ...]) -> Iterator[tuple[Change, tuple[Step, ...]]]:
    """Everything of one endpoint; `steps` are those that its services and networks get. Over the prune budget nothing is taken away."""
    for change, step in _single(found, endpoint, host, steps):
        yield change, (step,)
    if found.scope.covers("tuning", endpoint, endpoint):
        document = found.site.endpoints[endpoint]
        yield from plan_tuning(found.site, document, Tuning() if found.scope.destroy else document.value.tuning, host)


def _single(found: Study, endpoint: str, host: Host, steps: tuple[Step, ...]) -> Iterator[Planned]:
    yield from _counts(found, endpoint, steps)
    if found.overdrawn is None:
        forgotten = [plan_forgotten(endpoint, held) for held in _forgotten(found, endpoint, host)]
        yield from forgotten
        yield from (plan_no_shaping(endpoint, held) for held in _still_shaped(found, endpoint, host))
        yield from _no_more(found, endpoint, host, (*steps, *(step for _, step in forgotten)))
        yield from _unused_vlans(found, endpoint, host, steps)


def _still_shaped(found: Study, endpoint: str, host: Host) -> Iterator[HeldQos]:
    """What is kept for containers of sessions that are gone, together with their containers."""
    held = {item.container: item for item in sorted(host.held.qos, key=lambda item: (item.container, item.address))}
    return (item for item in held.values() if item.owner.site == found.site.name and (endpoint, item.owner.session) in found.forgotten)


def refused_counts(found: Study, endpoint: str) -> Iterator[tuple[str, Refusal]]:
    """Interfaces that cannot have the functions which are declared, with the reason."""
    for name, refusal in found.allocations.hardware.refused_pfs.get(endpoint, {}).items():
        if found.scope.covers("vfs", name, endpoint):
            yield name, refusal


# --- virtual functions --------------------------------------------------------------------------------------


def _counts(found: Study, endpoint: str, steps: tuple[Step, ...]) -> Iterator[Planned]:
    """Interfaces that get functions: those that this run is about, and those that one of its services waits for."""
    document = found.site.endpoints[endpoint]
    awaited = {step_id for step in steps for step_id in step.needs}
    for pf in found.allocations.hardware.pfs.get(endpoint, {}).values():
        is_meant = found.scope.covers("vfs", pf.name, endpoint) or count_id(endpoint, pf.name) in awaited
        if pf.is_resized and is_meant:
            text = "declared, not there" if pf.count > pf.current else "fewer are declared"
            yield plan_count(found.site.name, endpoint, pf, Cause(text, document.file, document.mark(("vfs", pf.name)).line, "vfs"))


def _forgotten(found: Study, endpoint: str, host: Host) -> Iterator[HeldVf]:
    """Functions of sessions that have neither a service nor a container here."""
    held = sorted(host.held.vfs, key=lambda item: (item.pf, item.index))
    return (item for item in held if item.owner.site == found.site.name and (endpoint, item.owner.session) in found.forgotten)


def _no_more(found: Study, endpoint: str, host: Host, steps: tuple[Step, ...]) -> Iterator[Planned]:
    """Interfaces that nothing asks functions of any more, once the last one of ours is given back and nobody else has one."""
    asked = ((step.id, step.action.request) for step in steps if isinstance(step.action, HostRequest))
    released = {(request.pf, request.index): step_id for step_id, request in asked if request.do == "release-vf"}
    for held in sorted(host.held.pfs, key=lambda item: item.pf):
        is_used = held.pf in found.allocations.hardware.pfs.get(endpoint, {})
        is_meant = held.site == found.site.name and found.scope.covers("vfs", held.pf, endpoint)
        if is_meant and not is_used and not _others(host, held, released):
            needs = tuple(step_id for (interface, _), step_id in sorted(released.items()) if interface == held.pf)
            yield plan_no_more(endpoint, held, needs)


def _others(host: Host, held: HeldPf, released: Mapping[tuple[str, int], str]) -> bool:
    """Whether somebody has a function of the interface after this plan."""
    by_ledger = {item.pci: (item.pf, item.index) for item in host.held.vfs if item.pf == held.pf}
    pf = interface_named(host, held.pf)
    vfs = pf.sriov.vfs if pf is not None and pf.sriov is not None else ()
    return any(key not in released for key in by_ledger.values()) or any(stranger(host, vf) for vf in vfs if vf.pci not in by_ledger)


# --- VLANs --------------------------------------------------------------------------------------------------


def plan_vlans(found: Study, endpoint: str) -> Iterator[tuple[str, Change, Step]]:
    """The sub-interfaces that are made or made right, with the network that sits on each."""
    host = found.answering[endpoint].host
    if host is not None:
        for network, vlan in found.vlans[endpoint].items():
            yield network, *plan_vlan(found.site.name, found.site.endpoints[endpoint], vlan, host)


def _unused_vlans(found: Study, endpoint: str, host: Host, steps: tuple[Step, ...]) -> Iterator[Planned]:
    seen = found.answering[endpoint]
    removed = {step.action.network: step.id for step in steps if isinstance(step.action, RemoveNetwork)}
    left = (*(item for item in seen.networks if item.name not in removed), *seen.foreign_networks)
    wanted = wanted_vlans(found.site, found.site.endpoints[endpoint].value, _services(found, endpoint))
    for held in unused_vlans(found.site.name, wanted, host, left):
        if found.scope.covers("vlan", held.name, endpoint):
            on_it = (item.name for item in seen.networks if item.spec.parent == held.name)
            yield plan_unused_vlan(endpoint, held, tuple(sorted(removed[name] for name in on_it)))


def _services(found: Study, endpoint: str) -> tuple[Service, ...]:
    return tuple(service for service in found.services if service.endpoint.name == endpoint)
