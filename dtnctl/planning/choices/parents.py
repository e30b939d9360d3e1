"""The interfaces that macvlan and ipvlan networks use: whether they are there, and what is asked for can be sent over them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.model.hardware import interface_named
from dtnctl.model.plan import Cause
from dtnctl.model.site import Document, Endpoint, Network
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.step_ids import tune_id

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Interface


def mtu_then(site: str, endpoint: Endpoint, host: Host, interface: Interface) -> int:
    """The interface's MTU once it is tuned as declared, if the agent can, or restored as it was found."""
    key, tuned = _mtu_key(interface.name), endpoint.tuning.interfaces.get(interface.name)
    if tuned is not None and tuned.mtu is not None:
        return tuned.mtu if host.readings.get(key) is not None else interface.mtu
    found = next((held.found for held in host.held.tuning if (held.key, held.site) == (key, site)), None)
    return int(found) if found else interface.mtu


def mtu_steps(endpoint: Document[Endpoint], host: Host | None, name: str) -> tuple[str, ...]:
    """The step that sets the interface's MTU, if there is one: what sends longer packets over it comes after."""
    found = interface_named(host, name) if host is not None else None
    tuned = endpoint.value.tuning.interfaces.get(name)
    if host is None or found is None or tuned is None or tuned.mtu in (None, found.mtu) or host.readings.get(_mtu_key(name)) is None:
        return ()
    return (tune_id(endpoint.name, _mtu_key(name)),)


def _mtu_key(interface: str) -> str:
    return f"interface/{interface}/mtu"


def refuse_parent(site: str, network: Document[Network], endpoint: Document[Endpoint], host: Host, *, is_made: bool) -> Refusal | None:
    """Why the network cannot be on the endpoint, by what the agent reports of its interfaces. `is_made`: it is made by this plan.

    What is there already with a larger MTU than its interface has by now works on, with that of the interface. The sub-interface of a
    VLAN is made with its network, by the engine where its name is all that is declared; one that is there and not ours is used as it is.
    """
    row = network.value.driver_row
    if not row.is_parent_exclusive:
        return None
    if row.moves_interface and not is_made:  # a service that runs has it, and no agent sees it then
        return None
    name, vlan = endpoint.value.interfaces[network.name], network.value.vlan if row.tags_vlan == "parent" else None
    parent = interface_named(host, name) or interface_named(host, name.rpartition(".")[0])
    if parent is None:
        return _not_there(network.name, endpoint, host, name)
    made = interface_named(host, f"{name}.{vlan}") if vlan is not None else None
    if vlan is not None and made is None and (lacks := host.lacks("vlan")):
        cause = Cause(f"{endpoint.name} cannot make {name}.{vlan}: {lacks}", network.file, network.mark(("vlan",)).line, "vlan")
        return Refusal("E0479", cause, "a kernel with 802.1Q, or a network without `vlan`")
    is_ours = any(held.name == f"{name}.{vlan}" for held in host.held.vlans)
    is_set = vlan is not None and (made is None or (is_ours and made.mtu != network.value.mtu))
    if not (is_made or is_set):
        return None
    below = parent if made is None or is_ours else made
    return _too_long(network, endpoint, below.name, mtu_then(site, endpoint.value, host, below))


def _not_there(network: str, endpoint: Document[Endpoint], host: Host, name: str) -> Refusal:
    text = f"interface {name} of {endpoint.name}, which should carry network {network}, is not there"
    cause = Cause(text, endpoint.file, endpoint.mark(("interfaces", network)).line, "interfaces")
    there = ", ".join(sorted(item.name for item in host.facts.interfaces))
    return Refusal("E0479", cause, f"one that is there, by its own name: {there}")


def _too_long(network: Document[Network], endpoint: Document[Endpoint], interface: str, most: int) -> Refusal | None:
    wanted = network.value.mtu
    if wanted is None or wanted <= most:
        return None
    text = f"network {network.name} has MTU {wanted}, its interface {interface} of {endpoint.name} has {most}"
    cause = Cause(text, network.file, network.mark(("mtu",)).line, "mtu")
    return Refusal("E0476", cause, f"`mtu: {most}` in {network.file}, or an MTU of {wanted} on the interface")
