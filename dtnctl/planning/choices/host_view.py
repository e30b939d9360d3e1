"""One endpoint whose agent answered, as its hardware is chosen: what is declared there, what lives there, what the host is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dtnctl.model.hardware import interface_named
from dtnctl.model.resources import ContainerSeen, EndpointSeen, live_names
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Endpoint, Site
from dtnctl.planning.choices.disposition import Disposition
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key, Service

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Interface


def sriov_networks(service: Service) -> tuple[str, ...]:
    """The networks that the service gets a virtual function for."""
    networks = service.site.networks
    return tuple(
        net.name for net in service.nets if net.name not in BUILT_IN_NETWORKS and networks[net.name].value.driver_row.gives_functions
    )


@dataclass(frozen=True, slots=True)
class HostView:
    """`services` in the order in which they choose. The names from `stays` to `fixed` are those of Disposition that are here.

    `refused` grows while choices are made: all reasons of each service, in the order in which they were found.
    """

    site: Site
    endpoint: Document[Endpoint]
    services: tuple[Service, ...]
    live: Mapping[str, ContainerSeen]
    host: Host
    stays: frozenset[str]
    goes: frozenset[str]
    works: frozenset[str]
    forgotten: frozenset[str]
    fixed: frozenset[str]
    refused: dict[Key, tuple[Refusal, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.endpoint.name

    def interface(self, name: str) -> Interface | None:
        return interface_named(self.host, name)

    def living(self, service: Service) -> ContainerSeen | None:
        """Its live container; while a replacement is half-done, the retired or the prepared one shows what it has."""
        return next((self.live[name] for name in live_names(service.container) if name in self.live), None)

    def is_left(self, service: Service) -> bool:
        """Whether its live container is left as it is: then it keeps what it has, whatever is declared."""
        seen = self.living(service)
        return seen is not None and seen.name in self.stays

    def leaves(self, session: str) -> bool:
        """Whether everything of the session goes from here in this plan."""
        if any(service.session.name == session for service in self.services):
            return False
        containers = {name for name, seen in self.live.items() if seen.owner == session}
        return containers <= self.goes if containers else session in self.forgotten

    def needs_none(self, session: str) -> bool:
        """Whether this plan works on the session's service here and that is on no network of virtual functions: it gives all back."""
        here = (service for service in self.services if service.session.name == session and session in self.works)
        return any(not sriov_networks(service) and not self.is_left(service) for service in here)

    def refuse(self, service: Service, code: str, text: str, field_name: str, fix: str) -> None:
        refusal = Refusal(code, service.cause(text, field_name), fix)
        self.refused[service.key] = (*self.refused.get(service.key, ()), refusal)


def host_view(site: Site, services: tuple[Service, ...], seen: EndpointSeen, host: Host, disposition: Disposition) -> HostView:
    """What lives keeps what it has before anything new is chosen, so its services come first."""

    def here(keys: frozenset[Key]) -> frozenset[str]:
        return frozenset(name for endpoint, name in keys if endpoint == seen.name)

    live = {item.name: item for item in sorted(seen.containers, key=lambda item: item.name) if item.kind == "service"}
    ordered = sorted(services, key=lambda service: (service.container not in live, service.key))
    return HostView(
        site=site,
        endpoint=site.endpoints[seen.name],
        services=tuple(ordered),
        live=live,
        host=host,
        stays=here(disposition.stays),
        goes=here(disposition.goes),
        works=here(disposition.works),
        forgotten=here(disposition.forgotten),
        fixed=here(disposition.fixed),
    )
