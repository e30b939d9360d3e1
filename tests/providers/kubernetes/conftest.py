"""A namespace of its own on a real API server for each test, with what runs pods, and clients of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from dtnctl.model.kubernetes_addresses import KubernetesAddress
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.kubernetes.engine import KubernetesEngine, KubernetesObserver
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.timeouts import Timeouts
from lab.kubernetes import KubernetesApi
from tests.providers.backends import ENDPOINT, SITE
from tests.providers.kubernetes.kubelet import Kubelet, kubelet

SOON = Timeouts(connect=2.0, answer=5.0, read=20.0, write=20.0)
ENVIRONMENT = {"TOKEN": "canary-5f1e9d-kubernetes", "OTHER": "canary-77c0de-kubernetes"}
NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace of a server and a node of its own, its kubelet, and makers of clients for it.

    Host ports are taken by pods of every namespace on a node: tests that shared one would see what others left there.
    """

    api: KubernetesApi
    name: str
    node: str
    kubelet: Kubelet
    engine_of: Callable[..., KubernetesEngine]
    observer: KubernetesObserver


def access(
    api: KubernetesApi,
    namespace: str,
    node: str,
    *,
    repository: str = "",
    endpoint: str = ENDPOINT,
    unlabelled: bool = True,
    resources: Mapping[str, str] = MappingProxyType({}),
    answer: float = SOON.answer,
    **more: Any,
) -> EndpointAccess:
    file = str(api.kubeconfig)
    address = KubernetesAddress(node=node, namespace=namespace, context="lab", kubeconfig=file, resources=dict(resources), **more)
    secrets = SecretSource(environment=ENVIRONMENT, salt="s")
    return EndpointAccess(
        endpoint,
        Endpoint(kubernetes=address, host="192.0.2.3"),
        SITE,
        {},
        Path("/"),
        replace(SOON, answer=answer),
        repository,
        unlabelled,
        secrets,
    )


@pytest.fixture
def namespace(cluster_api: KubernetesApi) -> Iterator[Namespace]:
    number = next(NUMBERS)
    name, node = f"test-{number}", f"worker-{number}"
    for kind, created in (("Namespace", name), ("Node", node)):
        cluster_api.call("POST", f"/api/v1/{kind.lower()}s", {"apiVersion": "v1", "kind": kind, "metadata": {"name": created}})
    opened: list[KubernetesObserver] = []

    def engine_of(**kwargs: Any) -> KubernetesEngine:
        opened.append(made := KubernetesEngine(access(cluster_api, name, node, **kwargs)))
        return made

    with kubelet(cluster_api, name) as running:
        opened.append(observer := KubernetesObserver(access(cluster_api, name, node)))
        yield Namespace(cluster_api, name, node, running, engine_of, observer)
        for client in opened:
            client.close()


@pytest.fixture
def engine(namespace: Namespace) -> KubernetesEngine:
    return namespace.engine_of()
