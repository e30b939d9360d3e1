"""VLAN sub-interfaces of endpoints with an agent: made before the networks that sit on them, removed after. Pure.

Without an agent the engine makes them itself, for macvlan and ipvlan networks, with the MTU that they happen to get.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dtnctl.model.hardware import interface_named
from dtnctl.model.plan import Cause, Change, FieldChange, HostRequest, Step
from dtnctl.model.resources import NetworkSeen
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Endpoint, Network, Site
from dtnctl.planning.choices.parents import mtu_steps
from dtnctl.planning.containers.compare import short_text
from dtnctl.planning.step_ids import remove_vlan_id, vlan_id
from dtnctl.values import dataclass

if TYPE_CHECKING:
    from dtn_agent.protocol import HeldVlan, Host

    from dtnctl.planning.resolve import Service


@dataclass(frozen=True, slots=True)
class WantedVlan:
    """A sub-interface that a network sits on."""

    document: Document[Network]
    parent: str
    vlan: int
    mtu: int | None

    @property
    def name(self) -> str:
        return f"{self.parent}.{self.vlan}"


def wanted_vlans(site: Site, endpoint: Endpoint, services: tuple[Service, ...]) -> Mapping[str, WantedVlan]:
    """The sub-interfaces that the services' networks sit on, by network."""
    found: dict[str, WantedVlan] = {}
    for name in sorted({net.name for service in services for net in service.nets} - set(BUILT_IN_NETWORKS)):
        document = site.networks[name]
        network = document.value
        if network.driver_row.tags_vlan == "parent" and network.vlan is not None:
            found[name] = WantedVlan(document, endpoint.interfaces[name], network.vlan, network.mtu)
    return found


def is_gone(vlan: WantedVlan, host: Host) -> bool:
    return interface_named(host, vlan.name) is None


def differs(vlan: WantedVlan, host: Host) -> bool:
    """Whether it is to be made, or made right: it is not there, or it is ours and has another MTU. Others' are used as they are."""
    there = interface_named(host, vlan.name)
    return there is None or (_held(host, vlan.name) is not None and vlan.mtu not in (None, there.mtu))


def _held(host: Host, name: str) -> HeldVlan | None:
    return next((item for item in host.held.vlans if item.name == name), None)


def plan_vlan(site: str, endpoint: Document[Endpoint], vlan: WantedVlan, host: Host) -> tuple[Change, Step]:
    """Make one that is missing, whoever took it away, or give ours the MTU that it should have."""
    document = vlan.document
    step = Step(vlan_id(endpoint.name, vlan.name), endpoint.name, _make(site, vlan), mtu_steps(endpoint, host, vlan.parent))
    there, held = interface_named(host, vlan.name), _held(host, vlan.name)
    cause = Cause(f"network {document.name} sits on it", document.file, document.mark(("vlan",)).line, "vlan")
    if there is not None:
        cause = Cause("mtu differs", document.file, document.mark(("mtu",)).line, "mtu")
    mtu = short_text(vlan.mtu)
    change = Change(
        mark="create" if there is None else "update",
        kind="vlan",
        name=vlan.name,
        endpoint=endpoint.name,
        cause=cause,
        summary=f"makes VLAN sub-interface {vlan.name}" if there is None else f"changes VLAN sub-interface {vlan.name} in place",
        fields=(FieldChange("mtu", str(there.mtu), mtu, False, cause),) if there is not None else (),
        allocations=(("vlan", str(vlan.vlan)), *([("mtu", mtu)] if vlan.mtu else [])) if there is None else (),
        steps=(step.id,),
        is_drift=held is not None and held.mtu == vlan.mtu,
    )
    return change, step


def unused_vlans(site: str, wanted: Mapping[str, WantedVlan], host: Host, left: tuple[NetworkSeen, ...]) -> Iterator[HeldVlan]:
    """Those that we made and that nothing sits on any more; `left` are the engine's networks that this plan leaves."""
    names = {vlan.name for vlan in wanted.values()} | {item.spec.parent for item in left}
    used = names | {item.parent for item in host.facts.interfaces}
    return (held for held in host.held.vlans if held.site == site and held.name not in used)


def plan_unused_vlan(endpoint: str, held: HeldVlan, needs: tuple[str, ...]) -> tuple[Change, Step]:
    """Remove it; `needs` are the steps that remove the networks on it."""
    step = Step(remove_vlan_id(endpoint, held.name), endpoint, _remove(held), needs)
    change = Change(
        mark="destroy",
        kind="vlan",
        name=held.name,
        endpoint=endpoint,
        cause=Cause("no network of a session sits on it"),
        summary=f"removes VLAN sub-interface {held.name}, which we made",
        steps=(step.id,),
    )
    return change, step


def _make(site: str, vlan: WantedVlan) -> HostRequest:
    from dtn_agent.protocol import MakeVlan

    return HostRequest(MakeVlan(site=site, parent=vlan.parent, vlan=vlan.vlan, mtu=vlan.mtu), "make", f"VLAN {vlan.name}")


def _remove(held: HeldVlan) -> HostRequest:
    from dtn_agent.protocol import RemoveVlan

    return HostRequest(RemoveVlan(site=held.site, parent=held.parent, vlan=held.vlan), "remove", f"VLAN {held.parent}.{held.vlan}")
