"""The two engines that the contract runs on: the in-memory one, and a real one in the lab."""

from __future__ import annotations

import contextlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient
from docker.errors import APIError

from dtnctl.model.backends import DOCKER, PODMAN, row_of
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.resources import (
    LABEL_KIND,
    LABEL_NAME,
    LABEL_SELF,
    LABEL_SITE,
    LABEL_SPEC,
    ContainerSpec,
    Pairs,
    self_reference,
    service_name,
)
from dtnctl.model.site import Endpoint
from dtnctl.model.site_settings import Registry
from dtnctl.providers.docker.engine import DockerEngine, DockerObserver
from dtnctl.providers.timeouts import Timeouts
from lab import Lab, Login
from lab import Registry as LabRegistry
from tests.docker_clients import connect
from tests.fakes.engine import Behaviour, RegistryImage, World

SITE = "contract"
ENDPOINT = "dtn1"
IMAGE = "tiny:1"
SESSION = service_name(SITE, "web")
REMOVALS = 5  # rounds: Podman refuses to remove a container of which it is still noting the end, or of which a connection failed (5.4)
SOON = Timeouts(connect=1.0, answer=1.0, read=20.0, write=60.0, login=10.0)
PATIENT = replace(SOON, answer=60.0, read=120.0)  # Podman answers nothing while its database waits for the disk
LOGIN = Login("puller", "canary-5f1e9d")


def labels_of(name: str, *, site: str = SITE, spec: str = "digest-1", kind: str = "service") -> Pairs:
    """The labels that the planner gives an object of this name."""
    return tuple(
        sorted(
            {
                LABEL_SITE: site,
                LABEL_KIND: kind,
                LABEL_NAME: name.rpartition(".")[2],
                LABEL_SELF: self_reference(ENDPOINT, name),
                LABEL_SPEC: spec,
            }.items()
        )
    )


@dataclass(frozen=True, slots=True)
class Pullable:
    """An image in a registry: its reference, its digest, and the login that it needs."""

    reference: str
    digest: str
    registries: dict[str, Registry]


class Backend(ABC):
    """One engine, the providers that reach it, and what people and other programs do to it behind our back."""

    timeouts = SOON

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.others = APIClient(f"unix://{socket}", version="1.41", timeout=180)
        self._open: list[DockerObserver] = []

    def engine(
        self,
        socket: Path | None = None,
        registries: dict[str, Registry] | None = None,
        *,
        repository: str = "",
        unlabelled: bool = True,
    ) -> DockerEngine:
        provider = connect(
            ENDPOINT,
            self._state(socket),
            site=SITE,
            registries=registries or {},
            read_only=False,
            root=Path("/"),
            timeouts=self.timeouts,
            repository=repository,
            unlabelled=unlabelled,
        )
        self._open.append(provider)
        return provider

    def observer(self, socket: Path | None = None, registries: dict[str, Registry] | None = None) -> DockerObserver:
        provider = connect(
            ENDPOINT, self._state(socket), site=SITE, registries=registries or {}, read_only=True, root=Path("/"), timeouts=self.timeouts
        )
        self._open.append(provider)
        return provider

    def _state(self, socket: Path | None) -> Endpoint:
        return Endpoint(docker=parse_engine(f"unix://{socket or self.socket}"), host="127.0.0.1")

    @property
    def kind(self) -> str:
        """The name of its row in dtnctl/model/backends.py."""
        return DOCKER.name

    def needs(self, capability: str) -> None:
        """Skip the test on a backend whose row says that it lacks this, with the reason."""
        if reason := row_of(self.kind).shortfalls.get(capability):
            pytest.skip(f"{self.kind}: {reason}")

    def close(self) -> None:
        for provider in self._open:
            provider.close()
        self.others.close()

    def post(self, path: str, **kwargs: Any) -> Any:
        """A call by somebody else."""
        response = self.others.post(f"{self.others.base_url}/v1.41{path}", **kwargs)
        assert response.ok, response.text
        last = response.content.splitlines()[-1:]  # Podman's commit shows its progress before
        return json.loads(last[0]) if last and last[0].startswith((b"{", b"[")) else None

    def run_other(self, name: str, *, labels: dict[str, str] | None = None, host: dict[str, Any] | None = None, **config: Any) -> str:
        """Somebody else's container, running."""
        container = self.create_other(name, labels=labels, host=host, **config)
        self.post(f"/containers/{container}/start")
        return container

    def create_other(self, name: str, *, labels: dict[str, str] | None = None, host: dict[str, Any] | None = None, **config: Any) -> str:
        body = {"Image": IMAGE, "Labels": labels or {}, "HostConfig": host or {}, **config}
        return str(self.post("/containers/create", params={"name": name}, json=body)["Id"])

    @abstractmethod
    def program(self, name: str, *, stdout: str = "", stderr: str = "", exit_code: int | None = None) -> ContainerSpec:
        """A container, to be called `name`, that writes this and then ends with the code, or runs until it is stopped."""

    @abstractmethod
    def pullable(self, monkeypatch: Any) -> Pullable:
        """An image in a registry that wants a login."""

    @abstractmethod
    def folder(self, name: str) -> str:
        """A folder of the endpoint's host for this test alone, which need not exist."""


