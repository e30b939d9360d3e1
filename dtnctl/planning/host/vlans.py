"""VLAN sub-interfaces of endpoints with an agent: made before the networks on top of them, removed after. Pure.

Without an agent the engine makes them itself, for macvlan and ipvlan networks, with the MTU that they happen to get.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dtnctl.model.actions import HostRequest, RemoveNetwork
from dtnctl.model.hardware import interface_named
from dtnctl.model.kinds import ChangeKind
from dtnctl.model.plan import Cause, Change, FieldChange, Step
from dtnctl.model.resources import NetworkSeen
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Endpoint, Network, Site
from dtnctl.planning.choices.holdings import ACTIVE_STATES
from dtnctl.planning.choices.parents import mtu_steps
from dtnctl.planning.containers.compare import Difference, short_text
from dtnctl.planning.containers.host_part import HostPart
from dtnctl.planning.host.resource import HostResource, Planned, PlannedHost, PlannedService
from dtnctl.planning.resolve import Service
from dtnctl.planning.step_ids import remove_vlan_id, vlan_id

if TYPE_CHECKING:
    from dtn_agent.protocol import Held, Host, Interface
    from dtn_agent.protocol.vlans import HeldVlan


@dataclass(frozen=True, slots=True)
class WantedVlan:
    """A sub-interface that a network uses."""

    document: Document[Network]
    parent: str
    vlan: int
    mtu: int | None

    @property
    def name(self) -> str:
        return f"{self.parent}.{self.vlan}"


class Vlans(HostResource):
    """Those that networks of services are on top of, where the agent can make any."""

    plural = "VLANs"

    def names(self, site: Site, endpoint: Document[Endpoint], held: Held | None) -> Iterable[tuple[ChangeKind, str]]:
        interfaces = endpoint.value.interfaces
        vlans = {network: found.value.vlan for network, found in site.networks.items() if found.value.vlan is not None}
        yield from (("vlan", f"{interfaces[network]}.{vlan}") for network, vlan in vlans.items() if network in interfaces)
        if held is not None:
            yield from (("vlan", item.name) for item in held.vlans if item.site == site.name)

    def for_service(self, here: PlannedHost, planned: PlannedService) -> HostPart:
        service, seen = planned.service, planned.seen
        made = _made(here, (service,))
        is_active = seen is not None and seen.state in ACTIVE_STATES and not planned.is_new
        attached = seen.networks if seen is not None and is_active else frozenset()
        gone = [made[name] for name in sorted(attached & made.keys()) if _there(made[name], here.host) is None]
        return HostPart(before=tuple(_before(here, service, made)), lost=tuple(_lost(vlan) for vlan in gone))

    def below_networks(self, here: PlannedHost) -> Iterable[tuple[str, Planned]]:
        return ((network, _plan_vlan(here, vlan)) for network, vlan in _made(here, here.workable).items())

    def beside(self, here: PlannedHost, steps: tuple[Step, ...]) -> Iterable[Planned]:
        """Remove those that we made and that nothing is on top of any more."""
        if not here.may_remove:
            return
        removed = {step.action.network: step.id for step in steps if isinstance(step.action, RemoveNetwork)}
        left = (*(item for item in here.seen.networks if item.name not in removed), *here.seen.foreign_networks)
        wanted = _wanted_vlans(here.site, here.document.value, here.services)
        for held in _unused(here.site.name, wanted, here.host, left):
            if here.covers("vlan", held.name):
                on_it = (item.name for item in here.seen.networks if item.spec.parent == held.name)
                yield _plan_unused(here.name, held, (*sorted(removed[name] for name in on_it), *_volumes_let_go(steps)))


def _volumes_let_go(steps: tuple[Step, ...]) -> Iterator[str]:
    """Steps after which hosts do not need the network for a volume: it may be reached over the sub-interface."""
    for step in steps:
        if isinstance(step.action, HostRequest) and step.action.request.do in ("disconnect-volume", "withdraw-volume"):
            yield step.id


def _made(here: PlannedHost, services: tuple[Service, ...]) -> Mapping[str, WantedVlan]:
    """By network, what this plan makes or changes for these services."""
    if here.host.lacks("vlan"):
        return {}
    wanted = _wanted_vlans(here.site, here.document.value, services)
    return {
        network: vlan
        for network, vlan in wanted.items()
        if _differs(vlan, here.host) and not here.scope.excluded("vlan", vlan.name, here.name)
    }


def _before(here: PlannedHost, service: Service, made: Mapping[str, WantedVlan]) -> Iterator[str]:
    """The steps that make what the service's networks are on top of, or set its MTU."""
    interfaces = here.document.value.interfaces
    for net in service.nets:
        if net.name in made:
            yield vlan_id(here.name, made[net.name].name)
        elif net.name in interfaces:
            yield from mtu_steps(here.document, here.host, interfaces[net.name])


