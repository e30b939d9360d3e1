"""A site with a session and a transfer on two endpoints, applied, and what the doctor says when a test spoils something of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from dtnctl.model.findings import Examination, Finding
from dtnctl.model.resources import ContainerSeen, ContainerSpec, EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.doctor import examine_endpoint
from tests.planning.building import NOW, applied, site
from tests.planning.doctor.hosts import Data, container_net, host, well_tuned

ENDPOINT = """\
docker: unix:///run/{name}.sock
host: {name}.example.net
agent: https://{name}.example.net:5050
agent_token_env: T
interfaces: {{data: ens1f0, virtual: ens1f0, child: ens1f0v0, wan: bond0}}
allow: {{mounts: [/], devices: ['*']}}
"""
FILES = {
    "site": "name: lab\n",
    "endpoints/a": ENDPOINT.format(name="a"),
    "endpoints/b": ENDPOINT.format(name="b"),
    "networks/data": "driver: macvlan\nmtu: 9000\nsubnet: 10.0.0.0/24\n",
    "networks/virtual": "driver: sriov\nmtu: 9000\nsubnet: 10.0.1.0/24\n",
    "networks/child": "driver: macvlan\nmtu: 9000\nsubnet: 10.0.2.0/24\n",
    "networks/wan": "driver: macvlan\nvlan: 222\nsubnet: 10.0.3.0/24\n",
    "profiles/p": """\
volumes: ["/nvme/data:/data", {target: /tmp}]
devices: [rdma_cm]
limits: {memlock: -1, nofile: 131072}
cpu_set: "32-39"
memory_nodes: "1"
memory: 8GiB
data_nets: [data]
""",
    "sessions/s": "endpoints: [a, b]\nimage: dtn:1\nprofile: p\n",
    "transfers/t": "from: a:/data/x\nto: b:/data/x\ntool: gridftp\nparallelism: 4\n",
}
FAULTS = ("error", "warning", "info")


@dataclass
class Scene:
    """Two endpoints, `a` under examination and `b` its peer. Tests change `files`, the hosts' data and the container seen on `a`."""

    files: dict[str, str] = field(default_factory=lambda: dict(FILES))
    a: Data | None = field(default_factory=well_tuned)
    b: Data | None = field(default_factory=well_tuned)
    engine_version: str = "27.3.1"
    spec: dict[str, Any] = field(default_factory=dict)
    container: dict[str, Any] = field(default_factory=dict)
    net: Callable[[Data], None] | None = lambda _data: None
    agent_silence: str = ""

    @property
    def site(self) -> Site:
        return _site(tuple(sorted(self.files.items())))

    def snapshot(self) -> Snapshot:
        seen = _applied(tuple(sorted(self.files.items())))
        return Snapshot({name: self._seen(seen.endpoints[name]) for name in ("a", "b")})

    def _seen(self, seen: EndpointSeen) -> EndpointSeen:
        data = self.a if seen.name == "a" else self.b
        seen = replace(seen, engine_version=self.engine_version)
        if data is None:
            return replace(seen, agent_silence=self.agent_silence)
        if seen.name == "a":
            seen = replace(seen, containers=tuple(self._spoiled(item) for item in seen.containers))
            data["facts"]["containers"] = self._nets(seen)
        return replace(seen, host=host(data))

    def _spoiled(self, item: ContainerSeen) -> ContainerSeen:
        return replace(item, **self.container, spec=replace(item.spec, **self.spec)) if item.kind == "service" else item

    def _nets(self, seen: EndpointSeen) -> list[Data]:
        nets = [container_net(item.id, _address(item)) for item in seen.containers if item.kind == "service"]
        for net in nets:
            if self.net is None:
                return []
            self.net(net)
        return nets

    def examine(self) -> Examination:
        return examine_endpoint(self.site, "a", self.snapshot(), NOW)

    def faults(self) -> list[Finding]:
        """What is wrong on `a`."""
        return [finding for finding in self.examine().findings if finding.severity in FAULTS]


def _address(item: ContainerSeen) -> str:
    return next((own.ipv4 for own in item.addresses if own.network == "data"), "172.17.0.2")


@cache
def _site(files: tuple[tuple[str, str], ...]) -> Site:
    return site("".join(f"# {name}\n{text}" for name, text in files))


@cache
def _applied(files: tuple[tuple[str, str], ...]) -> Snapshot:
    return applied(_site(files)).observe()


def spec_of(scene: Scene) -> ContainerSpec:
    """The service's spec on `a`, as apply made it."""
    return next(item.spec for item in scene.snapshot().endpoints["a"].containers if item.kind == "service")


def lines(findings: list[Finding]) -> list[str]:
    """`severity check subject`, to read in a test."""
    return [" ".join(filter(None, (item.severity, item.check, item.subject))) for item in findings]


def only(scene: Scene, check: str) -> list[Finding]:
    """What one check finds in the scene."""
    return [finding for finding in scene.examine().findings if finding.check == check]
