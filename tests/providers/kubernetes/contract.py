"""What all tests of the contract on an API server use: a service, and somebody else who changes it."""

from __future__ import annotations

from typing import Any

from dtnctl.model.actions import CreateContainer, StartContainer
from dtnctl.model.resources import Attachment, ContainerSpec, Wanted
from dtnctl.providers.kubernetes.engine import KubernetesEngine
from tests.providers.backends import ENDPOINT, SESSION, labels_of
from tests.providers.kubernetes.conftest import Namespace
from tests.providers.kubernetes.kubelet import DEPLOYMENTS

SPEC = ContainerSpec(image="tiny:1", restart="always", attachments=(Attachment("bridge"),))
ALL = Wanted()
OBJECT = f"{SESSION}.{ENDPOINT}"


def create(engine: KubernetesEngine, spec: ContainerSpec = SPEC, name: str = SESSION, digest: str = "digest-1") -> str:
    engine.perform(CreateContainer(name, spec, labels_of(name, spec=digest)))
    return engine.inspect(name).id


def running(engine: KubernetesEngine, spec: ContainerSpec = SPEC) -> str:
    container = create(engine, spec)
    engine.perform(StartContainer(SESSION))
    return container


def deployment(namespace: Namespace) -> dict[str, Any]:
    found: dict[str, Any] = namespace.api.call("GET", namespace.kubelet.path(DEPLOYMENTS, OBJECT))
    return found


def by_others(namespace: Namespace, patch: dict[str, Any], manager: str = "kubectl-edit") -> None:
    """Somebody else changes the Deployment, as `kubectl edit` does."""
    path = namespace.kubelet.path(DEPLOYMENTS, f"{OBJECT}?fieldManager={manager}")
    namespace.api.call("PATCH", path, patch, "application/merge-patch+json")
