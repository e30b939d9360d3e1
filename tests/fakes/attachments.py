"""Containers in networks: connecting, disconnecting, and what a start takes and a stop gives back."""

from __future__ import annotations

from typing import Any

from tests.fakes import addresses, ports
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError, bad_request, conflict, forbidden
from tests.fakes.networks import PREDEFINED
from tests.fakes.state import Container, Endpoint, Json, Network

NO_SUBNET = "user specified IP address is supported only when connecting to networks with user configured subnets"
PREDEFINED_IP = "user specified IP address is supported on user defined networks only"
PREDEFINED_ALIAS = "network-scoped alias is supported only for containers in user defined networks"


def network_mode(container: Container) -> str:
    """The network that HostConfig.NetworkMode names; "default" is the bridge."""
    mode: str = container.host_config["NetworkMode"]
    return "bridge" if mode == "default" else mode


def read_endpoint(given: Json | None) -> Endpoint:
    """An EndpointSettings object of the client."""
    given = given or {}
    ipam: Json | None = given.get("IPAMConfig")
    return Endpoint(
        ipam_config=dict(ipam) if ipam is not None else None,
        links=given.get("Links"),
        aliases=list(given["Aliases"]) if given.get("Aliases") else None,
        driver_options=given.get("DriverOpts"),
    )


def first_endpoints(engine: Engine, mode: str, given: Json | None) -> dict[str, Endpoint]:
    """The endpoints of a new container; networks need not exist yet."""
    if mode.startswith("container:"):
        return {}
    configs: dict[str, Any] = (given or {}).get("EndpointsConfig") or {}
    name = "bridge" if mode == "default" else _name_of(engine, mode)
    if not configs:
        return {name: Endpoint()}
    ((key, settings),) = configs.items()
    key = "bridge" if key == "default" else _name_of(engine, key)
    return {key: read_endpoint(settings)}


def _name_of(engine: Engine, term: str) -> str:
    try:
        return engine.network(term).name
    except EngineError:
        return term


def connect(engine: Engine, term: str, body: Json) -> None:
    """POST /networks/{id}/connect: at once for a running container, at the next start for others."""
    network = engine.network(term)
    container = engine.container(body.get("Container") or "")
    endpoint = read_endpoint(body.get("EndpointConfig"))
    check_endpoint(network, endpoint, container)
    existing = container.endpoints.get(network.name)
    if existing is not None and existing.endpoint_id:
        raise forbidden(f"endpoint with name {container.name} already exists in network {network.name}")
    # An entry stays behind when a running one does not get its address: the next start will try it again.
    container.endpoints.setdefault(network.name, endpoint)
    if container.running and not container.restarting:
        join(engine, container, network, endpoint)
        container.endpoints[network.name] = endpoint


def check_endpoint(network: Network, endpoint: Endpoint, container: Container) -> None:
    """Refuse fixed addresses where the network cannot give them; add the alias that the engine adds."""
    ipam = endpoint.ipam_config or {}
    wanted = {4: ipam.get("IPv4Address"), 6: ipam.get("IPv6Address")}
    if network.name not in PREDEFINED:
        own_names = (container.id[:12], container.config["Hostname"])
        endpoint.aliases = list(dict.fromkeys([*(endpoint.aliases or []), *own_names]))
    else:
        if any(wanted.values()):
            raise bad_request(PREDEFINED_IP)
        if endpoint.aliases:
            raise bad_request(PREDEFINED_ALIAS)
    for version, address in wanted.items():
        if address and not _declares(network, version):
            raise bad_request(NO_SUBNET)


def _declares(network: Network, version: int) -> bool:
    return any(pool.declared is not None and (":" in pool.subnet) == (version == 6) for pool in network.pools)


def attach_all(engine: Engine, container: Container) -> None:
    """What a start takes: the addresses in every network, then the host ports."""
    mode = network_mode(container)
    if mode.startswith("container:"):
        _require_running(engine, mode.partition(":")[2])
        container.networked = True
        return
    # The default bridge first, as the engine does; it has no fixed order for the others.
    for name in sorted(container.endpoints, key=lambda name: (name != "bridge", name)):
        endpoint = container.endpoints[name]
        # By id once the container has been in it: a new network with the old name is not taken for it.
        network = engine.network(endpoint.network_id or name)
        check_endpoint(network, endpoint, container)
        join(engine, container, network, endpoint)
        container.sandbox_id = engine.new_id("sandbox")
    container.sandbox_id = container.sandbox_id or engine.new_id("sandbox")
    ports.publish(engine, container)
    container.networked = True


def _require_running(engine: Engine, term: str) -> None:
    other = engine.container(term)
    if not other.running:
        raise conflict(f"cannot join network of a non running container: {term}")


def join(engine: Engine, container: Container, network: Network, endpoint: Endpoint) -> None:
    """Take addresses in one network."""
    ipam = endpoint.ipam_config or {}
    address, length, gateway = addresses.allocate(engine, network, ipam.get("IPv4Address") or "", 4)
    address6, length6, gateway6 = "", 0, ""
    if network.ipv6:
        address6, length6, gateway6 = addresses.allocate(engine, network, ipam.get("IPv6Address") or "", 6)
    if network.driver in engine.machine.drivers:
        driver = engine.machine.drivers[network.driver]
        endpoint.mac_address = driver.join(container.id, network.options, endpoint.driver_options or {})
    endpoint.network_id = network.id
    endpoint.endpoint_id = engine.new_id("endpoint")
    endpoint.address, endpoint.prefix_length = address, length
    endpoint.address6, endpoint.prefix_length6 = address6, length6
    if network.driver == "bridge" or not network.internal:
        endpoint.gateway, endpoint.gateway6 = gateway, gateway6
    if network.driver in ("bridge", "macvlan"):
        wanted = container.config.get("MacAddress") if network.name == network_mode(container) else ""
        endpoint.mac_address = wanted or addresses.mac_of(address, endpoint.endpoint_id)


def detach_all(container: Container) -> None:
    """What a stop gives back: addresses and ports. Fixed addresses, aliases and the network's id stay."""
    container.ports = {}
    for endpoint in container.endpoints.values():
        endpoint.endpoint_id = endpoint.gateway = endpoint.address = endpoint.mac_address = ""
        endpoint.gateway6 = endpoint.address6 = ""
        endpoint.prefix_length = endpoint.prefix_length6 = 0
