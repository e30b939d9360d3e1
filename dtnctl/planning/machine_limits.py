"""Refuses what a service asks of a machine that does not have it: more CPUs, other CPUs, other NUMA nodes. Pure.

The engine would refuse it as well, but only when the new container is made. An agent's facts say exactly which CPUs there are; without
one the engine's own count has to do.
"""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.hardware import cpu_numbers
from dtnctl.model.resources import EndpointSeen
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service
from dtnctl.printable import plural

CODE = "E0480"


def beyond_machine(service: Service, seen: EndpointSeen) -> Iterator[Refusal]:
    """Every field that asks for what is not there. Nothing is refused where it is not known what is there."""
    profile = service.profile
    if profile.near is None and profile.cpus and seen.cpus and profile.cpus > seen.cpus:
        text = f"`cpus: {profile.cpus:g}` is more than the {plural(seen.cpus, 'CPU')} of {seen.name}"
        yield Refusal(CODE, service.cause(text, "cpus"), f"{seen.cpus} or less")
    yield from _absent(service, seen, "cpu_set", "CPU", _cpus(seen))
    yield from _absent(service, seen, "memory_nodes", "NUMA node", _nodes(seen))


def _cpus(seen: EndpointSeen) -> tuple[int, ...]:
    return cpu_numbers(seen.host.facts.cpus.online) if seen.host is not None else tuple(range(seen.cpus))


def _nodes(seen: EndpointSeen) -> tuple[int, ...]:
    return tuple(node.node for node in seen.host.facts.cpus.numa) if seen.host is not None else ()


def _absent(service: Service, seen: EndpointSeen, field: str, what: str, there: tuple[int, ...]) -> Iterator[Refusal]:
    asked = cpu_numbers(getattr(service.profile, field) or "")
    absent = [number for number in asked if number not in there]
    if there and absent:
        text = f"`{field}: {getattr(service.profile, field)}` names {what} {absent[0]}, which {seen.name} does not have"
        yield Refusal(CODE, service.cause(text, field), f"{what}s up to {max(there)}")
