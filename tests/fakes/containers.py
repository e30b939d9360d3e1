"""Containers that do not run yet, or no more: creating, renaming, updating, removing."""

from __future__ import annotations

from tests.fakes import attachments, checks, configs, host_config, images, mounts
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError, conflict
from tests.fakes.state import Container, Json


def create(engine: Engine, name: str, body: Json) -> Json:
    """POST /containers/create. Ports, addresses and networks are not looked at before the start."""
    given: Json = body.get("HostConfig") or {}
    config = configs.complete(body)
    checks.check_resources(given, engine.machine)
    full = host_config.complete(given, present="HostConfig" in body)
    host_config.add_limits(full, engine.machine)
    full["NetworkMode"] = _by_id(engine, full["NetworkMode"])
    endpoints = attachments.first_endpoints(engine, full["NetworkMode"], body.get("NetworkingConfig"))
    image = images.find(engine, config["Image"])
    configs.merge_image(config, image.config)
    container_id = engine.new_id("container")
    name = _reserve_name(engine, name or f"nameless_{container_id[:8]}", container_id)
    if not config["Hostname"]:
        config["Hostname"] = engine.name if full["NetworkMode"] == "host" else container_id[:12]
    container = Container(
        id=container_id,
        name=name,
        created=engine.clock(),
        image_id=image.id,
        config=config,
        host_config=full,
        files=dict(image.files),
        mounts=mounts.make_mounts(engine, full, config, image.files),
        endpoints=endpoints,
    )
    engine.state.containers[container_id] = container
    return {"Id": container_id, "Warnings": []}


def _by_id(engine: Engine, mode: str) -> str:
    """`container:NAME` with the container's id; as it is when there is no such container."""
    kind, colon, term = mode.partition(":")
    if kind != "container" or not colon:
        return mode
    try:
        return f"container:{engine.container(term).id}"
    except EngineError:
        return mode


def _reserve_name(engine: Engine, name: str, container_id: str) -> str:
    for other in engine.state.containers.values():
        if other.name == name and other.id != container_id:
            raise conflict(
                f'Conflict. The container name "/{name}" is already in use by container "{other.id}". You have to '
                "remove (or rename) that container to be able to reuse that name."
            )
    return name


def rename(engine: Engine, term: str, new_name: str) -> None:
    container = engine.container(term)
    container.name = _reserve_name(engine, new_name, container.id)


def update(engine: Engine, term: str, body: Json) -> Json:
    """POST /containers/{id}/update."""
    container = engine.container(term)
    host_config.update(container.host_config, body, engine.machine)
    return {"Warnings": None}


def remove(engine: Engine, term: str, *, force: bool) -> None:
    """DELETE /containers/{id}: a running one only by force. Bind mounts and named volumes stay."""
    container = engine.container(term)
    if container.running:
        if not force:
            raise conflict(
                f"You cannot remove a running container {container.id}. Stop the container before attempting removal or force remove"
            )
        engine.processes.end_for_removal(container)
    delete(engine, container)


def delete(engine: Engine, container: Container) -> None:
    """Forget a container that does not run."""
    container.dead = True
    del engine.state.containers[container.id]
    for key in [key for key, found in engine.state.execs.items() if found.container_id == container.id]:
        del engine.state.execs[key]
