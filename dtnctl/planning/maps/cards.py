"""The network cards of a host's map, with the networks that they carry and who has their virtual functions. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dtnctl.model.hardware import rdma_devices
from dtnctl.model.host_map import CardPlace, CarriedNetwork, FunctionPlace
from dtnctl.model.resources import EndpointSeen
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Endpoint, Site

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Interface, Vf


def card_places(site: Site, document: Document[Endpoint], seen: EndpointSeen, host: Host) -> Mapping[int | None, tuple[CardPlace, ...]]:
    """By NUMA node: every card, and each interface that carries a network, also one that the host does not have now."""
    named = document.value.interfaces
    carried = {name: tuple(_carried(site, seen, name, named)) for name in sorted(set(named.values()))}
    places: dict[int | None, list[CardPlace]] = {}
    for interface in host.facts.interfaces:
        networks = carried.pop(interface.name, ())
        if networks or (interface.pci and not interface.physfn):
            places.setdefault(interface.numa_node, []).append(_card(site, host, interface, networks))
    for name, networks in carried.items():
        places.setdefault(None, []).append(CardPlace(name, is_there=False, networks=networks))
    return {node: tuple(items) for node, items in places.items()}


def _card(site: Site, host: Host, interface: Interface, networks: tuple[CarriedNetwork, ...]) -> CardPlace:
    sriov = interface.sriov
    return CardPlace(
        interface.name,
        is_up=interface.is_up,
        carrier=interface.carrier,
        speed=interface.speed,
        mtu=interface.mtu,
        driver=interface.driver,
        pci=interface.pci,
        rdma=tuple(item.name for item in rdma_devices(host, interface=interface)),
        networks=networks,
        functions=tuple(_function(site, host, interface, vf) for vf in sriov.vfs) if sriov is not None else (),
        functions_most=sriov.total if sriov is not None else 0,
    )


def _function(site: Site, host: Host, interface: Interface, vf: Vf) -> FunctionPlace:
    held = next((item for item in host.held.vfs if (item.pf, item.index) == (interface.name, vf.index)), None)
    if held is None:
        return FunctionPlace(vf.index, other=vf.holder)
    if held.owner.site != site.name:
        return FunctionPlace(vf.index, other=f"{held.owner.site}/{held.owner.session}")
    return FunctionPlace(vf.index, session=held.owner.session, network=held.owner.network)


def _carried(site: Site, seen: EndpointSeen, interface: str, named: Mapping[str, str]) -> Iterator[CarriedNetwork]:
    """The networks on this interface; sessions on virtual functions are at their functions."""
    for name in sorted(network for network, carrier in named.items() if carrier == interface):
        attached = {item.owner for item in seen.containers if item.kind == "service" and name in (*item.networks, item.spec.network)}
        if name in BUILT_IN_NETWORKS:
            yield CarriedNetwork(name, name, None, tuple(sorted(attached)))
            continue
        value = site.networks[name].value
        yield CarriedNetwork(name, value.driver, value.vlan, () if value.driver_row.gives_functions else tuple(sorted(attached)))