class FakeBackend(Backend):
    """The in-memory engine."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.add_image(IMAGE, {"Cmd": ["sleep", "infinity"], "Env": ["PATH=/bin"]}, {"/bin/sh": b"#!"})
        super().__init__(Path(world.sockets[ENDPOINT]))

    def program(self, name: str, *, stdout: str = "", stderr: str = "", exit_code: int | None = None) -> ContainerSpec:
        behaviour = Behaviour(
            ends=exit_code is not None, exit_code=exit_code or 0, stdout=tuple(stdout.splitlines()), stderr=tuple(stderr.splitlines())
        )
        self.world.programs.register(behaviour, name=name)
        return ContainerSpec(image=IMAGE, command=("sh", "-c", f"what {name} does"))

    def pullable(self, monkeypatch: Any) -> Pullable:
        reference = "reg.example.net:5000/team/tool:2"
        engine = self.world.engine(ENDPOINT)
        engine.machine.registry[reference] = RegistryImage({"Cmd": ["tool"]}, username=LOGIN.user, password=LOGIN.password)
        return Pullable(reference, self.world.registry_digest(ENDPOINT, reference), _login("reg.example.net:5000", monkeypatch))

    def folder(self, name: str) -> str:
        return f"/var/lib/{name}"


class LabBackend(Backend):
    """A real engine; what a test leaves behind is cleared away."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.timeouts = PATIENT if lab.release.podman else SOON
        self.registry: LabRegistry | None = None
        super().__init__(lab.endpoint(ENDPOINT).socket)

    @property
    def kind(self) -> str:
        return PODMAN.name if self.lab.release.podman else DOCKER.name

    def program(self, name: str, *, stdout: str = "", stderr: str = "", exit_code: int | None = None) -> ContainerSpec:
        script = f"printf '%s' '{stdout}'; printf '%s' '{stderr}' >&2; "
        ending = "trap 'exit 0' TERM; sleep infinity & wait" if exit_code is None else f"exit {exit_code}"
        return ContainerSpec(image=IMAGE, command=("sh", "-c", script + ending))

    def pullable(self, monkeypatch: Any) -> Pullable:
        self.registry = self.lab.start_registry(LOGIN)
        pushed = self.lab.push_image(ENDPOINT, IMAGE, self.registry, "team/tool:2")
        return Pullable(self.registry.reference("team/tool:2"), pushed.partition("@")[2], _login(self.registry.address, monkeypatch))

    def folder(self, name: str) -> str:
        return f"/data/{name}"

    def _remove_containers(self) -> None:
        for container in sorted(self.others.containers(all=True), key=lambda item: -item["Created"]):  # users of another's network first
            with contextlib.suppress(APIError):
                self.others.kill(container["Id"])  # Podman's removal would wait for its end
            with contextlib.suppress(APIError):
                self.others.remove_container(container["Id"], force=True, v=True)

    def close(self) -> None:
        for _ in range(REMOVALS):
            self._remove_containers()
            if not self.others.containers(all=True):
                break
            time.sleep(0.5)
        for network in self.others.networks():
            if network["Name"] not in ("bridge", "host", "none"):  # Podman's own is listed as bridge
                self.others.remove_network(network["Id"])
        for volume in self.others.volumes()["Volumes"] or ():
            self.others.remove_volume(volume["Name"])
        for image in self.others.images():
            kept = (IMAGE, f"localhost/{IMAGE}")  # Podman's name for it
            tags = image["RepoTags"] or ()
            digests = () if {*kept} & {*tags} else image["RepoDigests"] or ()  # with containerd's store each image has one
            for tag in [*tags, *digests]:
                if tag not in (*kept, "<none>:<none>", "<none>@<none>"):
                    with contextlib.suppress(APIError):
                        self.others.remove_image(tag, force=True)
        if self.registry is not None:
            self.lab.stop_registry()
        super().close()


def _login(host: str, monkeypatch: Any) -> dict[str, Registry]:
    monkeypatch.setenv("CONTRACT_PASSWORD", LOGIN.password)
    return {host: Registry(username=LOGIN.user, password_env="CONTRACT_PASSWORD")}


@contextlib.contextmanager
def fake_backend() -> Iterator[FakeBackend]:
    with World([ENDPOINT]) as world:
        backend = FakeBackend(world)
        try:
            yield backend
        finally:
            backend.close()
