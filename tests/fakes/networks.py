"""Networks: the predefined ones, creating, showing and removing."""

from __future__ import annotations

from tests.fakes import addresses
from tests.fakes.clock import stamp
from tests.fakes.core import Engine
from tests.fakes.errors import conflict, forbidden, not_found, server_error
from tests.fakes.state import Container, Endpoint, Json, Network, Pool

PREDEFINED = ("bridge", "host", "none")
DRIVERS = ("bridge", "ipvlan", "macvlan")
DEFAULT_BRIDGE_OPTIONS = {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
    "com.docker.network.bridge.name": "docker0",
    "com.docker.network.driver.mtu": "1500",
}


def add_predefined(engine: Engine) -> None:
    """The three networks that every engine has."""
    pool = Pool(subnet="172.17.0.0/16", gateway="172.17.0.1", declared={"Subnet": "172.17.0.0/16"})
    _store(engine, Network("", "bridge", 0, "bridge", pools=[pool], options=dict(DEFAULT_BRIDGE_OPTIONS)))
    _store(engine, Network("", "host", 0, "host"))
    _store(engine, Network("", "none", 0, "null"))
    engine.state.next_pool = 1


def _store(engine: Engine, network: Network) -> Network:
    network.id = engine.new_id(f"network {network.name}")
    network.created = engine.clock()
    engine.state.networks[network.id] = network
    return network


def create(engine: Engine, body: Json) -> Json:
    """POST /networks/create."""
    name = body.get("Name") or ""
    _check_name(engine, name)
    driver = body.get("Driver") or "bridge"
    given = {key: str(value) for key, value in (body.get("Options") or {}).items()}
    options = {**engine.machine.network_options.get(driver, {}), **given}
    if driver in engine.machine.drivers:
        engine.machine.drivers[driver].create(options)
    elif driver not in DRIVERS:
        raise not_found(f'plugin "{driver}" not found')
    ipam = body.get("IPAM") or {}
    pools = addresses.make_pools(engine, ipam.get("Config") or [])
    network = Network(
        id="",
        name=name,
        created=0,
        driver=driver,
        pools=pools,
        ipv6=bool(body.get("EnableIPv6")),
        internal=bool(body.get("Internal")),
        attachable=bool(body.get("Attachable")),
        options=options,
        labels=dict(body.get("Labels") or {}),
        ipam_options=ipam.get("Options"),
        parent=_parent(engine, driver, options),
    )
    _store(engine, network)
    return {"Id": network.id, "Warning": ""}


def _check_name(engine: Engine, name: str) -> None:
    if any(network.name == name for network in engine.state.networks.values()):
        raise conflict(f"network with name {name} already exists")


def _parent(engine: Engine, driver: str, options: dict[str, str]) -> str:
    if driver not in ("ipvlan", "macvlan"):
        return ""
    parent = options["parent"]
    if parent not in engine.machine.interfaces:
        raise server_error(f"-o parent interface does was not found on the host: {parent}")
    _refuse_parent_in_use(engine, driver, parent)
    return parent


def _refuse_parent_in_use(engine: Engine, driver: str, parent: str) -> None:
    # Each driver knows its own networks only: a macvlan and an ipvlan can have the same parent.
    for other in engine.state.networks.values():
        if other.parent == parent and other.driver == driver:
            prefix = "dm" if other.driver == "macvlan" else "di"
            raise server_error(f"network {prefix}-{other.id[:12]} is already using parent interface {parent}")


def attached(engine: Engine, network: Network) -> list[tuple[Container, Endpoint]]:
    """The running containers in this network."""
    return [
        (container, endpoint)
        for container in engine.state.containers.values()
        for endpoint in container.endpoints.values()
        if endpoint.endpoint_id and endpoint.network_id == network.id
    ]


def remove(engine: Engine, term: str) -> None:
    """DELETE /networks/{id}; stopped containers do not hold a network."""
    network = engine.network(term)
    if attached(engine, network):
        raise forbidden(f"error while removing network: network {network.name} id {network.id} has active endpoints")
    del engine.state.networks[network.id]


def list_networks(engine: Engine) -> list[Json]:
    """GET /networks: without the containers, as the engine answers it."""
    return [{**show(engine, network), "Containers": {}} for network in engine.shuffler.order([*engine.state.networks.values()])]


def show(engine: Engine, network: Network) -> Json:
    """GET /networks/{id}."""
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": stamp(network.created),
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv6": network.ipv6,
        "IPAM": {"Driver": "default", "Options": network.ipam_options, "Config": [_show_pool(pool) for pool in network.pools]},
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {container.id: _show_member(container, endpoint) for container, endpoint in attached(engine, network)},
        "Options": dict(network.options),
        "Labels": dict(network.labels),
    }


def _show_pool(pool: Pool) -> Json:
    # What was declared is shown as it was declared: a gateway that the engine picked itself stays unseen.
    if pool.declared is None:
        return {"Subnet": pool.subnet, "Gateway": pool.gateway}
    names = ("Subnet", "IPRange", "Gateway", "AuxiliaryAddresses")
    return {name: pool.declared[name] for name in names if pool.declared.get(name)}


def _show_member(container: Container, endpoint: Endpoint) -> Json:
    def with_prefix(address: str, length: int) -> str:
        return f"{address}/{length}" if address else ""

    return {
        "Name": container.name,
        "EndpointID": endpoint.endpoint_id,
        "MacAddress": endpoint.mac_address,
        "IPv4Address": with_prefix(endpoint.address, endpoint.prefix_length),
        "IPv6Address": with_prefix(endpoint.address6, endpoint.prefix_length6),
    }
