"""Host ports: taken when a container starts, refused when somebody has them, given back when it stops."""

from __future__ import annotations

from typing import TypeAlias

from tests.fakes.core import Engine
from tests.fakes.errors import server_error
from tests.fakes.state import Container, Endpoint

FIRST_DYNAMIC_PORT = 49153
ANY = "0.0.0.0"

Taken: TypeAlias = set[tuple[str, str, int]]
"""(protocol, host address, number)"""

Binding: TypeAlias = dict[str, str]


def publish(engine: Engine, container: Container) -> None:
    """Take the host ports, on the network that carries the default route: only a bridge can publish.

    A port is published only when it is exposed as well, and raises the engine's 500 when somebody has it.
    """
    carrier = _carrier(engine, container)
    if carrier is None:
        return
    bindings: dict[str, list[Binding] | None] = container.host_config.get("PortBindings") or {}
    taken = _taken(engine, container)
    shown: dict[str, list[Binding] | None] = {}
    for port in sorted(container.config.get("ExposedPorts") or {}):
        wanted = bindings.get(port) or []
        if not wanted and container.host_config["PublishAllPorts"]:
            wanted = [{"HostIp": "", "HostPort": ""}]
        shown[port] = [one for binding in wanted for one in _bind(engine, container, carrier, port, binding, taken)] or None
    container.ports = shown


def _carrier(engine: Engine, container: Container) -> Endpoint | None:
    """The endpoint with the default route: the first by network name that has a gateway. None unless it is a bridge."""
    for name in sorted(container.endpoints):
        endpoint = container.endpoints[name]
        if endpoint.gateway and endpoint.network_id in engine.state.networks:
            driver = engine.state.networks[endpoint.network_id].driver
            return endpoint if driver == "bridge" else None
    return None


def _taken(engine: Engine, container: Container) -> Taken:
    taken = {(protocol, ANY, number) for protocol, number in engine.machine.busy_ports}
    for other in engine.state.containers.values():
        if other is container:
            continue
        for port, bindings in other.ports.items():
            protocol = port.partition("/")[2]
            taken.update((protocol, one["HostIp"], int(one["HostPort"])) for one in bindings or [] if one["HostIp"] != "::")
    return taken


def _bind(
    engine: Engine, container: Container, carrier: Endpoint, port: str, binding: Binding, taken: Taken
) -> list[Binding]:
    protocol = port.partition("/")[2]
    address = binding.get("HostIp") or ANY
    number = _free(protocol, address, binding.get("HostPort") or "", taken)
    if number is None:
        raise server_error(
            f"driver failed programming external connectivity on endpoint {container.name} ({carrier.endpoint_id}): "
            f"Bind for {address}:{binding['HostPort']} failed: port is already allocated"
        )
    taken.add((protocol, address, number))
    shown = [{"HostIp": address, "HostPort": str(number)}]
    if address == ANY and engine.machine.publishes_ipv6:
        shown.append({"HostIp": "::", "HostPort": str(number)})
    return shown


def _free(protocol: str, address: str, wanted: str, taken: Taken) -> int | None:
    """The wanted port, the first free one of a wanted range, or a dynamic one; None when there is none."""
    first, _, last = wanted.partition("-")
    candidates = range(int(first), int(last or first) + 1) if first else range(FIRST_DYNAMIC_PORT, 65536)
    held = {number for proto, other, number in taken if proto == protocol and (ANY in (address, other) or other == address)}
    return next((number for number in candidates if number not in held), None)
