"""What can be said of a path before anything is sent over it, and what is to be sent: its provider, interfaces, VLANs, services. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import TYPE_CHECKING

from dtnctl.model.path_checks import PathFinding, PathProbe
from dtnctl.model.paths import PathProviderSeen
from dtnctl.model.resources import ContainerSeen, EndpointSeen, Snapshot
from dtnctl.planning.paths.study import NOT_ASKED
from dtnctl.planning.paths.wanted import DeclaredPath

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Interface

USUAL_SIZE = 1500  # bytes; what Ethernet carries where nothing is declared


def findings_at_rest(path: DeclaredPath, snapshot: Snapshot) -> Iterator[PathFinding]:
    """What the provider, the agents and the engines report."""
    yield from _provider(path, snapshot)
    for name in path.endpoints:
        seen = snapshot.endpoints.get(name, EndpointSeen(name, silence=NOT_ASKED))
        if seen.is_silent:
            yield PathFinding("interface", name, "unknown", f"{name} does not answer: {seen.silence}")
        elif path.network is None or name not in path.interfaces:
            yield _not_carried(path, name)
        else:
            yield from _end(path, seen, path.interfaces[name])
            yield from _session(path, seen)


def path_probes(path: DeclaredPath, snapshot: Snapshot, session: str = "") -> tuple[PathProbe, ...]:
    """Each direction between running services of one session on the path: of `session`, else of the one that is at most of its ends."""
    services = _services(path, snapshot)
    names = sorted({item.owner for _, item, _ in services}, key=lambda name: (-sum(item.owner == name for _, item, _ in services), name))
    chosen = session or next(iter(names), "")
    found = [(name, item, address) for name, item, address in services if item.owner == chosen]
    return tuple(_probe(path, here, there) for here, there in permutations(found, 2))


Found = tuple[str, ContainerSeen, str]  # an endpoint, a service there, and its address on the path's network


def _services(path: DeclaredPath, snapshot: Snapshot) -> list[Found]:
    """Running services with an address on the path's network."""
    network = path.network.name if path.network is not None else ""
    return [
        (name, item, address)
        for name in path.endpoints
        if name in snapshot.endpoints
        for item in snapshot.endpoints[name].containers
        if item.kind == "service" and item.state == "running" and (address := _address(item, network))
    ]


def _address(container: ContainerSeen, network: str) -> str:
    return next((item.ipv4 or item.ipv6 for item in container.addresses if item.network == network), "")


def _probe(path: DeclaredPath, here: Found, there: Found) -> PathProbe:
    value = path.document.value
    maker = f"provider {path.provider}" if path.row.is_asked else "whoever made it"
    return PathProbe(
        endpoint=here[0],
        far_endpoint=there[0],
        session=here[1].owner,
        container=here[1].name,
        address=here[2].partition("/")[0],
        far_address=there[2].partition("/")[0],
        size=value.mtu or USUAL_SIZE,
        vlan=value.only_vlan or 0,
        maker=maker,
        far_container=there[1].name,
        bandwidth=value.bandwidth or 0,
    )


# --- its provider and its ends ------------------------------------------------------------------------------


def _provider(path: DeclaredPath, snapshot: Snapshot) -> Iterator[PathFinding]:
    """Nothing of a path that others made: there is no provider to ask."""
    if not path.row.is_asked:
        return
    provider = snapshot.paths.get(path.provider, PathProviderSeen(path.provider, silence=NOT_ASKED))
    seen = provider.named(path.name)
    if provider.silence:
        yield PathFinding("state", path.provider, "unknown", f"it does not answer: {provider.silence}")
    elif seen is None:
        yield PathFinding("state", path.provider, "wrong", "it has no such path", "`dtnctl apply` asks for it")
    else:
        text = f"{seen.state} ({seen.words})" if seen.words else seen.state
        is_active = seen.state == "active"
        fix = "" if is_active else "`dtnctl apply`, which waits for it or replaces it; else ask the provider"
        yield PathFinding("state", path.provider, "ok" if is_active else "wrong", text, fix)


def _not_carried(path: DeclaredPath, endpoint: str) -> PathFinding:
    if path.network is None:
        fix = f"`path: {path.name}` in a file of state/networks"
        return PathFinding("interface", endpoint, "unknown", "no network goes over the path", fix)
    fix = f"`interfaces: {{{path.network.name}: INTERFACE}}` in state/endpoints/{endpoint}.yaml"
    return PathFinding("interface", endpoint, "unknown", f"no interface carries network {path.network.name} here", fix)


