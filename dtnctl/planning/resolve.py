"""Decides which services and transfers should exist, from what people wrote alone. No choices yet.

Pure: the time is passed in. Choices that depend on live endpoints (ports, addresses) are made in allocate.py.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dtnctl.model.backends import Backend
from dtnctl.model.effective import effective_profile, layers, origin, winner_at
from dtnctl.model.networking import attachments, is_host_networked, is_publishing, published_ranges
from dtnctl.model.plan import Cause
from dtnctl.model.profile import Attachment, ProfileFields
from dtnctl.model.resources import EndpointSeen, Wanted, service_name
from dtnctl.model.schedule import newest_firing, scheduled_generation
from dtnctl.model.site import Document, Endpoint, Location, Session, Site
from dtnctl.model.suitable import suitable_sessions
from dtnctl.model.transfer import Transfer
from dtnctl.model.tuning import Tuning, tuning_keys

NOT_ASKED: Mapping[str, EndpointSeen] = {}
Key = tuple[str, str]  # (endpoint, session) of a service, or (endpoint, container) of what lives
Range = tuple[int, int, str, str]  # (low, high, protocol, field)
Needs = tuple[ProfileFields, tuple[Attachment, ...], bool, tuple[Range, ...]]  # profile, nets, publishes, published of a Service


@dataclass(frozen=True, slots=True)
class Service:
    """One container of one session on one endpoint, as it was asked for.

    `key` is (endpoint, session): unique. `nets` are all attachments, the primary one first; none on the host's network.
    `publishes`: whether ports can be published, which needs a bridge that carries a default route. `published` are ranges that
    it takes whole.
    `backend` is what its endpoint can do.
    """

    key: Key
    session: Document[Session]
    endpoint: Document[Endpoint]
    profile: ProfileFields
    container: str
    image: str
    site: Site
    nets: tuple[Attachment, ...]
    publishes: bool
    published: tuple[Range, ...]
    backend: Backend

    @property
    def ctrl_host(self) -> str:
        return ctrl_host(self.endpoint.value)

    @property
    def is_host_networked(self) -> bool:
        return is_host_networked(self.profile)

    @property
    def uses_host_ports(self) -> bool:
        """Whether its ports are the endpoint's; otherwise it has all ports of its own addresses to itself."""
        return self.publishes or self.is_host_networked

    @property
    def wants_running(self) -> bool:
        return self.session.value.state == "started"

    @property
    def protection(self) -> str:
        """`file:line` of the `protect: true` that covers it; empty if there is none."""
        return next((document.where("protect") for document in (self.session, self.endpoint) if document.value.protect), "")

    def field_of(self, network: str) -> str:
        """The profile's field that asks for the network."""
        return "data_nets" if any(net.name == network for net in self.profile.data_nets) else "mgmt_net"

    def place(self, field: str, key: str | None = None) -> str:
        """`file:line` of what set the field."""
        document, location = origin(self.site, self.session, self.endpoint.name, field, key)
        return document.where(*location)

    def place_of(self, location: Location) -> str:
        """`file:line` of a place within the field, such as an item of a list."""
        found = winner_at(layers(self.site, self.session, self.endpoint.name), location)
        document, there = found or (self.session, ("profile",))
        return document.where(*there)

    def cause(self, text: str, field: str, key: str | None = None) -> Cause:
        """A cause that points at what set the field."""
        document, location = origin(self.site, self.session, self.endpoint.name, field, key)
        return Cause(text, document.file, document.mark(location).line, field)

    def __str__(self) -> str:
        return f"session {self.session.name} on {self.endpoint.name}"


def ctrl_host(endpoint: Endpoint) -> str:
    """Where control ports of the endpoint are reached: `host:`, or the host part of `docker:`."""
    return endpoint.host if endpoint.host is not None else endpoint.address.host


def resolve_services(site: Site, now: datetime, answering: Mapping[str, EndpointSeen] = NOT_ASKED) -> tuple[Service, ...]:
    """Every service that should exist, in (endpoint, session) order; expired sessions count as removed.

    `answering` are the endpoints that did: they know which backend they have.
    """
    return tuple(sorted(_services(site, now, answering), key=lambda service: service.key))


def _services(site: Site, now: datetime, answering: Mapping[str, EndpointSeen]) -> Iterator[Service]:
    backends = {name: item.value.backend(answering[name].backend if name in answering else "") for name, item in site.endpoints.items()}
    needs: dict[Hashable, Needs] = {}
    for session in site.sessions.values():
        if session.value.is_expired(now):
            continue
        for name in session.value.endpoints:
            asked = _asked(session, name)
            if asked not in needs:
                needs[asked] = _needs(site, effective_profile(site, session, name))
            profile, nets, publishes, published = needs[asked]
            yield Service(
                key=(name, session.name),
                session=session,
                endpoint=site.endpoints[name],
                profile=profile,
                container=service_name(site.name, session.name),
                image=profile.image or "",
                site=site,
                nets=nets,
                publishes=publishes,
                published=published,
                backend=backends[name],
            )


