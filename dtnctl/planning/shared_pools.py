"""Networks whose addresses are one pool over several endpoints: which endpoints those are, and from which pools a plan draws. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from dtnctl.model.actions import Action, ConnectNetwork, CreateContainer, ReplaceContainer
from dtnctl.model.plan import Plan
from dtnctl.model.resources import Attachment, EndpointSeen
from dtnctl.model.site import Site
from dtnctl.planning.resolve import Service, resolve_services


def pooled_networks(site: Site) -> frozenset[str]:
    """Networks of whose addresses dtnctl chooses: the same name is one pool over all endpoints."""
    return frozenset(name for name, item in site.networks.items() if item.value.subnet is not None or item.value.subnet6 is not None)


def pool_endpoints(site: Site, services: Iterable[Service], networks: Collection[str]) -> frozenset[str]:
    """Endpoints on which addresses of these networks may be held: those whose services are on one, and whose interfaces carry one.

    The second have what no file declares any more, and what another commit declares.
    """
    used = {service.endpoint.name for service in services if any(net.name in networks for net in service.nets)}
    return frozenset(used | {name for name, item in site.endpoints.items() if not item.value.interfaces.keys().isdisjoint(networks)})


def drawn_from(site: Site, plan: Plan, now: datetime) -> tuple[str, ...]:
    """Endpoints that answer and share a pool of which the plan takes an address: no other run may take one meanwhile.

    Two runs from different commits change different endpoints and know of other sessions: each would find the same address free.
    """
    seen = plan.snapshot.endpoints if plan.snapshot is not None else {}
    taken = {(step.endpoint, item) for step in plan.steps for item in _attachments(step.action)}
    networks = pooled_networks(site) & {item.network for endpoint, item in taken if not _is_held(seen[endpoint], item)}
    if not networks:
        return ()
    endpoints = pool_endpoints(site, resolve_services(site, now), networks)
    return tuple(name for name, there in sorted(seen.items()) if name in endpoints and not there.is_silent)


def _attachments(action: Action) -> tuple[Attachment, ...]:
    match action:
        case CreateContainer() | ReplaceContainer():
            return action.spec.attachments
        case ConnectNetwork():
            return (action.attachment,)
        case _:
            return ()


def _is_held(seen: EndpointSeen, wanted: Attachment) -> bool:
    """Whether a container of ours has these addresses there already: a replacement that keeps them takes nothing."""
    live = (item for container in seen.containers for item in container.spec.attachments)
    return any((item.network, item.ipv4, item.ipv6) == (wanted.network, wanted.ipv4, wanted.ipv6) for item in live)
