"""Host ports: taken when a container starts, refused when somebody has them, given back when it stops."""

from __future__ import annotations

from typing import TypeAlias

from tests.fakes.core import Engine
from tests.fakes.errors import EngineError, server_error
from tests.fakes.state import Container, Endpoint

ANY = "0.0.0.0"

Taken: TypeAlias = set[tuple[str, str, int]]
"""(protocol, host address, number)"""

Binding: TypeAlias = dict[str, str]


def publish(engine: Engine, container: Container) -> None:
    """Take the host ports of every exposed port that has bindings; raises the engine's 500 when somebody has one."""
    endpoint = _bridged(engine, container)
    if endpoint is None:
        container.ports = {}
        return
    exposed = sorted(container.config.get("ExposedPorts") or {})
    taken = _taken(engine, container)
    shown: dict[str, list[Binding] | None] = {}
    for port in exposed:
        wanted = _wanted(container, port)
        shown[port] = [one for binding in wanted for one in _bind(engine, (container, endpoint), port, binding, taken)] or None
    container.ports = shown


def _bridged(engine: Engine, container: Container) -> Endpoint | None:
    """The endpoint on a bridge that leads to the host, by which ports are published."""
    networks = engine.state.networks
    joined = [endpoint for _, endpoint in sorted(container.endpoints.items()) if endpoint.endpoint_id and endpoint.gateway]
    bridges = [endpoint for endpoint in joined if networks[endpoint.network_id].driver == "bridge"]
    return next((endpoint for endpoint in bridges if not networks[endpoint.network_id].internal), None)


def _wanted(container: Container, port: str) -> list[Binding]:
    bindings: dict[str, list[Binding] | None] = container.host_config["PortBindings"] or {}
    return bindings.get(port) or []


def _taken(engine: Engine, container: Container) -> Taken:
    taken: Taken = set()
    for other in engine.state.containers.values():
        if other is container:
            continue
        for port, bindings in other.ports.items():
            protocol = port.partition("/")[2]
            taken.update((protocol, one["HostIp"], int(one["HostPort"])) for one in bindings or [] if one["HostIp"] != "::")
    return taken


def _bind(engine: Engine, place: tuple[Container, Endpoint], port: str, binding: Binding, taken: Taken) -> list[Binding]:
    protocol = port.partition("/")[2]
    address = binding.get("HostIp") or ANY
    number = int(binding["HostPort"])
    if any((proto, held) == (protocol, number) and (other == address or ANY in (address, other)) for proto, other, held in taken):
        raise _refusal(place, f"Bind for {address}:{number} failed: port is already allocated")
    taken.add((protocol, address, number))
    shown = [{"HostIp": address, "HostPort": str(number)}]
    if address == ANY and engine.machine.publishes_ipv6:
        shown.append({"HostIp": "::", "HostPort": str(number)})
    return shown


def _refusal(place: tuple[Container, Endpoint], reason: str) -> EngineError:
    container, endpoint = place
    where = f"{container.name} ({endpoint.endpoint_id})"
    return server_error(f"driver failed programming external connectivity on endpoint {where}: {reason}")
