"""A site whose endpoint is a node of the cluster, and the dtnctl program: what every scenario plays with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from tests.kubernetes.cluster import CONTEXT, Cluster
from tests.site_folder import SiteFolder

CLONE = Path(__file__).parents[2]
SITE = "kube"
NODE = "node"
APPLY_SECONDS = 180.0
DATA = {"driver": "macvlan", "subnet": "10.20.0.0/24", "addresses": "10.20.0.200-10.20.0.240"}


def service(session: str) -> str:
    """The Deployment of a session's service on the node."""
    return f"{SITE}.{session}.{NODE}"


class Scene(SiteFolder):
    """Write state, run dtnctl, look at the cluster."""

    def __init__(self, cluster: Cluster, kubeconfig: Path, root: Path) -> None:
        super().__init__(root, {**os.environ, "PYTHONPATH": f"{CLONE}:{CLONE / 'agent'}"}, APPLY_SECONDS)
        self.cluster = cluster
        self.kubeconfig = kubeconfig
        self.on_cluster: dict[str, Any] = {}  # more of `kubernetes:` of endpoints
        self.write("site", {"name": SITE})
        self.endpoint()
        self.profile("tiny")

    # --- state ---

    def endpoint(self, name: str = NODE, node: str = "", **more: Any) -> None:
        """A node; the owner allows everything."""
        address = {"kubeconfig": str(self.kubeconfig), "context": CONTEXT, "namespace": self.cluster.namespace, **self.on_cluster}
        allow = {"mounts": [self.cluster.given.folder or "/tmp"], "devices": ["*"], "capabilities": ["*"]}
        value = {"kubernetes": {**address, "node": node or self.cluster.node}, "host": self.cluster.address(node)}
        self.write(f"endpoints/{name}", {**value, "allow": allow, **more})

    def docker_endpoint(self) -> None:
        """The Docker engine that was given, beside the node."""
        given = self.cluster.given
        allow = {"mounts": [self.cluster.given.folder or "/tmp"], "devices": ["*"], "capabilities": ["*"]}
        value = {"docker": given.docker, "host": given.docker_host, "interfaces": {"data": given.docker_interface}, "allow": allow}
        self.write("endpoints/dtn1", value)

    def profile(self, name: str, **fields: Any) -> None:
        plain = {"arguments": ["sleep", "100000"], "tty": False, "stop_timeout": "1s", "memory": "64MiB", "cpus": 0.1}
        self.write(f"profiles/{name}", {**plain, "mgmt_net": "bridge", **fields})

    def session(self, name: str = "run", **fields: Any) -> None:
        """A session on the node with the tiny image."""
        self.write(f"sessions/{name}", {"endpoints": [NODE], "image": "tiny:1", "profile": "tiny", **fields})

    def data_network(self, interface: str = "", **fields: Any) -> None:
        """A macvlan network on the node's interface, or on another one."""
        self.write("networks/data", {**DATA, **fields})
        self.endpoint(interfaces={"data": interface or self.cluster.given.interface})

    def without_data_network(self) -> None:
        """No network is declared, and no session asks for one."""
        self.profile("tiny")
        self.endpoint()
        self.remove("networks/data")

    def foreign(self, name: str) -> None:
        """A Deployment of somebody else, without pods."""
        labels = {"app": name}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "tiny:1"}]}}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
        self.cluster.apply(yaml.safe_dump(deployment))

    def leave(self) -> None:
        """Nothing of the site stays on any of its endpoints but records."""
        for folder in ("sessions", "transfers", "networks", "profiles"):
            for file in (self.root / "state" / folder).glob("*.yaml"):
                file.unlink()
        for file in (self.root / "state" / "endpoints").glob("*.yaml"):
            self.write(f"endpoints/{file.stem}", {**yaml.safe_load(file.read_text()), "interfaces": {}})
        self.apply("--allow-empty").expect(0)
