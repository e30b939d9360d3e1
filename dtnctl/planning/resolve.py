"""Decides which services, networks and transfers should exist, from what people wrote alone. No choices yet.

Pure: the time is passed in. Choices that depend on live endpoints (ports, addresses) are made in allocate.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from dtnctl.model.effective import effective_profile, origin
from dtnctl.model.plan import Cause
from dtnctl.model.resources import Wanted, service_name
from dtnctl.model.site import (
    BUILT_IN_NETWORKS,
    Attachment,
    Document,
    Endpoint,
    Network,
    ProfileFields,
    Session,
    Site,
    Transfer,
)


@dataclass(frozen=True, slots=True)
class Service:
    """One container of one session on one endpoint, as it was asked for."""

    session: Document[Session]
    endpoint: Document[Endpoint]
    profile: ProfileFields
    container: str
    image: str
    site: Site

    @property
    def key(self) -> tuple[str, str]:
        """(endpoint, session): unique."""
        return self.endpoint.name, self.session.name

    @property
    def ctrl_host(self) -> str:
        return ctrl_host(self.endpoint.value)

    @property
    def is_host_networked(self) -> bool:
        return self.profile.mgmt_net is not None and self.profile.mgmt_net.name == "host"

    @property
    def nets(self) -> tuple[Attachment, ...]:
        """All attachments, the primary one first; none on the host's network."""
        if self.is_host_networked:
            return ()
        mgmt = self.profile.mgmt_net
        return (*self.profile.data_nets, *((mgmt,) if mgmt is not None and mgmt.name != "none" else ()))

    @property
    def publishes(self) -> bool:
        """Whether ports can be published: it needs a bridge that is not internal."""
        return any(is_publishing(self.site, net.name) for net in self.nets)

    def place(self, field: str, key: str | None = None) -> str:
        """`file:line` of what set the field."""
        document, location = origin(self.site, self.session, self.endpoint.name, field, key)
        return document.where(*location)

    def cause(self, text: str, field: str, key: str | None = None) -> Cause:
        """A cause that points at what set the field."""
        document, location = origin(self.site, self.session, self.endpoint.name, field, key)
        return Cause(text, document.file, document.mark(location).line, field)


def ctrl_host(endpoint: Endpoint) -> str:
    """Where control ports of the endpoint are reached: `host:`, or the host part of `docker:`."""
    if endpoint.host is not None:
        return endpoint.host
    authority = endpoint.docker.partition("://")[2].partition("/")[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority.partition("]")[0][1:]
    return authority.partition(":")[0]


def is_publishing(site: Site, network: str) -> bool:
    """Whether ports can be published on containers of this network."""
    if network in BUILT_IN_NETWORKS:
        return network == "bridge"
    value = site.networks[network].value
    return value.driver == "bridge" and not value.internal


def carries_default_route(site: Site, network: str) -> bool:
    """Whether the engine may put a container's default route on this network."""
    if network in BUILT_IN_NETWORKS:
        return network == "bridge"
    return network_carries_default_route(site.networks[network].value)


def network_carries_default_route(network: Network) -> bool:
    """The declared `default_route`, or: bridges do, macvlan and ipvlan with a gateway do, ipvlan l3 (which needs none) does."""
    if network.internal:
        return False
    if network.default_route is not None:
        return network.default_route
    if network.driver == "bridge":
        return True
    return network.gateway is not None or network.gateway6 is not None or network.mode == "l3"


def resolve_services(site: Site, now: datetime) -> tuple[Service, ...]:
    """Every service that should exist, in (endpoint, session) order; expired sessions count as removed."""
    return tuple(sorted(_services(site, now), key=lambda service: service.key))


def _services(site: Site, now: datetime) -> Iterator[Service]:
    for session in site.sessions.values():
        if is_expired(session.value, now):
            continue
        for name in session.value.endpoints:
            profile = effective_profile(site, session, name)
            yield Service(
                session=session,
                endpoint=site.endpoints[name],
                profile=profile,
                container=service_name(site.name, session.name),
                image=profile.image or "",
                site=site,
            )


def is_expired(session: Session, now: datetime) -> bool:
    return session.expires is not None and session.expires <= now


@dataclass(frozen=True, slots=True)
class Route:
    """A transfer with its ends taken apart and the session that carries it."""

    site: str
    transfer: Document[Transfer]
    source_endpoint: str
    source_path: str
    destination_endpoint: str
    destination_path: str
    session: str


def resolve_routes(site: Site, now: datetime) -> tuple[Route, ...]:
    """Every declared transfer that has a session to carry it, in name order.

    One whose session has expired has none: validation accepts that, so it is left out, and its record stays.
    """
    return tuple(route for transfer in site.transfers.values() for route in _route(site, transfer, now))


def _route(site: Site, transfer: Document[Transfer], now: datetime) -> Iterator[Route]:
    source, _, source_path = transfer.value.from_.partition(":")
    destination, _, destination_path = transfer.value.to.partition(":")
    for name, session in site.sessions.items():
        named = transfer.value.session in (None, name)
        covers = {source, destination} <= set(session.value.endpoints)
        if named and covers and not is_expired(session.value, now):
            yield Route(site.name, transfer, source, source_path, destination, destination_path, name)
            return


def wanted_by_endpoint(site: Site, now: datetime) -> Mapping[str, Wanted]:
    """What observation must look up on each endpoint beyond its lists."""
    images: dict[str, set[str]] = {name: set() for name in site.endpoints}
    remote: dict[str, set[str]] = {name: set() for name in site.endpoints}
    for service in resolve_services(site, now):
        images[service.endpoint.name].add(service.image)
        if service.profile.pull == "always":
            remote[service.endpoint.name].add(service.image)
    ledgers = {route.source_endpoint for route in resolve_routes(site, now)}
    return {
        name: Wanted(images=frozenset(images[name]), remote_images=frozenset(remote[name]), ledger=name in ledgers)
        for name in site.endpoints
    }
