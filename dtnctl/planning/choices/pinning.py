"""Chooses whole CPUs: what a service has and is still right stays, else the lowest free ones. Pure.

CPUs are exclusive among services that are pinned by `near`, and kept from those that somebody else of ours runs on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dtnctl.model.hardware import cpu_numbers, interface_named, interrupt_cpus
from dtnctl.model.resources import main_name
from dtnctl.planning.choices.host_view import HostView
from dtnctl.planning.resolve import Key, Service
from dtnctl.printable import plural

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Interface

Cpus = tuple[int, ...]


def choose_cpus(view: HostView) -> Mapping[Key, Cpus]:
    """The CPUs of each pinned service that has not been refused; those that cannot have as many are refused now."""
    taken = dict(_taken(view))
    pinned = [service for service in view.services if service.profile.near is not None and _is_free(view, service)]
    chosen: dict[Key, Cpus] = {}
    for choose in (_kept, _new):
        for service in pinned:
            numbers = () if service.key in chosen else choose(view, service, taken)
            if numbers:
                chosen[service.key] = numbers
                taken |= dict.fromkeys(numbers, f"session {service.session.name}")
    for service in pinned:
        if service.key not in chosen:
            _refuse(view, service, taken)
    return chosen


def _is_free(view: HostView, service: Service) -> bool:
    return service.key not in view.refused and not view.is_left(service)


def _taken(view: HostView) -> Mapping[int, str]:
    """CPUs that no service may choose, and who has them: the owner, who names some, and who lives and stays as it is."""
    taken: dict[int, str] = {}
    declared = {service.container: service for service in view.services}
    for name, seen in view.live.items():
        service = declared.get(main_name(name))
        if name not in view.goes and (service is None or view.is_left(service)):
            taken |= dict.fromkeys(cpu_numbers(seen.spec.cpu_set), f"session {seen.owner}")
    for service in view.services:
        if not view.is_left(service):
            taken |= dict.fromkeys(cpu_numbers(service.profile.cpu_set or ""), f"session {service.session.name}")
    reserved = view.endpoint.value.reserved_cpus or ""
    interfaces = view.endpoint.value.interfaces.values()
    numbers = interrupt_cpus(view.host, interfaces) if reserved == "irq" else cpu_numbers(reserved)
    return taken | dict.fromkeys(numbers, "the endpoint's `reserved_cpus`")


def _kept(view: HostView, service: Service, taken: Mapping[int, str]) -> Cpus:
    seen = view.living(service)
    numbers = cpu_numbers(seen.spec.cpu_set) if seen is not None else ()
    is_right = len(numbers) == _wanted(service) and set(numbers) <= set(near(view, service))
    return numbers if is_right and not set(numbers) & taken.keys() else ()


def _new(view: HostView, service: Service, taken: Mapping[int, str]) -> Cpus:
    wanted = _wanted(service)
    free = [number for number in near(view, service) if number not in taken]
    if service.profile.near == "any":
        groups = [[number for number in free if number in cpu_numbers(node.cpus)] for node in view.host.facts.cpus.numa]
        free = next((group for group in groups if len(group) >= wanted), free)
    return tuple(free[:wanted]) if len(free) >= wanted else ()


def _wanted(service: Service) -> int:
    """How many; validation has seen that it is a whole number."""
    return int(service.profile.cpus or 0)


def near(view: HostView, service: Service) -> Cpus:
    """The CPUs that it may be pinned to, the owner's and others' included."""
    online = cpu_numbers(view.host.facts.cpus.online)
    nic = data_interface(view.host, service) if service.profile.near == "data_net" else None
    local = cpu_numbers(nic.local_cpus) if nic is not None and nic.numa_node is not None else ()
    return tuple(number for number in online if number in local) or online


def data_interface(host: Host, service: Service) -> Interface | None:
    """The interface that carries its primary data network; on the host's network the only one that the endpoint names."""
    interfaces = service.endpoint.value.interfaces
    names = [interfaces[net.name] for net in service.profile.data_nets if net.name in interfaces]
    if service.is_host_networked and len(set(interfaces.values())) == 1:
        names = list(interfaces.values())
    return interface_named(host, names[0]) if names else None


def _refuse(view: HostView, service: Service, taken: Mapping[int, str]) -> None:
    numbers = near(view, service)
    free = [number for number in numbers if number not in taken]
    nic = data_interface(view.host, service) if service.profile.near == "data_net" else None
    where = f"near {nic.name} of {view.name}" if nic is not None else f"on {view.name}"
    asked = f"{plural(_wanted(service), 'CPU')} {where} {'is' if _wanted(service) == 1 else 'are'} asked for"
    text = f"{asked}, {len(free)} of {len(numbers)} are free"
    holders = sorted({taken[number] for number in numbers if number in taken})
    text += f"; held by {', '.join(holders)}" if holders else ""
    further = "another endpoint" if service.profile.near == "any" else "`near: any`, or another endpoint"
    view.refuse(service, "E0473", text, "cpus", f"`cpus: {len(free)}`" if free else further)
