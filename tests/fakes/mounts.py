"""What a container sees where: bind mounts of the host's folders, volumes, tmpfs, and its own layer."""

from __future__ import annotations

import posixpath

from tests.fakes import files
from tests.fakes.core import Engine
from tests.fakes.errors import bad_request
from tests.fakes.state import Container, Json, Mount, Tree, Volume


def make_mounts(engine: Engine, host_config: Json, config: Json, image_files: Tree) -> list[Mount]:
    """The mount points of a new container. Missing folders of `Binds` are made on the host; of `Mounts`, refused."""
    found: dict[str, Mount] = {}
    for bind in host_config["Binds"] or []:
        _add(found, _from_bind(engine, bind))
    for mount in host_config.get("Mounts") or []:
        _add(found, _from_mount(engine, mount))
    for mount in found.values():
        _seed_volume(engine, mount, image_files)
    return list(found.values())


def _add(found: dict[str, Mount], mount: Mount) -> None:
    if mount.destination in found:
        raise bad_request(f"Duplicate mount point: {mount.destination}")
    found[mount.destination] = mount


def _from_bind(engine: Engine, bind: str) -> Mount:
    source, _, rest = bind.partition(":")
    destination, _, mode = rest.partition(":")
    files.make_folders(engine.state.host, source, engine.clock())
    writable = "ro" not in mode.split(",")
    return Mount("bind", files.normal(source), files.normal(destination), mode=mode, writable=writable, propagation="rprivate")


def _from_mount(engine: Engine, mount: Json) -> Mount:
    kind, target = mount.get("Type") or "", mount.get("Target") or ""
    source, writable = mount.get("Source") or "", not mount.get("ReadOnly")
    match kind:
        case "bind":
            return _bind_mount(engine, source, target, writable)
        case "volume":
            options = mount.get("VolumeOptions") or {}
            driver = options.get("DriverConfig") or {}
            asked = {"Name": source, "Labels": options.get("Labels"), "Driver": driver.get("Name")}
            volume = engine.state.volumes.get(source) or create_volume(engine, {**asked, "DriverOpts": driver.get("Options")})
            return _of_volume(volume, target, "z", writable)
        case "tmpfs":
            return Mount("tmpfs", "", files.normal(target), writable=writable)
        case _:
            raise bad_request(f'invalid mount config for type "{kind}": mount type unknown')


def _bind_mount(engine: Engine, source: str, target: str, writable: bool) -> Mount:
    if files.normal(source) not in engine.state.host:
        raise bad_request(f'invalid mount config for type "bind": bind source path does not exist: {source}')
    return Mount("bind", files.normal(source), files.normal(target), writable=writable, propagation="rprivate")


def _of_volume(volume: Volume, destination: str, mode: str, writable: bool) -> Mount:
    return Mount(
        "volume",
        mountpoint(volume),
        files.normal(destination),
        name=volume.name,
        driver=volume.driver,
        mode=mode,
        writable=writable,
    )


def mountpoint(volume: Volume) -> str:
    return f"/var/lib/docker/volumes/{volume.name}/_data"


def create_volume(engine: Engine, body: Json) -> Volume:
    """A local volume; without a name, an anonymous one."""
    driver, name = body.get("Driver") or "local", body.get("Name") or engine.new_id("volume")
    volume = engine.state.volumes.get(name)
    if volume is None:
        volume = Volume(name, engine.clock(), driver, body.get("Labels"), body.get("DriverOpts"), not body.get("Name"))
        volume.files = files.empty_tree()
        engine.state.volumes[name] = volume
    return volume


def _seed_volume(engine: Engine, mount: Mount, image_files: Tree) -> None:
    """An empty volume starts with what the image has at that place."""
    if mount.kind != "volume" or mount.destination not in image_files:
        return
    tree = engine.state.volumes[mount.name].files
    if len(tree) == 1:
        for path, node in files.walk(image_files, mount.destination):
            tree[files.normal(path[len(mount.destination) :])] = node


def tmpfs_paths(container: Container) -> list[str]:
    """Where the running container has memory instead of disk."""
    paths = [files.normal(path) for path in container.host_config.get("Tmpfs") or {}]
    return paths + [mount.destination for mount in container.mounts if mount.kind == "tmpfs"]


class View:
    """A container's files through its mounts.

    `from_inside` sees the running container's tmpfs. The archive API does not: dockerd 20.10 works on the
    layer below it, so a file put into a tmpfs path is never seen by the program.
    """

    def __init__(self, engine: Engine, container: Container, *, from_inside: bool) -> None:
        self._engine = engine
        self._container = container
        self._from_inside = from_inside

    def locate(self, path: str) -> tuple[Tree, str, bool]:
        """(tree, path in that tree, writable) of a path in the container."""
        path = files.normal(path)
        places = self._places()
        for destination in sorted(places, key=len, reverse=True):
            if path == destination or path.startswith(destination.rstrip("/") + "/"):
                tree, top, writable = places[destination]
                rest = path[len(destination) :]
                return tree, files.normal(posixpath.join(top, rest.lstrip("/"))), writable
        return self._container.files, path, not self._container.host_config["ReadonlyRootfs"]

    def _places(self) -> dict[str, tuple[Tree, str, bool]]:
        places: dict[str, tuple[Tree, str, bool]] = {}
        for mount in self._container.mounts:
            if mount.kind == "bind":
                places[mount.destination] = (self._engine.state.host, mount.source, mount.writable)
            elif mount.kind == "volume":
                places[mount.destination] = (self._engine.state.volumes[mount.name].files, "/", mount.writable)
        if self._from_inside:
            for path, tree in self._container.tmpfs.items():
                places[path] = (tree, "/", True)
        return places

    def find(self, path: str) -> tuple[Tree, str, bool]:
        """Like `locate`; raises PathMissing when nothing is there."""
        tree, inner, writable = self.locate(path)
        if inner not in tree:
            raise files.PathMissing(path)
        return tree, inner, writable
