"""Networks: the predefined ones, creating, showing, removing and pruning."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.fakes import addresses, filters
from tests.fakes.clock import stamp
from tests.fakes.core import Engine
from tests.fakes.errors import conflict, forbidden, not_found, server_error
from tests.fakes.state import Container, Endpoint, Json, Network, Pool

PREDEFINED = ("bridge", "host", "none")
DRIVERS = ("bridge", "ipvlan", "macvlan")
LIST_FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")
DEFAULT_BRIDGE_OPTIONS = {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
    "com.docker.network.bridge.name": "docker0",
    "com.docker.network.driver.mtu": "1500",
}
MODES = {
    "macvlan": ("macvlan_mode", ("bridge", "passthru", "private", "vepa")),
    "ipvlan": ("ipvlan_mode", ("l2", "l3", "l3s")),
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
    warning = _check_name(engine, name, bool(body.get("CheckDuplicate")))
    driver = body.get("Driver") or "bridge"
    if driver in ("host", "null"):
        raise forbidden(f'only one instance of "{driver}" network is allowed')
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
    engine.emit("network", "create", network.id, {"name": name, "type": driver})
    return {"Id": network.id, "Warning": warning}


def _check_name(engine: Engine, name: str, check_duplicate: bool) -> str:
    if not name:
        # Without a name the engine looks up its default network, and finds it.
        raise conflict("network with name  already exists") if check_duplicate else server_error("invalid name: ")
    if name in PREDEFINED:
        raise forbidden(f"operation is not permitted on predefined {name} network ")
    same = [network for network in engine.state.networks.values() if network.name == name]
    if not same:
        return ""
    if check_duplicate:
        raise conflict(f"network with name {name} already exists")
    return f"Network with name {name} (id : {same[0].id}) already exists"


def _parent(engine: Engine, driver: str, options: dict[str, str]) -> str:
    if driver not in MODES:
        return ""
    option, modes = MODES[driver]
    if options.get(option, modes[0]) not in modes:
        wrong = f"requested {driver} mode '{options[option]}' is not valid"
        raise server_error(f"{wrong}, '{modes[0]}' mode is the {driver} driver default")
    parent = options.get("parent", "")
    if not parent:
        return ""
    if parent == "lo":
        raise server_error(f"loopback interface is not a valid {driver} parent link")
    _refuse_parent_in_use(engine, driver, parent)
    _find_link(engine, parent)
    return parent


def _refuse_parent_in_use(engine: Engine, driver: str, parent: str) -> None:
    # Each driver knows its own networks only: a macvlan and an ipvlan can have the same parent.
    for other in engine.state.networks.values():
        if other.parent == parent and other.driver == driver:
            prefix = "dm" if other.driver == "macvlan" else "di"
            raise server_error(f"network {prefix}-{other.id[:12]} is already using parent interface {parent}")


def _find_link(engine: Engine, parent: str) -> None:
    """Accept an interface of the machine, or make the VLAN link that a name like eth1.222 asks for."""
    if parent in engine.machine.interfaces or parent in engine.state.vlan_links:
        return
    base, dot, vlan = parent.rpartition(".")
    if not dot or not re.fullmatch(r"\d+", vlan):
        raise server_error(f"invalid subinterface vlan name {parent}, example formatting is eth0.10")
    if not 1 <= int(vlan) <= 4094:
        raise server_error(f"vlan id must be between 1-4094, received: {vlan}")
    if base not in engine.machine.interfaces:
        raise server_error(f"-o parent interface does was not found on the host: {base}")
    engine.state.vlan_links.append(parent)


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
    if network.name in PREDEFINED:
        raise forbidden(f"{network.name} is a pre-defined network and cannot be removed")
    if attached(engine, network):
        raise forbidden(f"error while removing network: network {network.name} id {network.id} has active endpoints")
    _delete(engine, network)


def _delete(engine: Engine, network: Network) -> None:
    del engine.state.networks[network.id]
    if network.parent in engine.state.vlan_links:
        engine.state.vlan_links.remove(network.parent)
    engine.emit("network", "destroy", network.id, {"name": network.name, "type": network.driver})


def prune(engine: Engine, wanted: filters.Filters) -> Json:
    """Remove every network without running containers, whoever made it."""
    deleted = []
    for network in list(engine.state.networks.values()):
        if network.name in PREDEFINED or attached(engine, network):
            continue
        if filters.survives_prune(wanted, network.labels):
            continue
        _delete(engine, network)
        deleted.append(network.name)
    return {"NetworksDeleted": deleted or None}


def list_networks(engine: Engine, query: dict[str, str]) -> list[Json]:
    """GET /networks: without the containers, as the engine answers it."""
    wanted = filters.read_filters(query.get("filters", ""), LIST_FILTERS)
    shown = [network for network in engine.state.networks.values() if _is_wanted(engine, network, wanted)]
    return [{**show(engine, network), "Containers": {}} for network in engine.shuffler.order(shown)]


def _is_wanted(engine: Engine, network: Network, wanted: filters.Filters) -> bool:
    kind = "builtin" if network.name in PREDEFINED else "custom"
    tests: dict[str, Callable[[str], bool]] = {
        "driver": lambda value: network.driver == value,
        "id": network.id.startswith,
        "type": lambda value: kind == value,
        "scope": lambda value: value == "local",
        "dangling": lambda value: (value in ("1", "true")) == (kind == "custom" and not attached(engine, network)),
    }
    if not filters.has_labels(wanted.get("label", []), network.labels):
        return False
    if not filters.matches_name(wanted.get("name", []), network.name):
        return False
    return all(any(test(value) for value in wanted[name]) for name, test in tests.items() if name in wanted)


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
