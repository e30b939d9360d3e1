"""What a Portainer knows: environments, users by their keys, teams, groups, tags, and who may see which object."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.kubernetes import KubernetesApi

ADMINISTRATOR, STANDARD = 1, 2


@dataclass
class Environment:
    """`socket` is where its engine really listens. `url` decides which of the two code paths of the proxy is taken.

    `nodes` are those of a Swarm whose agents it is: all look like the one engine, and lists have what is on each.
    """

    id: int
    name: str
    socket: Path
    url: str = "tcp://10.0.0.1:2376"
    type: int = 1
    group: int = 1
    tags: list[int] = field(default_factory=list)
    check_in: int = 1
    public_url: str = ""
    nodes: tuple[str, ...] = ()
    cluster: KubernetesApi | None = None
    """Where its API server listens, if it is a Kubernetes cluster."""
    refusals: int = 0
    """How often the tunnel of an edge agent is not there yet."""

    @property
    def is_local(self) -> bool:
        return self.url.startswith("unix://")

    def node(self, name: str) -> dict[str, Any]:
        """As a manager lists it; each has two CPUs more than the one before."""
        cpus = 2 * (1 + self.nodes.index(name))
        return {"ID": f"id of {name}", "Description": {"Hostname": name, "Resources": {"NanoCPUs": cpus * 10**9, "MemoryBytes": 2**33}}}

    def shown(self, *, with_snapshot: bool) -> dict[str, Any]:
        """As the list has it. Its status is of the last snapshot, which may be five minutes old: always up here."""
        return {
            "Id": self.id,
            "Name": self.name,
            "Type": self.type,
            "ContainerEngine": "docker",
            "URL": self.url,
            "PublicURL": self.public_url,
            "GroupId": self.group,
            "TagIds": self.tags,
            "Status": 1,
            "EdgeCheckinInterval": self.check_in,
            "Snapshots": [{"DockerSnapshotRaw": "x" * 100_000}] if with_snapshot else [],
        }


@dataclass
class User:
    id: int = 1
    name: str = "admin"
    role: int = ADMINISTRATOR


@dataclass
class State:
    """`controls` are by their ids; `asked` are the requests: method, target and headers with names in lower case.

    `odd`: answers of another version or program, by path.
    """

    environments: dict[int, Environment] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    teams: dict[int, str] = field(default_factory=dict)
    groups: dict[int, tuple[str, list[int]]] = field(default_factory=lambda: {1: ("Unassigned", [])})
    tags: dict[int, str] = field(default_factory=dict)
    controls: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    odd: dict[str, Any] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, socket: Path = Path("/nowhere"), **more: Any) -> Environment:
        number = len(self.environments) + 1
        self.environments[number] = Environment(number, name, socket, **more)
        return self.environments[number]

    def new_control(self, resource: str, kind: int, user: User) -> dict[str, Any]:
        """What is created is private to whoever created it, whatever its labels say."""
        with self.guard:
            number = len(self.controls) + 1
            self.controls[number] = {
                "Id": number,
                "ResourceId": resource,
                "Type": kind,
                "UserAccesses": [{"UserId": user.id, "AccessLevel": 1}],
                "TeamAccesses": [],
                "Public": False,
            }
            return self.controls[number]

    def control_of(self, resource: str, kind: int) -> dict[str, Any] | None:
        with self.guard:
            return next((item for item in self.controls.values() if (item["ResourceId"], item["Type"]) == (resource, kind)), None)

    def forget(self, resource: str, kind: int) -> None:
        with self.guard:
            number = next((key for key, item in self.controls.items() if (item["ResourceId"], item["Type"]) == (resource, kind)), None)
            if number is not None:
                del self.controls[number]
