"""Containers as the API shows them: the full inspect and the short lines of the list."""

from __future__ import annotations

from typing import Any

from tests.fakes import configs, images
from tests.fakes.clock import SECOND, age, stamp
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError
from tests.fakes.image_views import graph_driver
from tests.fakes.state import Container, Endpoint, Json, Mount


def status(container: Container) -> str:
    """The state's one word."""
    if container.running:
        return "restarting" if container.restarting else "running"
    return "exited" if container.started_at else "created"


def inspect(engine: Engine, container: Container) -> Json:
    """GET /containers/{id}/json."""
    command = configs.command_of(container.config)
    folder = f"/var/lib/docker/containers/{container.id}"
    begun = bool(container.started_at)
    return {
        "Id": container.id,
        "Created": stamp(container.created),
        "Path": command[0],
        "Args": command[1:],
        "State": _state(container),
        "Image": container.image_id,
        "ResolvConfPath": f"{folder}/resolv.conf" if container.sandbox_id or begun else "",
        "HostnamePath": f"{folder}/hostname" if container.networked else "",
        "HostsPath": f"{folder}/hosts" if container.sandbox_id or begun else "",
        "LogPath": f"{folder}/{container.id}-json.log" if begun else "",
        "Name": f"/{container.name}",
        "RestartCount": container.restart_count,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": _running_execs(engine, container),
        "HostConfig": container.host_config,
        "GraphDriver": graph_driver(container.id, running=True),
        "Mounts": [_mount(mount) for mount in engine.shuffler.order(container.mounts)],
        "Config": container.config,
        "NetworkSettings": _network_settings(container),
    }


def _running_execs(engine: Engine, container: Container) -> list[str] | None:
    execs = engine.state.execs.items()
    return [key for key, found in execs if found.container_id == container.id and found.exit_code is None] or None


def _state(container: Container) -> Json:
    state = {
        "Status": status(container),
        "Running": container.running,
        "Paused": False,
        "Restarting": container.restarting,
        "OOMKilled": False,
        "Dead": container.dead,
        "Pid": container.pid,
        "ExitCode": container.exit_code,
        "Error": container.error,
        "StartedAt": stamp(container.started_at),
        "FinishedAt": stamp(container.finished_at),
    }
    if container.health:
        moments = {"Start": stamp(container.started_at), "End": stamp(container.started_at)}
        runs = [{**moments, "ExitCode": 1, "Output": container.check_output}] * bool(container.check_output)
        state["Health"] = {"Status": container.health, "FailingStreak": len(runs), "Log": runs}
    return state


def _mount(mount: Mount) -> Json:
    shown = {
        "Type": mount.kind,
        "Source": mount.source,
        "Destination": mount.destination,
        "Mode": mount.mode,
        "RW": mount.writable,
        "Propagation": mount.propagation,
    }
    if mount.kind == "volume":
        shown = {"Type": "volume", "Name": mount.name, **shown, "Driver": mount.driver}
    return shown


def _short_mount(engine: Engine, mount: Mount) -> Json:
    """In the list, an anonymous volume has no source."""
    volume = engine.state.volumes.get(mount.name)
    shown = _mount(mount)
    return {**shown, "Source": ""} if volume is not None and volume.anonymous else shown


def _network_settings(container: Container) -> Json:
    default = container.endpoints.get("bridge", Endpoint())
    host = "host" in container.endpoints
    key = "default" if host else container.sandbox_id[:12]
    return {
        "Bridge": "",
        "SandboxID": container.sandbox_id,
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "Ports": dict(container.ports),
        "SandboxKey": f"/var/run/docker/netns/{key}" if container.sandbox_id else "",
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "EndpointID": default.endpoint_id,
        "Gateway": default.gateway,
        "GlobalIPv6Address": default.address6,
        "GlobalIPv6PrefixLen": default.prefix_length6,
        "IPAddress": default.address,
        "IPPrefixLen": default.prefix_length,
        "IPv6Gateway": default.gateway6,
        "MacAddress": default.mac_address,
        "Networks": {name: _endpoint(endpoint) for name, endpoint in sorted(container.endpoints.items())},
    }


def _endpoint(endpoint: Endpoint) -> Json:
    return {
        "IPAMConfig": endpoint.ipam_config,
        "Links": endpoint.links,
        "Aliases": endpoint.aliases,
        "NetworkID": endpoint.network_id,
        "EndpointID": endpoint.endpoint_id,
        "Gateway": endpoint.gateway,
        "IPAddress": endpoint.address,
        "IPPrefixLen": endpoint.prefix_length,
        "IPv6Gateway": endpoint.gateway6,
        "GlobalIPv6Address": endpoint.address6,
        "GlobalIPv6PrefixLen": endpoint.prefix_length6,
        "MacAddress": endpoint.mac_address,
        "DriverOpts": endpoint.driver_options,
    }


def list_containers(engine: Engine, query: dict[str, str]) -> list[Json]:
    """GET /containers/json: newest first; only running ones unless `all` says otherwise."""
    everything = query.get("all", "") in ("1", "true", "True")
    shown = [container for container in engine.state.containers.values() if everything or container.running]
    shown.sort(key=lambda container: container.created, reverse=True)
    return [_summary(engine, container) for container in engine.shuffler.order(shown)]


def _summary(engine: Engine, container: Container) -> Json:
    command = configs.command_of(container.config)
    hidden = {"Aliases": None, "Links": None, "DriverOpts": None}
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": _image_name(engine, container),
        "ImageID": container.image_id,
        "Command": " ".join(_quoted(word) for word in command),
        "Created": container.created // SECOND,
        "Ports": engine.shuffler.order(_port_list(container)),
        "Labels": container.config["Labels"],
        "State": status(container),
        "Status": _status_text(engine, container),
        "HostConfig": {"NetworkMode": container.host_config["NetworkMode"]},
        "NetworkSettings": {"Networks": {name: {**_endpoint(e), **hidden} for name, e in container.endpoints.items()}},
        "Mounts": [_short_mount(engine, mount) for mount in engine.shuffler.order(container.mounts)],
    }


def _quoted(word: str) -> str:
    return f"'{word}'" if " " in word else word


def _image_name(engine: Engine, container: Container) -> str:
    """The name the container was made with, or the image's id once that name means another image."""
    name: str = container.config["Image"]
    try:
        found = images.find(engine, name).id
    except EngineError:
        found = ""
    return name if found == container.image_id else container.image_id


def _port_list(container: Container) -> list[Json]:
    shown: list[Json] = []
    for port, bindings in container.ports.items():
        number, _, protocol = port.partition("/")
        private: dict[str, Any] = {"PrivatePort": int(number), "Type": protocol}
        shown += [{"IP": one["HostIp"], "PublicPort": int(one["HostPort"]), **private} for one in bindings or []]
        if not bindings:
            shown.append(private)
    return shown


def _status_text(engine: Engine, container: Container) -> str:
    now = engine.clock()
    if container.running and container.restarting:
        return f"Restarting ({container.exit_code}) {age(now - container.finished_at)} ago"
    if container.running:
        health = {"": "", "starting": " (health: starting)"}.get(container.health, f" ({container.health})")
        return f"Up {age(now - container.started_at)}{health}"
    if not container.started_at:
        return "Created"
    return f"Exited ({container.exit_code}) {age(now - container.finished_at)} ago"
