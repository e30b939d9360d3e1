"""Host ports: taken when a container starts, refused when somebody has them, given back when it stops."""

from __future__ import annotations

from typing import TypeAlias

from tests.fakes.core import Engine
from tests.fakes.errors import EngineError, server_error
from tests.fakes.state import Container, Endpoint, Network

FIRST_DYNAMIC_PORT = 32768
LAST_DYNAMIC_PORT = 60999
ANY = "0.0.0.0"

Taken: TypeAlias = set[tuple[str, str, int]]
"""(protocol, host address, number)"""

Binding: TypeAlias = dict[str, str]


def publish(engine: Engine, container: Container) -> None:
    """Take the host ports of every exposed port that has bindings; raises the engine's 500 when somebody has one.

    Ports are shown when any bridge could carry them, but they are taken only when that bridge has the default
    route. The engine gives the default route to the first network by name.
    """
    places = _places(engine, container)
    if not any(network.driver == "bridge" for _, network in places):
        container.ports = {}
        return
    endpoint, network = places[0]
    exposed = sorted(container.config.get("ExposedPorts") or {})
    if network.driver != "bridge":
        container.ports = dict.fromkeys(exposed)
        return
    taken = _taken(engine, container)
    shown: dict[str, list[Binding] | None] = {}
    for port in exposed:
        wanted = _wanted(container, port)
        shown[port] = [one for binding in wanted for one in _bind(engine, (container, endpoint), port, binding, taken)] or None
    container.ports = shown


def _places(engine: Engine, container: Container) -> list[tuple[Endpoint, Network]]:
    """The endpoints that can have the default route, the one that has it first."""
    known = engine.state.networks
    joined = [(name, endpoint) for name, endpoint in sorted(container.endpoints.items()) if endpoint.endpoint_id]
    return [
        (endpoint, known[endpoint.network_id]) for _, endpoint in joined if endpoint.gateway and not known[endpoint.network_id].internal
    ]


def _wanted(container: Container, port: str) -> list[Binding]:
    bindings: dict[str, list[Binding] | None] = container.host_config["PortBindings"] or {}
    if not bindings.get(port) and container.host_config["PublishAllPorts"]:
        return [{"HostIp": "", "HostPort": ""}]
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
    wanted = binding.get("HostPort") or ""
    held = {number for proto, other, number in taken if (proto, other) == (protocol, address)}
    number = _dynamic(engine, held) if wanted in ("", "0") else _first_free(wanted, held)
    if number is None:
        raise _refusal(place, f"Bind for {address}:{wanted} failed: port is already allocated")
    if _is_busy(engine, protocol, address, number, taken):
        listen = f"listen {protocol}4 {address}:{number}: bind: address already in use"
        raise _refusal(place, f"Error starting userland proxy: {listen}")
    taken.add((protocol, address, number))
    shown = [{"HostIp": address, "HostPort": str(number)}]
    if address == ANY and engine.machine.publishes_ipv6:
        shown.append({"HostIp": "::", "HostPort": str(number)})
    return shown


def _refusal(place: tuple[Container, Endpoint], reason: str) -> EngineError:
    container, endpoint = place
    where = f"{container.name} ({endpoint.endpoint_id})"
    return server_error(f"driver failed programming external connectivity on endpoint {where}: {reason}")


def _is_busy(engine: Engine, protocol: str, address: str, number: int, taken: Taken) -> bool:
    """Whether the machine refuses: the engine's own book compares addresses as texts and does not see this."""
    if (protocol, number) in engine.machine.busy_ports:
        return True
    return any(proto == protocol and held == number and ANY in (address, other) for proto, other, held in taken)


def _first_free(wanted: str, held: set[int]) -> int | None:
    first, _, last = wanted.partition("-")
    return next((number for number in range(int(first), int(last or first) + 1) if number not in held), None)


def _dynamic(engine: Engine, held: set[int]) -> int | None:
    """The next number after the last one given: the engine does not come back to a freed one at once."""
    count = LAST_DYNAMIC_PORT - FIRST_DYNAMIC_PORT + 1
    for step in range(count):
        number = FIRST_DYNAMIC_PORT + (engine.state.next_port - FIRST_DYNAMIC_PORT + step) % count
        if number not in held:
            engine.state.next_port = number + 1
            return number
    return None
