"""The whole state of engines as values: a quick snapshot, and a view that is equal for equal outcomes."""

from __future__ import annotations

import hashlib
import json
import pickle
from typing import Any

from tests.fakes import networks, views
from tests.fakes.clock import NEVER
from tests.fakes.core import Engine
from tests.fakes.state import EngineState, Json, Tree

VOLATILE = {
    "Created",
    "EndpointID",
    "FinishedAt",
    "GraphDriver",
    "HostnamePath",
    "HostsPath",
    "LogPath",
    "Pid",
    "ResolvConfPath",
    "SandboxID",
    "SandboxKey",
    "ExecIDs",
}
"""Fields of the API that differ from run to run whatever the outcome."""


def freeze(engine: Engine) -> bytes:
    return pickle.dumps(engine.state, pickle.HIGHEST_PROTOCOL)


def thaw(frozen: bytes) -> EngineState:
    state: EngineState = pickle.loads(frozen)
    return state


def view(engine: Engine) -> Json:
    """What a user would compare: objects by name, ids replaced by names, no times.

    Files appear as digests, so that two runs with the same outcome give the same bytes.
    """
    state = engine.state
    shown = {
        "containers": {c.name: _container(engine, c.id) for c in state.containers.values()},
        "networks": {n.name: _without_volatile(networks.show(engine, n)) for n in state.networks.values()},
        "images": sorted([sorted(image.tags + image.digests), image.config] for image in state.images.values()),
        "volumes": {v.name: _digests(v.files) for v in state.volumes.values()},
        "host": _digests(state.host),
    }
    text = json.dumps(shown, sort_keys=True, default=str)
    for object_id, name in _names(engine).items():
        text = text.replace(object_id, name).replace(object_id[:12], name)
    result: Json = json.loads(text)
    return result


def _container(engine: Engine, container_id: str) -> Any:
    container = engine.state.containers[container_id]
    shown = views.inspect(engine, container)
    shown["State"]["Started"] = shown["State"].pop("StartedAt") != NEVER
    shown["Mounts"].sort(key=lambda mount: mount["Destination"])
    return {**_without_volatile(shown), "Files": _digests(container.files)}


def _without_volatile(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_volatile(inner) for key, inner in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [_without_volatile(inner) for inner in value]
    return value


def _names(engine: Engine) -> dict[str, str]:
    state = engine.state
    names = {container.id: f"<{container.name}>" for container in state.containers.values()}
    names.update({network.id: f"<network {network.name}>" for network in state.networks.values()})
    for image in state.images.values():
        name = min(image.tags + image.digests, default="unnamed")
        names[image.id.removeprefix("sha256:")] = f"<image {name}>"
    return names


def _digests(tree: Tree) -> dict[str, str]:
    return {
        path: hashlib.sha256(node.content).hexdigest()[:16] if node.kind == "file" else node.kind + node.target
        for path, node in tree.items()
    }
