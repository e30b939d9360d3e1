"""A namespace of the run on the cluster that was given, and what other people and programs do there."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from lightkube import ApiError, Client, KubeConfig, codecs
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.authentication_v1 import TokenRequestSpec
from lightkube.models.core_v1 import Pod as PodModel
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.models.rbac_v1 import RoleRef, Subject
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import ConfigMap, Namespace, Node, Pod, PodEviction
from lightkube.resources.core_v1 import ServiceAccountToken as TokenRequest
from lightkube.resources.rbac_authorization_v1 import ClusterRole, ClusterRoleBinding

from tests.kubernetes.given import Given
from tests.kubernetes.relay import ApiRelay

CONTEXT = "given"
LABEL = "dtnctl-tests"
POD_SECURITY = "pod-security.kubernetes.io/enforce"
NETWORK = create_namespaced_resource("k8s.cni.cncf.io", "v1", "NetworkAttachmentDefinition", "network-attachment-definitions")
CLAIM_TEMPLATE = create_namespaced_resource("resource.k8s.io", "v1", "ResourceClaimTemplate", "resourceclaimtemplates")
STATUS = "k8s.v1.cni.cncf.io/network-status"
ENDS_SECONDS = 120.0
Value = TypeVar("Value")


class Cluster:
    """One namespace, one node."""

    def __init__(self, given: Given, namespace: str, client: Client) -> None:
        self.given = given
        self.namespace = namespace
        self.client = client
        self.node = given.node or self._ready_node()

    def _ready_node(self) -> str:
        ready = [name for name in self.nodes() if self.is_ready(name)]
        assert ready, "no node of the cluster is ready"
        return ready[0]

    # --- the cluster ---

    def nodes(self) -> list[str]:
        return sorted(_name(node) for node in self.client.list(Node))

    def is_ready(self, node: str = "") -> bool:
        """What the cluster thinks of the node."""
        status = self.client.get(Node, node or self.node).status
        conditions = status.conditions if status is not None else None
        return any(condition.type == "Ready" and condition.status == "True" for condition in conditions or ())

    def address(self, node: str = "") -> str:
        """Where other hosts reach the node."""
        if self.given.host and node in ("", self.node):
            return self.given.host
        status = self.client.get(Node, node or self.node).status
        assert status is not None
        return next(item.address for item in status.addresses or () if item.type == "InternalIP")

    def serves(self, kind: Any) -> bool:
        """Whether the cluster has this kind of objects."""
        try:
            list(self.client.list(kind, namespace=self.namespace))
        except ApiError as error:
            if error.status.code == 404:
                return False
            raise
        return True

    def other_node(self) -> str | None:
        """Another node that is ready, if there is one."""
        return next((name for name in self.nodes() if name != self.node and self.is_ready(name)), None)

    @contextmanager
    def cordoned(self) -> Iterator[None]:
        """The node takes no more pods, as after `kubectl cordon`."""
        self.client.patch(Node, self.node, {"spec": {"unschedulable": True}})
        try:
            yield
        finally:
            self.client.patch(Node, self.node, {"spec": {"unschedulable": None}})

    @contextmanager
    def reads_nodes(self, manifest: Path) -> Iterator[None]:
        """The account of the run has the rights of this ClusterRole, too."""
        name = f"dtnctl-tests-{self.namespace}"
        roles: list[Any] = codecs.load_all_yaml(manifest.read_text())
        account = Subject(kind="ServiceAccount", name="dtnctl", namespace=self.namespace)
        meta = ObjectMeta(name=name)
        self.client.create(ClusterRole(metadata=meta, rules=roles[0].rules))
        bound = RoleRef(apiGroup="rbac.authorization.k8s.io", kind="ClusterRole", name=name)
        self.client.create(ClusterRoleBinding(metadata=meta, roleRef=bound, subjects=[account]))
        try:
            yield
        finally:
            self.client.delete(ClusterRoleBinding, name)
            self.client.delete(ClusterRole, name)

    # --- pods ---

    def pods(self) -> list[PodModel]:
        """Those that are not ending."""
        found = self.client.list(Pod, namespace=self.namespace)
        return [pod for pod in found if pod.metadata is not None and pod.metadata.deletionTimestamp is None]

    def pod(self, deployment: str) -> PodModel:
        """The one pod of a Deployment that runs."""
        return self.wait_for(lambda: next((pod for pod in self.pods() if _is_of(pod, deployment) and _is_running(pod)), None))

    def addresses(self, deployment: str) -> dict[str, str]:
        """IPv4 address by interface, as the meta plugin reports them."""
        metadata = self.pod(deployment).metadata
        assert metadata is not None
        networks = json.loads((metadata.annotations or {})[STATUS])
        return {item["interface"]: item["ips"][0] for item in networks if item.get("ips")}

    def sh(self, deployment: str, script: str) -> str:
        """What a script prints in the pod."""
        ran = self.client.exec(
            _name(self.pod(deployment)), namespace=self.namespace, command=["sh", "-c", script], stdout=True, stderr=True, timeout=60
        )
        assert ran.exit_code == 0, ran
        return str(ran.stdout)

    def job_pod(self) -> str | None:
        """The pod of a Job whose container runs, if there is one."""
        running = (pod for pod in self.pods() if _is_running(pod) and "batch.kubernetes.io/job-name" in _labels(pod))
        return next(map(_name, running), None)

    def evict(self, pod: str) -> None:
        """As a drain does."""
        self.client.create(PodEviction(metadata=ObjectMeta(name=pod, namespace=self.namespace)), pod)

    def name_of_pod(self, deployment: str) -> str:
        return _name(self.pod(deployment))

    # --- objects ---

    def apply(self, manifest: str) -> None:
        """As `kubectl apply` in the namespace of the run, but for what is of the whole cluster."""
        objects: list[Any] = codecs.load_all_yaml(manifest)
        for item in objects:
            if not isinstance(item, ClusterRole):
                self.client.apply(item, field_manager="tests", force=True)

    def names(self, kind: Any = Deployment) -> set[str]:
        return {_name(item) for item in self.client.list(kind, namespace=self.namespace)}

    def get(self, kind: Any, name: str) -> Any:
        return self.client.get(kind, name, namespace=self.namespace)

    @contextmanager
    def relay(self) -> Iterator[ApiRelay]:
        """Between dtnctl and the API server; what is asked of it carries the caller's own token."""
        config = self.client.config
        parts = urlsplit(config.cluster.server)
        trusted = ssl.create_default_context()
        if config.cluster.insecure:
            trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE
        elif config.cluster.certificate_auth:
            trusted.load_verify_locations(cafile=config.abs_file(config.cluster.certificate_auth))
        elif config.cluster.certificate_auth_data:
            trusted.load_verify_locations(cadata=base64.b64decode(config.cluster.certificate_auth_data).decode())
        with ApiRelay(str(parts.hostname), parts.port or 443, trusted) as relay:
            yield relay

    def account(self, role: Path, relay: ApiRelay, folder: Path) -> Path:
        """A kubeconfig of the service account of this manifest, whose calls go through the relay."""
        self.apply(role.read_text())
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": {"server": relay.url}}],
            "users": [{"name": "dtnctl", "user": {"token": self._token("dtnctl")}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": "dtnctl", "namespace": self.namespace}}],
            "current-context": CONTEXT,
        }
        file = folder / "kubeconfig"
        file.write_text(json.dumps(document))
        file.chmod(0o600)
        return file

    def _token(self, account: str) -> str:
        """A token of a service account, for an hour."""
        request = TokenRequest(metadata=ObjectMeta(), spec=TokenRequestSpec(audiences=[], expirationSeconds=3600))
        status = self.client.create(request, account, namespace=self.namespace).status
        assert status is not None
        return str(status.token)

    def wait_for(self, look: Callable[[], Value | None], seconds: float = ENDS_SECONDS) -> Value:
        """What `look` returns once that is true."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            assert time.monotonic() < deadline, f"it did not come: {self.shown()}"
            time.sleep(0.2)
        return found

    def shown(self) -> str:
        """The pods and their states, for a failed test."""
        return ", ".join(f"{_name(pod)}: {pod.status}" for pod in self.pods())


@contextmanager
def namespace(given: Given, name: str) -> Iterator[Cluster]:
    """A namespace that the block alone uses; everything in it is removed afterwards."""
    client = Client(config=KubeConfig.from_file(given.kubeconfig), namespace=name)
    labels = {LABEL: "true", POD_SECURITY: "privileged"}
    client.create(Namespace(metadata=ObjectMeta(name=name, labels=labels)))
    try:
        yield Cluster(given, name, client)
    finally:
        remove(client, name)
        client.close()


def remove(client: Client, name: str) -> None:
    """Delete the namespace and wait until it is gone; finalizers that dtnctl set on records and Jobs are removed first."""
    kinds: tuple[Any, ...] = (ConfigMap, Job)
    for kind in kinds:
        for held in client.list(kind, namespace=name):
            if held.metadata.finalizers:
                client.patch(kind, _name(held), {"metadata": {"finalizers": None}}, namespace=name)
    client.delete(Namespace, name)
    deadline = time.monotonic() + ENDS_SECONDS
    with suppress(ApiError):  # it is gone
        while client.get(Namespace, name) and time.monotonic() < deadline:
            time.sleep(0.2)


def _name(thing: Any) -> str:
    return str(thing.metadata.name)


def _labels(pod: PodModel) -> dict[str, str]:
    return (pod.metadata.labels or {}) if pod.metadata is not None else {}


def _is_of(pod: PodModel, deployment: str) -> bool:
    return _name(pod).startswith(f"{deployment}-")


def _is_running(pod: PodModel) -> bool:
    return pod.status is not None and pod.status.phase == "Running"