def _lost(vlan: WantedVlan) -> Difference:
    """A network of an active container whose sub-interface is gone; the container's own interface went with it."""
    network = vlan.document
    cause = Cause(f"the sub-interface of network {network.name} is gone", network.file, network.mark(("vlan",)).line, "vlan")
    return Difference(f"network {network.name}", "without its interface", "there", forces_replace=False, cause=cause)


def _wanted_vlans(site: Site, endpoint: Endpoint, services: tuple[Service, ...]) -> Mapping[str, WantedVlan]:
    """The sub-interfaces that the services' networks use, by network."""
    found: dict[str, WantedVlan] = {}
    for name in sorted({net.name for service in services for net in service.nets} - set(BUILT_IN_NETWORKS)):
        document = site.networks[name]
        network = document.value
        if network.driver_row.tags_vlan == "parent" and network.vlan is not None:
            found[name] = WantedVlan(document, endpoint.interfaces[name], network.vlan, network.mtu)
    return found


def _there(vlan: WantedVlan, host: Host) -> Interface | None:
    return interface_named(host, vlan.name)


def _differs(vlan: WantedVlan, host: Host) -> bool:
    """Whether it is to be created or corrected: it is not there, or it is ours and has another MTU. Others' are used as they are."""
    there = _there(vlan, host)
    return there is None or (_held(host, vlan.name) is not None and vlan.mtu not in (None, there.mtu))


def _held(host: Host, name: str) -> HeldVlan | None:
    return next((item for item in host.held.vlans if item.name == name), None)


def _plan_vlan(here: PlannedHost, vlan: WantedVlan) -> Planned:
    """Make one that is missing, whoever took it away, or give ours the MTU that it should have."""
    document = vlan.document
    needs = mtu_steps(here.document, here.host, vlan.parent)
    step = Step(vlan_id(here.name, vlan.name), here.name, _make(here.site.name, vlan), needs)
    there, held = _there(vlan, here.host), _held(here.host, vlan.name)
    cause = Cause(f"network {document.name} uses it", document.file, document.mark(("vlan",)).line, "vlan")
    if there is not None:
        cause = Cause("mtu differs", document.file, document.mark(("mtu",)).line, "mtu")
    mtu = short_text(vlan.mtu)
    change = Change(
        mark="create" if there is None else "update",
        kind="vlan",
        name=vlan.name,
        endpoint=here.name,
        cause=cause,
        summary=f"makes VLAN sub-interface {vlan.name}" if there is None else f"changes VLAN sub-interface {vlan.name} in place",
        fields=(FieldChange("mtu", str(there.mtu), mtu, False, cause),) if there is not None else (),
        allocations=(("vlan", str(vlan.vlan)), *([("mtu", mtu)] if vlan.mtu else [])) if there is None else (),
        steps=(step.id,),
        is_drift=held is not None and held.mtu == vlan.mtu,
    )
    return change, (step,)


def _unused(site: str, wanted: Mapping[str, WantedVlan], host: Host, left: tuple[NetworkSeen, ...]) -> Iterator[HeldVlan]:
    """Those that we made and that nothing uses any more; `left` are the engine's networks that this plan leaves."""
    names = {vlan.name for vlan in wanted.values()} | {item.spec.parent for item in left}
    used = names | {item.parent for item in host.facts.interfaces}
    return (held for held in host.held.vlans if held.site == site and held.name not in used)


def _plan_unused(endpoint: str, held: HeldVlan, needs: tuple[str, ...]) -> Planned:
    """Remove it; `needs` are the steps that remove the networks on it."""
    step = Step(remove_vlan_id(endpoint, held.name), endpoint, _remove(held), needs)
    change = Change(
        mark="destroy",
        kind="vlan",
        name=held.name,
        endpoint=endpoint,
        cause=Cause("no network of a session uses it"),
        summary=f"removes VLAN sub-interface {held.name}, which we made",
        steps=(step.id,),
    )
    return change, (step,)


def _make(site: str, vlan: WantedVlan) -> HostRequest:
    from dtn_agent.protocol.vlans import MakeVlan

    return HostRequest(MakeVlan(site=site, parent=vlan.parent, vlan=vlan.vlan, mtu=vlan.mtu), "make", f"VLAN {vlan.name}")


def _remove(held: HeldVlan) -> HostRequest:
    from dtn_agent.protocol.vlans import RemoveVlan

    return HostRequest(RemoveVlan(site=held.site, parent=held.parent, vlan=held.vlan), "remove", f"VLAN {held.parent}.{held.vlan}")
