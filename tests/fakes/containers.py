"""Containers that do not run yet, or no more: creating, renaming, updating, removing, pruning."""

from __future__ import annotations

import re

from tests.fakes import attachments, checks, configs, filters, host_config, images, mounts
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError, bad_request, conflict
from tests.fakes.state import Container, Json

NAME = re.compile(r"^/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$")
PRUNE_FILTERS = ("label", "label!", "until")


def create(engine: Engine, name: str, body: Json) -> Json:
    """POST /containers/create. Ports, addresses and networks are not looked at before the start."""
    if not body:
        raise bad_request("Config cannot be empty in order to create a container")
    given: Json = body.get("HostConfig") or {}
    config = configs.complete(body)
    warnings = checks.check(given, body, engine.machine)
    full = host_config.complete(given, present="HostConfig" in body)
    host_config.add_limits(full, engine.machine)
    full["NetworkMode"] = _by_id(engine, full["NetworkMode"])
    endpoints = attachments.first_endpoints(engine, full["NetworkMode"], body.get("NetworkingConfig"))
    if config.get("NetworkDisabled"):
        endpoints = {}
    _check_relatives(engine, full)
    image = images.find(engine, config["Image"])
    configs.merge_image(config, image.config)
    _check_command(config)
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
    emit(engine, container, "create")
    return {"Id": container_id, "Warnings": warnings}


def _by_id(engine: Engine, mode: str) -> str:
    """`container:NAME` with the container's id; as it is when there is no such container."""
    kind, colon, term = mode.partition(":")
    if kind != "container" or not colon:
        return mode
    try:
        return f"container:{engine.container(term).id}"
    except EngineError:
        return mode


def emit(engine: Engine, container: Container, action: str, **extra: str) -> None:
    """An event with the attributes that the engine gives: image, name and every label."""
    attributes = {"image": container.config["Image"], "name": container.name, **container.config["Labels"], **extra}
    engine.emit("container", action, container.id, attributes)


def _check_relatives(engine: Engine, full: Json) -> None:
    """Containers that this one links to or takes volumes from must exist."""
    for link in full["Links"] or []:
        name = link.partition(":")[0]
        try:
            engine.container(name)
        except EngineError as error:
            raise bad_request(f"could not get container for {name}: {error.message}") from error
    for source in full["VolumesFrom"] or []:
        try:
            engine.container(source.partition(":")[0])
        except EngineError as error:
            raise bad_request(error.message) from error


def _check_command(config: Json) -> None:
    if config["Entrypoint"] == [""]:
        config["Entrypoint"] = None
    if not configs.command_of(config):
        raise bad_request("No command specified")


def _reserve_name(engine: Engine, name: str, container_id: str) -> str:
    if not NAME.match(name):
        raise bad_request(f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    name = name.removeprefix("/")
    for other in engine.state.containers.values():
        if other.name == name and other.id != container_id:
            raise conflict(
                f'Conflict. The container name "/{name}" is already in use by container "{other.id}". You have to '
                "remove (or rename) that container to be able to reuse that name."
            )
    return name


def rename(engine: Engine, term: str, new_name: str) -> None:
    container = engine.container(term)
    if not new_name:
        raise bad_request("Neither old nor new names may be empty")
    if new_name.removeprefix("/") == container.name:
        raise bad_request("Renaming a container with the same name as its current name")
    try:
        name = _reserve_name(engine, "/" + new_name.removeprefix("/"), container.id)
    except EngineError as error:
        raise EngineError(error.status, f"Error when allocating new name: {error.message}") from error
    old, container.name, container.listed_endpoints = container.name, name, None
    emit(engine, container, "rename", oldName=f"/{old}")


def update(engine: Engine, term: str, body: Json) -> Json:
    """POST /containers/{id}/update."""
    container = engine.container(term)
    host_config.update(container.id, container.host_config, body, engine.machine)
    container.listed_endpoints = None
    emit(engine, container, "update")
    return {"Warnings": None}


def remove(engine: Engine, term: str, *, force: bool, volumes: bool) -> None:
    """DELETE /containers/{id}: a running one only by force. Bind mounts and named volumes stay."""
    container = engine.container(term)
    if container.running:
        if not force:
            state = "restarting" if container.restarting else "running"
            raise conflict(
                f"You cannot remove a {state} container {container.id}. Stop the container before attempting removal or force remove"
            )
        engine.processes.end_for_removal(container)
    delete(engine, container, volumes=volumes)


def delete(engine: Engine, container: Container, *, volumes: bool) -> None:
    """Forget a container that does not run."""
    if container.dead:
        return
    container.dead = True
    del engine.state.containers[container.id]
    for key in [key for key, found in engine.state.execs.items() if found.container_id == container.id]:
        del engine.state.execs[key]
    if volumes:
        for mount in container.mounts:
            volume = engine.state.volumes.get(mount.name)
            if volume is not None and volume.anonymous and not volume_users(engine, volume.name):
                del engine.state.volumes[volume.name]
    emit(engine, container, "destroy")


def volume_users(engine: Engine, name: str) -> list[Container]:
    """The containers, running or not, that mount this volume."""
    return [c for c in engine.state.containers.values() if any(m.kind == "volume" and m.name == name for m in c.mounts)]


def prune(engine: Engine, wanted: filters.Filters) -> Json:
    """Remove every container that does not run: stopped ones and those never started."""
    deleted = []
    for container in list(engine.state.containers.values()):
        if container.running or filters.survives_prune(wanted, container.config["Labels"]):
            continue
        delete(engine, container, volumes=False)
        deleted.append(container.id)
    return {"ContainersDeleted": deleted or None, "SpaceReclaimed": 0}


def prune_volumes(engine: Engine, wanted: filters.Filters) -> Json:
    """Remove every volume without a container and without options: in API 1.41 named volumes go as well."""
    deleted = []
    reclaimed = 0
    for volume in list(engine.state.volumes.values()):
        if volume.options or volume_users(engine, volume.name) or filters.survives_prune(wanted, volume.labels or {}):
            continue
        reclaimed += sum(len(node.content) for node in volume.files.values())
        del engine.state.volumes[volume.name]
        deleted.append(volume.name)
    return {"VolumesDeleted": deleted, "SpaceReclaimed": reclaimed}
