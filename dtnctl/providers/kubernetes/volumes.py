"""Mounts of a container as volumes of a pod, in both directions. Pure.

A bind mount is a hostPath that must be a folder: without that, the runtime would make an empty one where a disk is not mounted. A named
volume is a claim (PVC) of that name, one without a name lives as long as its pod. /dev/shm is a volume where it is not of usual size.
"""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.resources import ContainerSpec, Mount
from dtnctl.providers.kubernetes.identity import Json, Object
from dtnctl.providers.kubernetes.quantities import byte_count

SHM = "/dev/shm"  # noqa: S108  # a mount point in the pod, not a file of ours
USUAL_SHM = ContainerSpec(image="").shm_size  # what container runtimes give a pod
PREFIX = "mount-"  # of the names of these volumes; others are not the spec's
MEMORY = "Memory"


def pod_volumes(spec: ContainerSpec) -> list[Object]:
    """The pod's volumes, one for each mount, in their order."""
    return [{"name": f"{PREFIX}{number}", **_source(mount)} for number, mount in enumerate(_all(spec))]


def volume_mounts(spec: ContainerSpec) -> list[Object]:
    """Where the container sees them."""
    return [_volume_mount(number, mount) for number, mount in enumerate(_all(spec))]


def _all(spec: ContainerSpec) -> Iterator[Mount]:
    yield from spec.mounts
    if spec.shm_size != USUAL_SHM:
        yield Mount(SHM, "tmpfs", size=spec.shm_size)


def _volume_mount(number: int, mount: Mount) -> Object:
    placed: Object = {"name": f"{PREFIX}{number}", "mountPath": mount.target}
    return placed | ({"readOnly": True} if mount.read_only else {})


def _source(mount: Mount) -> Object:
    match mount.kind:
        case "bind":
            return {"hostPath": {"path": mount.source, "type": "Directory"}}
        case "volume" if mount.source:
            return {"persistentVolumeClaim": {"claimName": mount.source}}
        case "volume":
            return {"emptyDir": {}}
        case "tmpfs":
            return {"emptyDir": {"medium": MEMORY} | ({"sizeLimit": str(mount.size)} if mount.size else {})}


def mounts_seen(pod: Json, container: Json) -> tuple[tuple[Mount, ...], int]:
    """The mounts in their order, and the size of /dev/shm. What others added has no name of ours and is left out."""
    volumes = {volume["name"]: volume for volume in pod.get("volumes") or () if volume["name"].startswith(PREFIX)}
    found = [_mount(placed, volumes[placed["name"]]) for placed in container.get("volumeMounts") or () if placed["name"] in volumes]
    sizes = [mount.size for mount in found if mount.target == SHM]
    return tuple(sorted(mount for mount in found if mount.target != SHM)), sizes[0] if sizes else USUAL_SHM


def _mount(placed: Json, volume: Json) -> Mount:
    target, read_only = placed["mountPath"], bool(placed.get("readOnly"))
    if (folder := volume.get("hostPath")) is not None:
        return Mount(target, "bind", folder["path"], read_only)
    if (claim := volume.get("persistentVolumeClaim")) is not None:
        return Mount(target, "volume", claim["claimName"], read_only)
    empty = volume.get("emptyDir") or {}
    if empty.get("medium") == MEMORY:
        return Mount(target, "tmpfs", read_only=read_only, size=byte_count(empty.get("sizeLimit", 0)))
    return Mount(target, "volume", read_only=read_only)
