"""The way into a container's network namespace, and what is not let in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from dtn_agent.engine.client import EngineClient, EngineContainer
from dtn_agent.errors import RefusedError
from dtn_agent.namespaces import within
from dtn_agent.queueing.wire import Wire, open_wire

OWN_NAMESPACE = Path("/proc/self/ns/net")  # the host's: that is where the agent runs

T = TypeVar("T")


def inside(engine: EngineClient, proc: Path, container: EngineContainer, action: Callable[[Wire], T]) -> T:
    """What `action` returns in the container's own network namespace. RefusedError if it has none, or stopped meanwhile."""
    check_own_network(container)
    try:
        namespace = os.open(proc / str(container.pid) / "ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise RefusedError("conflict", f"{container.name} stopped meanwhile; try again") from None
    try:
        _check_namespace(engine, container, namespace)
        return within(namespace, lambda: _with_wire(action))
    finally:
        os.close(namespace)


def check_own_network(container: EngineContainer) -> None:
    """RefusedError for a container whose packets are not its own."""
    if container.network_mode == "host":
        raise RefusedError("unsupported", f"{container.name} is on the host's network: QoS would shape everything that the host sends")
    if container.network_mode.startswith("container:"):
        raise RefusedError("unsupported", f"{container.name} shares the network of another container: QoS would shape that one too")


def _check_namespace(engine: EngineClient, container: EngineContainer, namespace: int) -> None:
    """The process number may be another process's by now: it is the container's if the engine still says so with the file open."""
    again = engine.container(container.name)
    if again is None or (again.id, again.pid) != (container.id, container.pid):
        raise RefusedError("conflict", f"{container.name} was restarted meanwhile; try again")
    if os.path.samestat(os.fstat(namespace), OWN_NAMESPACE.stat()):
        raise RefusedError("unsupported", f"{container.name} is in the host's network namespace: QoS would shape everything there")


def _with_wire(action: Callable[[Wire], T]) -> T:
    with open_wire() as wire:
        return action(wire)
