"""What the services of a commit claim: fixed ports, addresses, CPUs and interfaces, and choices of which only the number is known. Pure."""

from __future__ import annotations

import ipaddress
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from dtnctl.model.branches import Claim, Declared, Resource, Spans
from dtnctl.model.effective import profile_chain
from dtnctl.model.fields import AddressPool
from dtnctl.model.hardware import cpu_numbers
from dtnctl.model.networking import attachments, reserved_addresses, uses_host_ports
from dtnctl.model.permission import allowed_ports
from dtnctl.model.profile import Attachment
from dtnctl.model.site import Allow, Network
from dtnctl.model.validation.claims import port_claims
from dtnctl.model.validation.known import DeclaredService, Known
from dtnctl.planning.branches.spans import joined, runs, without
from dtnctl.planning.choices.pools import address_spans

FAMILIES = {"ipv4": ("subnet", "addresses"), "ipv6": ("subnet6", "addresses6")}
WHOLE = 2**32 - 1  # of a volume: one part for each reader that there could be
Claims = Mapping[str, tuple[Claim, ...]]  # by session


def claims_of(declared: Declared, now: datetime, base: Declared | None = None, claimed: Claims | None = None) -> Claims:
    """The claims of every session. With `base`, those that it shares with it are taken from `claimed`."""
    changed = set(declared.sessions) if base is None else _changed(base, declared)
    part = replace(declared, sessions={name: item for name, item in declared.sessions.items() if name in changed})
    known = Known(part, part.broken, now)
    found: dict[str, list[Claim]] = {name: [] for name in part.sessions}
    for service in known.services:
        if known.readable_networks(service.profile) and service.endpoint in part.endpoints:
            found[service.session.name] += _claims(known, service)
    kept = {name: items for name, items in (claimed or {}).items() if name in declared.sessions and name not in changed}
    return kept | {name: tuple(items) for name, items in found.items()}


def _changed(base: Declared, other: Declared) -> set[str]:
    """Sessions that may claim something else than in the base. Files that are the same are the same objects in both."""
    if _differ(base.networks, other.networks) or _differ(base.endpoints, other.endpoints):
        return set(other.sessions)
    profiles = _differ(base.profiles, other.profiles)
    chains: dict[str, bool] = {}
    changed = _differ(base.sessions, other.sessions)
    for name, session in other.sessions.items():
        profile = session.value.profile
        if profiles and profile not in chains:
            chain = {item.name for site in (base, other) for item in profile_chain(site, profile)}
            chains[profile] = bool(profiles & {profile, "default", *chain})
        if profiles and chains[profile]:
            changed.add(name)
    return changed & set(other.sessions)


def _differ(one: Mapping[str, object], other: Mapping[str, object]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) is not other.get(name)}


def _claims(known: Known, service: DeclaredService) -> Iterator[Claim]:
    yield from _ports(known, service)
    for net in attachments(service.profile):
        network = known.network(net.name)
        if network is not None:
            field = service.attached_by(net.name)
            yield from _addresses(service, net, network, field)
            yield from _hardware(known, service, net.name, field)
    yield from _cpus(service)
    yield from _volumes(service)


def _claim(service: DeclaredService, resource: Resource, spans: Spans, field: str, amount: int = 0) -> Claim:
    document, location = service.origin(field)
    mark = document.mark(location)
    return Claim(resource, spans, amount, service.session.name, service.endpoint, field, document.file, mark.line, mark.column)


def _ports(known: Known, service: DeclaredService) -> Iterator[Claim]:
    for protocol, item in port_claims(known, service):
        yield _claim(service, Resource("port", service.endpoint, protocol), ((item.low, item.high),), item.field)
    if not uses_host_ports(known.site.networks, service.profile):
        return
    allow = known.site.endpoints[service.endpoint].value.allow
    for field in ("ctrl_port_range", "serv_port_range"):
        bounds = getattr(service.profile, field)
        if bounds is not None and bounds[0] < bounds[1]:
            yield _claim(service, Resource("port", service.endpoint, "tcp"), _allowed(allow, *bounds), field, 1)


def _allowed(allow: Allow, low: int, high: int) -> Spans:
    """The part of a range of ports that the endpoint's owner lets services have."""
    found = ((max(low, first), min(high, last)) for first, last in allowed_ports(allow))
    return joined((first, last) for first, last in found if first <= last)


def _addresses(service: DeclaredService, net: Attachment, network: Network, field: str) -> Iterator[Claim]:
    for family, (subnet_field, pool_field) in FAMILIES.items():
        fixed, subnet, pool = getattr(net, family), getattr(network, subnet_field), getattr(network, pool_field)
        resource = Resource("address", net.name, family)
        numbers = [int(ipaddress.ip_address(address)) for address in fixed]
        if numbers:
            yield _claim(service, resource, runs(numbers), field, 0 if len(numbers) == 1 else 1)
        elif subnet is not None and (network.driver_row.addresses == "ours" or pool is not None):
            yield _claim(service, resource, choosable(network, subnet, pool), field, 1)


def choosable(network: Network, subnet: str, pool: AddressPool | None) -> Spans:
    """The addresses that services may be given, as numbers."""
    reserved = runs(int(ipaddress.ip_address(address)) for address in reserved_addresses(network))
    return without(address_spans(subnet, pool), reserved)


def _hardware(known: Known, service: DeclaredService, name: str, field: str) -> Iterator[Claim]:
    network = known.site.networks[name].value
    endpoint = known.site.endpoints[service.endpoint].value
    interface = endpoint.interfaces.get(name, "")
    if network.driver_row.gives_functions:
        count = endpoint.vfs.get(interface)
        spans = () if count is None else ((0, count - 1),)
        yield _claim(service, Resource("vf", service.endpoint, interface), spans, field, 1)
    elif network.driver_row.gives_all(network.mode):
        yield _claim(service, Resource("interface", service.endpoint, interface), ((0, 0),), field)


def _cpus(service: DeclaredService) -> Iterator[Claim]:
    resource = Resource("cpu", service.endpoint)
    for span in runs(cpu_numbers(service.profile.cpu_set or "")):
        yield _claim(service, resource, (span,), "cpu_set")
    if service.profile.near is not None:
        yield _claim(service, resource, (), "cpus", int(service.profile.cpus or 0))


def _volumes(service: DeclaredService) -> Iterator[Claim]:
    """Who writes a volume over NVMe-oF takes all of it; who reads it a part of its own, so that readers meet writers and no readers."""
    for mount in service.profile.volumes:
        if mount.nvme:
            detail = "device" if mount.target.startswith("/dev/") else ""
            reader = zlib.crc32(f"{service.endpoint}/{service.session.name if detail else ''}".encode())
            span = (0, WHOLE) if mount.mode == "rw" else (reader, reader)
            yield _claim(service, Resource("volume", mount.nvme, detail), (span,), "volumes")
