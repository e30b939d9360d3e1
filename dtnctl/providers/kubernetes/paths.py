"""Where objects are on an API server. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

GROUPS = {
    "deployments": "apis/apps/v1",
    "jobs": "apis/batch/v1",
    "leases": "apis/coordination.k8s.io/v1",
    "resourceclaimtemplates": "apis/resource.k8s.io/v1",
    "network-attachment-definitions": "apis/k8s.cni.cncf.io/v1",
}
CORE = "api/v1"


@dataclass(frozen=True, slots=True)
class Paths:
    """Of one namespace; relative, since a server may be behind a prefix."""

    namespace: str

    def of(self, kind: str, name: str = "", below: str = "") -> str:
        """The list of a kind (its plural), an object of it, or what is below that: `log`, `exec`."""
        parts = (GROUPS.get(kind, CORE), "namespaces", self.namespace, kind, quote(name, safe=""), below)
        return "/".join(part for part in parts if part)

    @property
    def deployments(self) -> str:
        return self.of("deployments")

    @property
    def jobs(self) -> str:
        return self.of("jobs")

    @property
    def networks(self) -> str:
        return self.of("network-attachment-definitions")


def node_path(name: str) -> str:
    return f"{CORE}/nodes/{quote(name, safe='')}"


def namespace_path(name: str) -> str:
    return f"{CORE}/namespaces/{quote(name, safe='')}"


ALL_PODS, ALL_SERVICES = f"{CORE}/pods", f"{CORE}/services"
