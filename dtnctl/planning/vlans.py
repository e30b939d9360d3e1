"""VLAN sub-interfaces of endpoints with an agent: made before the networks that sit on them, removed after. Pure.

Without an agent the engine makes them itself, for macvlan and ipvlan networks, with the MTU that they happen to get.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dtnctl.model.hardware import interface_named
from dtnctl.model.plan import Cause, Change, MakeVlan, RemoveNetwork, RemoveVlan, Step
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Endpoint, Network, Site

if TYPE_CHECKING:
    from dtn_agent.protocol import Host

    from dtnctl.planning.resolve import Service

Wanted = Mapping[str, tuple[MakeVlan, Document[Network]]]  # by the sub-interface's name


def wanted_vlans(site: Site, endpoint: Endpoint, services: tuple[Service, ...]) -> Wanted:
    """The sub-interfaces that the services' networks sit on."""
    found: dict[str, tuple[MakeVlan, Document[Network]]] = {}
    for name in sorted({net.name for service in services for net in service.nets} - set(BUILT_IN_NETWORKS)):
        document = site.networks[name]
        if document.value.driver in ("macvlan", "ipvlan") and document.value.vlan is not None:
            parent = endpoint.interfaces[name]
            found[f"{parent}.{document.value.vlan}"] = MakeVlan(parent, document.value.vlan, document.value.mtu), document
    return found


def vlan_step_id(endpoint: str, name: str) -> str:
    return f"{endpoint}/vlan/{name}"


def plan_vlans(endpoint: str, wanted: Wanted, host: Host) -> Iterator[tuple[Change, Step]]:
    """Make those that are missing, whoever took them away."""
    for name, (action, document) in wanted.items():
        if interface_named(host, name) is None:
            step = Step(vlan_step_id(endpoint, name), endpoint, action)
            was_made = any(item.name == name for item in host.held.vlans)
            change = Change(
                mark="create",
                kind="vlan",
                name=name,
                endpoint=endpoint,
                cause=Cause(f"network {document.name} sits on it", document.file, document.mark(("vlan",)).line, "vlan"),
                summary=f"makes VLAN sub-interface {name}",
                allocations=(("vlan", str(action.vlan)), *((("mtu", str(action.mtu)),) if action.mtu else ())),
                steps=(step.id,),
                is_drift=was_made,
            )
            yield change, step


def plan_unused_vlans(site: str, endpoint: str, wanted: Wanted, host: Host, removals: tuple[Step, ...]) -> Iterator[tuple[Change, Step]]:
    """Remove those that we made and that nothing sits on any more; `removals` are the steps that take networks away."""
    needs = tuple(step.id for step in removals if isinstance(step.action, RemoveNetwork))
    for held in host.held.vlans:
        if held.site == site and held.name not in wanted:
            step = Step(f"{endpoint}/remove-vlan/{held.name}", endpoint, RemoveVlan(held.parent, held.vlan), needs)
            change = Change(
                mark="destroy",
                kind="vlan",
                name=held.name,
                endpoint=endpoint,
                cause=Cause("no network of a session sits on it"),
                summary=f"removes VLAN sub-interface {held.name}, which we made",
                steps=(step.id,),
            )
            yield change, step
