"""One endpoint of the model: what is on it, and what its containers take that no two can have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dtnctl.model.backends import Backend, row_of
from dtnctl.model.ledger import Attempt
from dtnctl.model.resources import (
    Attachment,
    ContainerSeen,
    ContainerSpec,
    ForeignSeen,
    ImageSeen,
    NetworkSeen,
    NetworkSpec,
    VolumeSeen,
)
from tests.properties.agent import Agent

MOMENT = "2026-06-01T00:00:00Z"
ENGINE_NETWORKS = frozenset({"bridge", "host", "none"})


ACTIVE = frozenset({"running", "paused", "restarting"})


@dataclass(slots=True)
class Host:
    """One endpoint: containers and networks by id. `silence` not empty: it does not answer. `agent`: its agent, if it has one.

    `backend`: the name of its row.
    """

    name: str
    containers: dict[str, ContainerSeen] = field(default_factory=dict)
    networks: dict[str, NetworkSeen] = field(default_factory=dict)
    foreign: list[ForeignSeen] = field(default_factory=list)
    foreign_networks: list[NetworkSeen] = field(default_factory=list)
    images: dict[str, ImageSeen] = field(default_factory=dict)
    volumes: dict[str, VolumeSeen] = field(default_factory=dict)
    records: dict[tuple[str, int, int], Attempt] = field(default_factory=dict)
    silence: str = ""
    engine_id: str = ""
    clock_ahead: int | None = 0
    cpus: int = 0
    backend: str = ""
    agent: Agent | None = None

    @property
    def row(self) -> Backend:
        return row_of(self.backend or "Docker")

    def by_name(self, name: str) -> ContainerSeen | None:
        return next((item for item in self.containers.values() if item.name == name), None)

    def network(self, name: str) -> NetworkSeen | None:
        return next((item for item in self.networks.values() if item.name == name), None)

    @property
    def active(self) -> Iterator[ContainerSeen]:
        return (item for item in self.containers.values() if item.state in ACTIVE)


def image(reference: str, version: int = 1) -> ImageSeen:
    """An image with something to inherit; equal arguments give equal images."""
    return ImageSeen(
        id=f"sha256:{reference}:{version}",
        digests=(f"{reference.partition(':')[0]}@sha256:{reference}{version}",),
        env=(("PATH", "/usr/bin"),),
        command=("sshd",),
        stop_signal="SIGINT",
    )


def functions_of(host: Host) -> list[tuple[str, str]]:
    """Virtual functions of containers that run, as (PCI address, container)."""
    return [(item.vf, seen.name) for seen in host.active for item in seen.spec.attachments if item.vf]


def shared_with(one: NetworkSpec, other: NetworkSpec) -> list[str]:
    """Parents and subnets of both, which an engine gives once."""
    parents = {spec.parent or f"none of {spec.driver} {number}" for number, spec in enumerate((one, other))}
    subnets = [item.subnet for item in one.subnets for else_where in other.subnets if item.subnet == else_where.subnet]
    return [*parents, *subnets] if len(parents) == 1 else subnets


def doors_of(spec: ContainerSpec) -> set[int]:
    """Where sshd can be reached: at the control port, or where nothing is published at the fixed port of the generated images."""
    return {int(dict(spec.env)["CTRL_PORT"])} | ({22} if not spec.ports else set())


def ports_of(spec: ContainerSpec) -> set[tuple[int, str]]:
    """Host ports that a running container has: published ones, or on the host's network those that it was told to use."""
    ports = {(item.host, item.protocol) for item in spec.ports}
    if spec.network == "host":
        env = dict(spec.env)
        ports |= {(int(env[name]), "tcp") for name in ("CTRL_PORT", "SERV_PORT") if env.get(name)}
        if env.get("DATA_PORTS"):
            low, high = env["DATA_PORTS"].split(",")
            ports |= {(port, "tcp") for port in range(int(low), int(high) + 1)}
    return ports


def addresses_of(attachments: tuple[Attachment, ...]) -> Iterator[tuple[tuple[str, str], None]]:
    for item in attachments:
        if item.network not in ENGINE_NETWORKS:
            yield from (((item.network, address), None) for address in (item.ipv4, item.ipv6) if address)
