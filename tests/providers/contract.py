"""What the tests of the contract share: a container and a network of ours, and what is there."""

from __future__ import annotations

from dtnctl.errors import NotFoundError
from dtnctl.model.actions import CreateContainer, StartContainer
from dtnctl.model.resources import (
    ContainerSpec,
    NetworkSpec,
    Subnet,
    Wanted,
)
from dtnctl.providers.docker.engine import DockerEngine
from tests.providers.backends import ENDPOINT, IMAGE, SESSION, Backend, LabBackend, labels_of

SPEC = ContainerSpec(image=IMAGE)
ALL = Wanted()
NETWORK = NetworkSpec("bridge", subnets=(Subnet("10.77.0.0/24", "10.77.0.1"),))


def create(engine: DockerEngine, name: str = SESSION, spec: ContainerSpec = SPEC) -> str:
    """One of our containers, as a plan makes it; returns its id."""
    engine.perform(CreateContainer(name, spec, labels_of(name)))
    return engine.inspect(name).id


def running(engine: DockerEngine, name: str = SESSION, spec: ContainerSpec = SPEC) -> str:
    container = create(engine, name, spec)
    engine.perform(StartContainer(name))
    return container


def names(engine: DockerEngine) -> list[str]:
    return [container.name for container in engine.observe(ALL).containers]


def is_there(engine: DockerEngine, container: str) -> bool:
    try:
        engine.inspect(container)
    except NotFoundError:
        return False
    return True


def owners(backend: Backend, container: str, path: str) -> dict[str, tuple[int, int, int]]:
    """By path from the last part of `path` on: owner, group and mode."""
    import io
    import tarfile

    if isinstance(backend, LabBackend) and backend.lab.release.podman:
        return _owners_on_disk(backend, container, path)
    chunks, _ = backend.others.get_archive(container, path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        return {member.name.rstrip("/"): (member.uid, member.gid, member.mode & 0o777) for member in tar}


def _owners_on_disk(backend: LabBackend, container: str, path: str) -> dict[str, tuple[int, int, int]]:
    """Podman's archives show each file as root's, so that it is looked at where it is."""
    podman = "podman --root=/run/lab/disk/engine --runroot=/run/podman --storage-driver=overlay"
    script = f'cd "$({podman} mount {container})/$(dirname {path})/" && find "$(basename {path})" -printf "%p %U %G %m\\n"'
    found = backend.lab.exec(ENDPOINT, ["sh", "-c", script]).stdout.splitlines()
    backend.lab.exec(ENDPOINT, ["sh", "-c", f"{podman} umount {container}"])
    rows = (line.split() for line in found)
    return {name: (int(uid), int(gid), int(mode, 8) & 0o777) for name, uid, gid, mode in rows}
