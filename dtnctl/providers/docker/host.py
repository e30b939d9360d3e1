"""What an engine says of its host. Agents of a Swarm let a manager answer that for any node: what is the node's own is in its list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dtnctl.errors import EngineError

if TYPE_CHECKING:
    from dtnctl.providers.docker.connection import Connection

NANO = 10**9


def host_info(connection: Connection) -> Mapping[str, Any]:
    """Docker's answer to /info; of a Swarm's node its name, id and CPUs alone. EngineError if the engine refuses."""
    info: Mapping[str, Any] = connection.get("/info")
    node = connection.transport.node
    if not node or info.get("Name") == node:
        return info
    try:
        nodes = connection.get("/nodes")
    except EngineError:  # one agent and no Swarm: there is but one engine
        return info
    return next((_of_node(raw, node) for raw in nodes if raw["Description"]["Hostname"] == node), {"Name": node})


def _of_node(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return {"Name": name, "ID": raw["ID"], "NCPU": raw["Description"]["Resources"]["NanoCPUs"] // NANO}