def _session(path: DeclaredPath, seen: EndpointSeen) -> Iterator[PathFinding]:
    """Without a service at an end nothing can be sent from there."""
    assert path.network is not None
    network = path.network.name
    if any(_address(item, network) for item in seen.containers if item.kind == "service" and item.state == "running"):
        return
    fix = f"a session on both ends whose profile has `data_nets: [{network}]`, then `dtnctl apply`"
    yield PathFinding("session", seen.name, "unknown", f"no running session is on network {network}: nothing can be sent from here", fix)


def _end(path: DeclaredPath, seen: EndpointSeen, name: str) -> Iterator[PathFinding]:
    """The interface that carries it, and its VLAN there."""
    where = f"{seen.name} {name}"
    if seen.host is None:
        yield _by_engine(path, seen, where)
        return
    interface = next((item for item in seen.host.facts.interfaces if item.name == name), None)
    if interface is None:
        fix = f"another `interfaces:` in state/endpoints/{seen.name}.yaml; `dtnctl endpoints show {seen.name}` lists them"
        yield PathFinding("interface", where, "wrong", "the host has no such interface", fix)
        return
    yield _link(where, interface, path.document.value.mtu or 0)
    yield _vlan(path, where, interface, seen.host)


def _by_engine(path: DeclaredPath, seen: EndpointSeen, where: str) -> PathFinding:
    """Without an agent only the engine knows something: what its network is on."""
    assert path.network is not None
    made = next((item for item in seen.networks if item.name == path.network.name), None)
    if made is None or not made.spec.parent:
        return PathFinding("vlan", where, "unknown", "no agent reports the interfaces of this host")
    vlan = path.document.value.only_vlan
    is_right = made.spec.parent.endswith(f".{vlan}")
    fix = "" if is_right else "`dtnctl apply` recreates the network"
    return PathFinding("vlan", where, "ok" if is_right else "wrong", f"network {made.name} is on {made.spec.parent}", fix)


def _link(where: str, interface: Interface, mtu: int) -> PathFinding:
    if not interface.is_up:
        return PathFinding(
            "interface", where, "wrong", "it is down", f"`ip link set {interface.name} up` there; look at its cable if it stays down"
        )
    if interface.carrier is False:
        return PathFinding("interface", where, "wrong", "it is up, but has no link", "look at its cable, and at the port of the switch")
    if mtu > interface.mtu:
        text, fix = (
            f"its MTU is {interface.mtu}, the path's {mtu}",
            f"`tuning: {{interfaces: {{{interface.name}: {{mtu: {mtu}}}}}}}` in its endpoint",
        )
        return PathFinding("interface", where, "wrong", text, fix)
    return PathFinding("interface", where, "ok", f"up, MTU {interface.mtu}")


def _vlan(path: DeclaredPath, where: str, interface: Interface, host: Host) -> PathFinding:
    assert path.network is not None
    vlan, tagger = path.document.value.only_vlan, path.network.value.driver_row.tags_vlan
    if vlan is None:
        return PathFinding("vlan", where, "unknown", "no VLAN is chosen for the path yet", "`dtnctl plan` shows why")
    if tagger == "card":
        return _function(path.network.name, where, vlan, host)
    if tagger == "container":
        return PathFinding("vlan", where, "unknown", "the container has the interface, and tags by itself")
    return _sub_interface(path, where, f"{interface.name}.{vlan}", vlan, host)


def _sub_interface(path: DeclaredPath, where: str, name: str, vlan: int, host: Host) -> PathFinding:
    found = next((item for item in host.facts.interfaces if item.name == name), None)
    mtu = path.document.value.mtu or 0
    if found is None:
        return PathFinding(
            "vlan", where, "wrong", f"VLAN {vlan} is not there: no interface {name}", "`dtnctl apply` makes it with the session's network"
        )
    if found.vlan not in (None, vlan):
        return PathFinding("vlan", where, "wrong", f"{name} has VLAN {found.vlan}", f"remove {name} there, then `dtnctl apply`")
    if not found.is_up:
        return PathFinding("vlan", where, "wrong", f"{name} is down", f"`ip link set {name} up` there")
    if mtu > found.mtu:
        return PathFinding(
            "vlan", where, "wrong", f"the MTU of {name} is {found.mtu}, the path's {mtu}", f"`ip link set {name} mtu {mtu}` there"
        )
    return PathFinding("vlan", where, "ok", f"{name} is up, MTU {found.mtu}")


def _function(network: str, where: str, vlan: int, host: Host) -> PathFinding:
    held = [item for item in host.held.vfs if item.owner.network == network]
    if not held:
        return PathFinding("vlan", where, "unknown", f"no virtual function of network {network} is in use")
    other = next((item.pci for item in held if (item.now or item.wanted).vlan != vlan), "")
    if other:
        return PathFinding("vlan", where, "wrong", f"virtual function {other} has another VLAN than {vlan}", "`dtnctl apply` sets it again")
    return PathFinding("vlan", where, "ok", f"the card adds VLAN {vlan}")