def _needs(site: Site, profile: ProfileFields) -> Needs:
    nets = attachments(profile)
    publishes = any(is_publishing(site.networks, net.name) for net in nets)
    return profile, nets, publishes, tuple(published_ranges(site.networks, profile))


def _asked(session: Document[Session], endpoint: str) -> Hashable:
    """What decides the needs: services that write nothing of their own share them, and thousands of copies are not made."""
    request = session.value
    if request.settings is None and endpoint not in request.overrides:
        return request.profile, request.image, request.user
    return session.name, endpoint


@dataclass(frozen=True, slots=True)
class ResolvedTransfer:
    """A transfer with its ends taken apart and the session that carries it. With a schedule, its generation is that of one firing."""

    site: str
    transfer: Document[Transfer]
    source_endpoint: str
    source_path: str
    destination_endpoint: str
    destination_path: str
    session: str

    @property
    def written_path(self) -> str:
        """The very file or folder that is written: a file that is copied into a folder keeps its name there."""
        if self.transfer.value.recursive or not self.destination_path.endswith("/"):
            return self.destination_path
        return self.destination_path + self.source_path.rpartition("/")[2]

    @property
    def keys(self) -> tuple[Key, Key]:
        """The services at its ends, source first."""
        return (self.source_endpoint, self.session), (self.destination_endpoint, self.session)


def resolve_transfers(site: Site, now: datetime) -> tuple[ResolvedTransfer, ...]:
    """Every declared transfer that has a session to carry it, in name order.

    One whose session has expired has none: validation accepts that, so it is left out, and its record stays.
    """
    return carried(site, declared_transfers(site, now), now)


def carried(site: Site, declared: tuple[ResolvedTransfer, ...], now: datetime) -> tuple[ResolvedTransfer, ...]:
    """Those of them whose session has not expired."""
    return tuple(resolved for resolved in declared if not site.sessions[resolved.session].value.is_expired(now))


def declared_transfers(site: Site, now: datetime) -> tuple[ResolvedTransfer, ...]:
    """The same with those whose session has expired: a job of theirs may still run."""
    return tuple(_resolved(site, transfer, now) for _, transfer in sorted(site.transfers.items()))


def _resolved(site: Site, transfer: Document[Transfer], now: datetime) -> ResolvedTransfer:
    """Validation has seen that a suitable session exists, and that it is the only one."""
    source, _, source_path = transfer.value.from_.partition(":")
    destination, _, destination_path = transfer.value.to.partition(":")
    session = transfer.value.session or suitable_sessions(site, transfer.value, now)[0]
    resolved = ResolvedTransfer(site.name, transfer, source, source_path, destination, destination_path, session)
    when = transfer.value.when
    if when is None or when.schedule is None:
        return resolved
    return of_generation(resolved, scheduled_generation(transfer.value.generation, newest_firing(when, now)))


def of_generation(resolved: ResolvedTransfer, generation: int) -> ResolvedTransfer:
    """The same transfer in another generation than its file declares."""
    value = resolved.transfer.value.model_copy(update={"generation": generation})
    return replace(resolved, transfer=replace(resolved.transfer, value=value))


def emptied(site: Site) -> Site:
    """The site with nothing left to make: what `destroy` plans for. Its names, networks and endpoints stay known."""
    nothing = {"vfs": {}, "tuning": Tuning()}
    endpoints = {name: replace(item, value=item.value.model_copy(update=nothing)) for name, item in site.endpoints.items()}
    return replace(site, sessions={}, transfers={}, paths={}, endpoints=endpoints)


def asks_for_cpus(profile: ProfileFields) -> bool:
    """Whether it matters to a service how many CPUs the engine has."""
    return profile.near is None and bool(profile.cpus or profile.cpu_set)


def wanted_by_endpoint(site: Site, now: datetime) -> Mapping[str, Wanted]:
    """What observation must look up on each endpoint beyond its lists."""
    images: dict[str, set[str]] = {name: set() for name in site.endpoints}
    remote: dict[str, set[str]] = {name: set() for name in site.endpoints}
    counted: set[str] = set()
    volumes: dict[str, set[str]] = {name: set() for name in site.endpoints}
    for service in resolve_services(site, now):
        counted |= {service.endpoint.name} if asks_for_cpus(service.profile) else set()
        images[service.endpoint.name].add(service.image)
        if service.profile.pull == "always":
            remote[service.endpoint.name].add(service.image)
        volumes[service.endpoint.name] |= {volume.source or "" for volume in service.profile.volumes if volume.kind == "volume"}
    # All of them: the record of a transfer may lie where `from` pointed once.
    has_transfers = bool(resolve_transfers(site, now))
    return {
        name: Wanted(
            frozenset(images[name]),
            frozenset(remote[name]),
            has_transfers,
            tuning_keys(site.endpoints[name].value.tuning),
            cpus=name in counted,
            volumes=frozenset(volumes[name]),
        )
        for name in site.endpoints
    }
