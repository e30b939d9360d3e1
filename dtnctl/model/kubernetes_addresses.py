"""Where a cluster's node is: which cluster, by which login, in which namespace. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.model.fields import described, shown
from dtnctl.model.secret_fields import Secret
from dtnctl.model.written import Written

KUBERNETES = "kubernetes"  # the scheme of a node's address: no file writes it, and no transport has it
IN_CLUSTER = "in-cluster"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123, in lower case alone
_RESOURCE = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")  # as device plugins name them
LONGEST_NAME = 253


def _check_namespace(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a namespace's name; write lower-case letters, digits and -, at most 63 characters")
    return text


def _check_node(text: str) -> str:
    if len(text) > LONGEST_NAME or not all(map(_LABEL.fullmatch, text.split("."))):
        raise ValueError(f"{shown(text)} is not a node's name; write it as `kubectl get nodes` prints it")
    return text


def _check_resource(text: str) -> str:
    if not _RESOURCE.fullmatch(text):
        raise ValueError(f"{shown(text)} is not an extended resource; write it as `kubectl describe node` lists it: `rdma/hca_shared`")
    return text


def _check_class(text: str) -> str:
    if len(text) > LONGEST_NAME or not all(map(_LABEL.fullmatch, text.split("."))):
        raise ValueError(f"{shown(text)} is not a device class; write it as `kubectl get deviceclasses` prints it")
    return text


def _form(value: Any) -> str:
    return "mapping" if isinstance(value, (Mapping, Secret)) else "text"


Namespace = Annotated[str, AfterValidator(_check_namespace), described("namespace", {"type": "string", "pattern": f"^{_LABEL.pattern}$"})]
NodeName = Annotated[str, AfterValidator(_check_node), described("node's name", {"type": "string", "maxLength": LONGEST_NAME})]
ResourceName = Annotated[
    str, AfterValidator(_check_resource), described("extended resource", {"type": "string", "pattern": f"^{_RESOURCE.pattern}$"})
]
ClassName = Annotated[str, AfterValidator(_check_class), described("device class", {"type": "string", "maxLength": LONGEST_NAME})]
Login: TypeAlias = Annotated[
    Annotated[Secret, Tag("mapping")] | Annotated[Annotated[str, Field(min_length=1)], Tag("text")], Discriminator(_form)
]


class DeviceClaim(Written):
    """One device of a class that a DRA driver of the cluster gives out."""

    device_class: ClassName = Field(description="Name of the DeviceClass, as `kubectl get deviceclasses` prints it.")
    selectors: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), description="Expressions (CEL) that the device must fulfil, as a ResourceClaim has them."
    )


class KubernetesAddress(Written):
    """A node of a cluster. What dtnctl makes is in one namespace, and its pods run on that node alone."""

    node: NodeName = Field(description="The node, as `kubectl get nodes` prints it.")
    namespace: Namespace = Field(description="The namespace of all that dtnctl makes there. It is not created by dtnctl.")
    context: str | None = Field(
        None,
        min_length=1,
        description="Context of the kubeconfig. Missing only with `kubeconfig: in-cluster`, which has none, and with `portainer`.",
    )
    kubeconfig: Login | None = Field(
        None,
        description="File with cluster and login, relative to the repository's root or absolute; `{secret: …}`: its content, by "
        "reference; `in-cluster`: the service account of the pod that dtnctl runs in. Missing: `$KUBECONFIG`, else `~/.kube/config`.",
    )
    portainer: EngineAddress | None = Field(
        None,
        description="In place of context and kubeconfig, the cluster as an environment of a Portainer: "
        "`portainer+https://host:9443/environment`. Its key is in the endpoint's `portainer:`.",
    )
    publish: Literal["host-port", "node-port"] = Field(
        "host-port",
        description="How ports of services become the node's: by the pods themselves (`hostPort`), or by a Service of type NodePort, where "
        "the cluster refuses host ports. Then `ctrl_port_range` and `data_port_range` must be in its range, as a rule 30000-32767.",
    )
    resources: dict[str, ResourceName] = Field(
        default_factory=dict,
        description="Extended resource of the node (of a device plugin) that stands for a profile's device: `rdma_cm: rdma/hca_shared`; "
        "or for the virtual functions of an interface: `ens1f0: example.net/ens1f0_vfs`. A service asks for one of it.",
    )
    claims: dict[str, DeviceClaim] = Field(
        default_factory=dict,
        description="The same by Dynamic Resource Allocation: `ens1f0: {device_class: sriovnetwork.openshift.io}`. "
        "A service claims one device.",
    )

    @property
    def is_in_cluster(self) -> bool:
        return self.kubeconfig == IN_CLUSTER

    @property
    def text(self) -> str:
        """The address as people read it; no secret is in it."""
        where = self.portainer.text.partition("://")[2] if self.portainer is not None else self.context or IN_CLUSTER
        return f"kubernetes://{where}/{self.namespace}/{self.node}"

    @model_validator(mode="after")
    def _one_source_of_each(self) -> KubernetesAddress:
        twice = sorted(self.resources.keys() & self.claims.keys())
        if twice:
            raise ValueError(f"`{twice[0]}` is in `resources` and in `claims`; write one of them")
        return self

    @model_validator(mode="after")
    def _login_is_whole(self) -> KubernetesAddress:
        if self.portainer is not None:
            if self.portainer.environment is None:
                raise ValueError(f"`portainer:` takes portainer+https://HOST:PORT/ENVIRONMENT, not {self.portainer.scheme}://")
            if self.context is not None or self.kubeconfig is not None:
                raise ValueError("with `portainer:` there is neither `context` nor `kubeconfig`: Portainer's key is the login")
            return self
        if self.is_in_cluster and self.context is not None:
            raise ValueError("`kubeconfig: in-cluster` has no contexts: leave out `context`")
        if not self.is_in_cluster and self.context is None:
            raise ValueError("`context:` is needed: the current one of a kubeconfig is another one on each machine")
        return self
