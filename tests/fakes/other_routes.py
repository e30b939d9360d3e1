"""System, images, networks and volumes over HTTP: reads parameters, calls the engine's part, forms the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from tests.fakes import attachments, image_views, images, mounts, networks, registry
from tests.fakes.clock import SECOND, stamp
from tests.fakes.core import Engine
from tests.fakes.errors import not_found
from tests.fakes.messages import API_VERSION, Request, Response, answer
from tests.fakes.state import Json, Volume

Handler: TypeAlias = Callable[[Engine, Request], Response]

ENGINE_VERSION = "20.10.24+dfsg1"


def table() -> dict[str, Handler]:
    """Method and path -> handler."""
    return {
        "GET /_ping": _ping,
        "HEAD /_ping": _ping,
        "GET /version": lambda engine, request: answer({"Version": ENGINE_VERSION, "ApiVersion": API_VERSION}),
        "GET /info": lambda engine, request: answer(_info(engine)),
        **_image_table(),
        **_network_table(),
        **_volume_table(),
    }


def _ping(engine: Engine, request: Request) -> Response:
    headers = {"Builder-Version": "1", "Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache"}
    return Response(body=b"OK" if request.method == "GET" else b"", content_type="text/plain; charset=utf-8", headers=headers)


def _info(engine: Engine) -> Json:
    found = engine.state.containers.values()
    running = sum(container.running for container in found)
    machine = engine.machine
    return {
        "ID": ":".join([engine.name.upper()[:4].ljust(4, "X")] * 12),
        "Containers": len(found),
        "ContainersRunning": running,
        "ContainersPaused": 0,
        "ContainersStopped": len(found) - running,
        "Images": len(engine.state.images),
        "Driver": "overlay2",
        "MemoryLimit": True,
        "SwapLimit": True,
        "CpuCfsPeriod": True,
        "CpuCfsQuota": True,
        "CPUShares": True,
        "CPUSet": True,
        "PidsLimit": True,
        "IPv4Forwarding": True,
        "OomKillDisable": True,
        "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs",
        "CgroupVersion": "1",
        "KernelVersion": "6.1.0",
        "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
        "OSType": "linux",
        "Architecture": "x86_64",
        "NCPU": machine.cpus,
        "MemTotal": machine.memory,
        "DockerRootDir": "/var/lib/docker",
        "Name": engine.name,
        "Labels": [],
        "ServerVersion": ENGINE_VERSION,
        "Runtimes": {"runc": {"path": "runc"}},
        "DefaultRuntime": "runc",
        "Swarm": {"NodeID": "", "LocalNodeState": "inactive", "ControlAvailable": False},
        "SecurityOptions": ["name=seccomp,profile=default"],
        "Plugins": {"Volume": ["local"], "Network": ["bridge", "host", "ipvlan", "macvlan", "null", "overlay"]},
        "Warnings": None,
    }


def _image_table() -> dict[str, Handler]:
    return {
        "POST /images/create": _create_image,
        "GET /images/{id}/json": lambda engine, request: answer(image_views.inspect(engine, request.target)),
        "GET /distribution/{id}/json": lambda engine, request: answer(
            registry.describe(engine, request.target, request.headers.get("x-registry-auth", ""))
        ),
    }


def _create_image(engine: Engine, request: Request) -> Response:
    query = request.query
    if "fromSrc" in query:
        found = images.import_tar(engine, request.body, query.get("repo", ""), query.get("tag", ""))
        lines = [{"status": found.id}]
    else:
        authorization = request.headers.get("x-registry-auth", "")
        lines = list(registry.pull(engine, query.get("fromImage", ""), query.get("tag", ""), authorization))
    # In chunks, because the SDK takes a body with a length for one JSON value.
    return Response(stream=(json.dumps(line).encode() + b"\r\n" for line in lines), content_type="application/json")


def _network_table() -> dict[str, Handler]:
    return {
        "GET /networks": lambda engine, request: answer(networks.list_networks(engine)),
        "POST /networks/create": lambda engine, request: answer(networks.create(engine, request.json()), 201),
        "GET /networks/{id}": lambda engine, request: answer(networks.show(engine, engine.network(request.target))),
        "DELETE /networks/{id}": _remove_network,
        "POST /networks/{id}/connect": _connect,
    }


def _remove_network(engine: Engine, request: Request) -> Response:
    networks.remove(engine, request.target)
    return Response(204)


def _connect(engine: Engine, request: Request) -> Response:
    attachments.connect(engine, request.target, request.json())
    return Response()


def _volume_table() -> dict[str, Handler]:
    return {
        "POST /volumes/create": lambda engine, request: answer(_show_volume(mounts.create_volume(engine, request.json())), 201),
        "GET /volumes/{id}": lambda engine, request: answer(_show_volume(_volume(engine, request.target))),
    }


def _volume(engine: Engine, name: str) -> Volume:
    volume = engine.state.volumes.get(name)
    if volume is None:
        raise not_found(f"get {name}: no such volume")
    return volume


def _show_volume(volume: Volume) -> Json:
    return {
        "CreatedAt": stamp(volume.created // SECOND * SECOND),
        "Driver": volume.driver,
        "Labels": volume.labels,
        "Mountpoint": mounts.mountpoint(volume),
        "Name": volume.name,
        "Options": volume.options,
        "Scope": "local",
    }
