"""What macvlan and ipvlan networks sit on: whether it is there, and what they ask for can be sent over it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.model.hardware import interface_named
from dtnctl.model.plan import Cause
from dtnctl.model.site import Document, Endpoint, Network
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.step_ids import tune_id

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Interface

DRIVERS = ("macvlan", "ipvlan")


def mtu_then(endpoint: Endpoint, host: Host, interface: Interface) -> int:
    """The interface's MTU once it is tuned as declared, if the agent can."""
    tuned = endpoint.tuning.interfaces.get(interface.name)
    can_be = host.readings.get(_mtu_key(interface.name)) is not None
    return (tuned.mtu if tuned is not None and can_be else None) or interface.mtu


def mtu_steps(endpoint: Document[Endpoint], host: Host | None, name: str) -> tuple[str, ...]:
    """The step that sets the interface's MTU, if there is one: what sends longer packets over it comes after."""
    found = interface_named(host, name) if host is not None else None
    if host is None or found is None or mtu_then(endpoint.value, host, found) == found.mtu:
        return ()
    return (tune_id(endpoint.name, _mtu_key(name)),)


def _mtu_key(interface: str) -> str:
    return f"interface/{interface}/mtu"


def refuse_parent(network: Document[Network], endpoint: Document[Endpoint], host: Host) -> Refusal | None:
    """Why the network cannot be on the endpoint, by what the agent tells of its interfaces.

    The sub-interface of a VLAN is made with its network, by the engine where its name is all that is declared; one that is there and not
    ours is used as it is.
    """
    if network.value.driver not in DRIVERS:
        return None
    name, vlan = endpoint.value.interfaces[network.name], network.value.vlan
    parent = interface_named(host, name) or interface_named(host, name.rpartition(".")[0])
    if parent is None:
        return _not_there(network.name, endpoint, host, name)
    made = interface_named(host, f"{name}.{vlan}") if vlan is not None else None
    if vlan is not None and made is None and (lacks := host.lacks("vlan")):
        cause = Cause(f"{endpoint.name} cannot make {name}.{vlan}: {lacks}", network.file, network.mark(("vlan",)).line, "vlan")
        return Refusal("E0479", cause, "a kernel with 802.1Q, or a network without `vlan`")
    is_ours = any(held.name == f"{name}.{vlan}" for held in host.held.vlans)
    return _too_long(network, endpoint, host, parent if made is None or is_ours else made)


def _not_there(network: str, endpoint: Document[Endpoint], host: Host, name: str) -> Refusal:
    text = f"interface {name} of {endpoint.name}, which should carry network {network}, is not there"
    cause = Cause(text, endpoint.file, endpoint.mark(("interfaces", network)).line, "interfaces")
    there = ", ".join(sorted(item.name for item in host.facts.interfaces))
    return Refusal("E0479", cause, f"one that is there: {there}")


def _too_long(network: Document[Network], endpoint: Document[Endpoint], host: Host, below: Interface) -> Refusal | None:
    wanted, most = network.value.mtu, mtu_then(endpoint.value, host, below)
    if wanted is None or wanted <= most:
        return None
    text = f"network {network.name} has MTU {wanted}, its interface {below.name} of {endpoint.name} has {most}"
    cause = Cause(text, network.file, network.mark(("mtu",)).line, "mtu")
    return Refusal("E0476", cause, f"`mtu: {most}` in {network.file}, or an MTU of {wanted} on the interface")
