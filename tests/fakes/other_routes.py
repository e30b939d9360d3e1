"""System, images, networks and volumes over HTTP: reads parameters, calls the engine's part, forms the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeAlias

from tests.fakes import attachments, containers, filters, image_views, images, logs, mounts, networks, registry
from tests.fakes.clock import SECOND, stamp
from tests.fakes.core import Engine
from tests.fakes.errors import conflict, not_found
from tests.fakes.messages import API_VERSION, Request, Response, answer
from tests.fakes.state import Json, Volume

Handler: TypeAlias = Callable[[Engine, Request], Response]

ENGINE_VERSION = "20.10.24+dfsg1"
PRUNE_FILTERS = ("label", "label!", "until", "dangling")
VOLUME_FILTERS = ("dangling", "driver", "label", "name")


def table() -> dict[str, Handler]:
    """Method and path -> handler."""
    return {
        "GET /_ping": _ping,
        "HEAD /_ping": _ping,
        "GET /version": lambda engine, request: answer(_version()),
        "GET /info": lambda engine, request: answer(_info(engine)),
        "GET /events": lambda engine, request: Response(stream=logs.read_events(engine, request), content_type="application/json"),
        "POST /auth": lambda engine, request: answer({"IdentityToken": "", "Status": "Login Succeeded"}),
        **_image_table(),
        **_network_table(),
        **_volume_table(),
    }


def _ping(engine: Engine, request: Request) -> Response:
    headers = {"Builder-Version": "1", "Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache"}
    return Response(body=b"OK" if request.method == "GET" else b"", content_type="text/plain; charset=utf-8", headers=headers)


def _version() -> Json:
    details = {
        "ApiVersion": API_VERSION,
        "Arch": "amd64",
        "BuildTime": "2023-11-05T19:40:57.000000000+00:00",
        "Experimental": "false",
        "GitCommit": "5d6db84",
        "GoVersion": "go1.19.8",
        "KernelVersion": "6.1.0",
        "MinAPIVersion": "1.12",
        "Os": "linux",
    }
    return {
        "Platform": {"Name": ""},
        "Components": [{"Name": "Engine", "Version": ENGINE_VERSION, "Details": details}],
        "Version": ENGINE_VERSION,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": "1.12",
        "GitCommit": "5d6db84",
        "GoVersion": "go1.19.8",
        "Os": "linux",
        "Arch": "amd64",
        "KernelVersion": "6.1.0",
        "BuildTime": "2023-11-05T19:40:57.000000000+00:00",
    }


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
        "SwapLimit": machine.swap_limit,
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
        "GET /images/json": lambda engine, request: answer(image_views.list_images(engine, request.query)),
        "POST /images/create": _create_image,
        "POST /images/prune": _prune_images,
        "GET /images/{id}/json": lambda engine, request: answer(image_views.inspect(engine, request.target)),
        "POST /images/{id}/tag": _tag,
        "DELETE /images/{id}": lambda engine, request: answer(images.remove(engine, request.target, force=request.flag("force"))),
        "POST /commit": _commit,
        "GET /distribution/{id}/json": lambda engine, request: answer(
            registry.describe(engine, request.target, request.headers.get("x-registry-auth", ""))
        ),
    }


def _create_image(engine: Engine, request: Request) -> Response:
    query = request.query
    if "fromSrc" in query:
        found = images.import_tar(engine, request.body, query.get("repo", ""), query.get("tag", ""), request.all("changes"))
        lines = [{"status": found.id}]
    else:
        authorization = request.headers.get("x-registry-auth", "")
        lines = list(registry.pull(engine, query.get("fromImage", ""), query.get("tag", ""), authorization))
    # In chunks, because the SDK takes a body with a length for one JSON value.
    return Response(stream=(json.dumps(line).encode() + b"\r\n" for line in lines), content_type="application/json")


def _prune_images(engine: Engine, request: Request) -> Response:
    wanted = filters.read_filters(request.query.get("filters", ""), PRUNE_FILTERS)
    return answer(images.prune(engine, everything=wanted.get("dangling", ["true"])[0] in ("0", "false")))


def _tag(engine: Engine, request: Request) -> Response:
    images.tag(engine, request.target, request.query.get("repo", ""), request.query.get("tag", ""))
    return Response(201)


def _commit(engine: Engine, request: Request) -> Response:
    term = request.query.get("container", "")
    return answer({"Id": images.commit(engine, term, request.query, request.json(), request.all("changes")).id}, 201)


def _network_table() -> dict[str, Handler]:
    return {
        "GET /networks": lambda engine, request: answer(networks.list_networks(engine, request.query)),
        "POST /networks/create": lambda engine, request: answer(networks.create(engine, request.json()), 201),
        "POST /networks/prune": _prune_networks,
        "GET /networks/{id}": lambda engine, request: answer(networks.show(engine, engine.network(request.target))),
        "DELETE /networks/{id}": _remove_network,
        "POST /networks/{id}/connect": _connect,
        "POST /networks/{id}/disconnect": _disconnect,
    }


def _prune_networks(engine: Engine, request: Request) -> Response:
    return answer(networks.prune(engine, filters.read_filters(request.query.get("filters", ""), PRUNE_FILTERS)))


def _remove_network(engine: Engine, request: Request) -> Response:
    networks.remove(engine, request.target)
    return Response(204)


def _connect(engine: Engine, request: Request) -> Response:
    attachments.connect(engine, request.target, request.json())
    return Response()


def _disconnect(engine: Engine, request: Request) -> Response:
    attachments.disconnect(engine, request.target, request.json())
    return Response()


def _volume_table() -> dict[str, Handler]:
    return {
        "GET /volumes": _list_volumes,
        "POST /volumes/create": lambda engine, request: answer(_show_volume(mounts.create_volume(engine, request.json())), 201),
        "POST /volumes/prune": _prune_volumes,
        "GET /volumes/{id}": lambda engine, request: answer(_show_volume(_volume(engine, request.target))),
        "DELETE /volumes/{id}": _remove_volume,
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


def _list_volumes(engine: Engine, request: Request) -> Response:
    wanted = filters.read_filters(request.query.get("filters", ""), VOLUME_FILTERS)
    shown = [
        _show_volume(volume)
        for volume in engine.state.volumes.values()
        if filters.has_labels(wanted.get("label", []), volume.labels or {})
        and filters.matches_name(wanted.get("name", []), volume.name)
        and volume.driver in wanted.get("driver", [volume.driver])
        and _is_dangling(engine, volume) in wanted.get("dangling", [_is_dangling(engine, volume)])
    ]
    return answer({"Volumes": engine.shuffler.order(shown), "Warnings": None})


def _is_dangling(engine: Engine, volume: Volume) -> str:
    return "false" if containers.volume_users(engine, volume.name) else "true"


def _prune_volumes(engine: Engine, request: Request) -> Response:
    wanted = filters.read_filters(request.query.get("filters", ""), PRUNE_FILTERS)
    return answer(containers.prune_volumes(engine, wanted))


def _remove_volume(engine: Engine, request: Request) -> Response:
    volume = _volume(engine, request.target)
    users = containers.volume_users(engine, volume.name)
    if users:
        raise conflict(f"remove {volume.name}: volume is in use - [{', '.join(user.id for user in users)}]")
    del engine.state.volumes[volume.name]
    return Response(204)
