"""A node of a cluster in an endpoint's file: what is accepted, and that everything else is refused with what to write."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dtnctl.model.kubernetes_addresses import KubernetesAddress
from dtnctl.model.secret_fields import Secret
from dtnctl.model.site import Endpoint

NODE = {"node": "dtn-3", "namespace": "dtn", "context": "prod"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (NODE, "kubernetes://prod/dtn/dtn-3"),
        ({**NODE, "kubeconfig": "secrets/prod.yaml"}, "kubernetes://prod/dtn/dtn-3"),
        ({**NODE, "kubeconfig": {"secret": "env:KUBE"}}, "kubernetes://prod/dtn/dtn-3"),
        ({"node": "a.b", "namespace": "dtn", "kubeconfig": "in-cluster"}, "kubernetes://in-cluster/dtn/a.b"),
    ],
)
def test_an_endpoint_may_be_a_node_and_its_address_shows_no_secret(value: dict[str, Any], text: str) -> None:
    endpoint = Endpoint.model_validate({"kubernetes": value, "host": "dtn-3.example.net"})
    assert (str(endpoint.address), endpoint.address.scheme, endpoint.address.host) == (text, "kubernetes", "")
    assert (endpoint.address_field, endpoint.backend().name) == ("kubernetes", "Kubernetes")


IN_PORTAINER = {"node": "n", "namespace": "dtn", "portainer": "portainer+https://h:9443/prod"}
KEY = {"key": {"secret": "env:KEY"}}


def test_a_cluster_may_be_an_environment_of_a_portainer() -> None:
    endpoint = Endpoint.model_validate({"kubernetes": IN_PORTAINER, "portainer": KEY, "host": "h"})
    assert (endpoint.address.text, endpoint.backend().name) == ("kubernetes://h:9443/prod/dtn/n", "Kubernetes")


def test_the_content_of_a_kubeconfig_may_be_a_secret() -> None:
    found = KubernetesAddress.model_validate({**NODE, "kubeconfig": {"secret": "env:KUBE"}})
    assert found.kubeconfig == Secret(secret="env:KUBE")
    assert KubernetesAddress.model_validate(found.model_dump()) == found


def test_resources_are_those_of_the_node_and_none_of_an_engine() -> None:
    node = Endpoint.model_validate({"kubernetes": {**NODE, "resources": {"rdma_cm": "rdma/hca_shared"}}, "host": "h"})
    assert node.resources == {"rdma_cm"}
    claiming = {**NODE, "resources": {"rdma_cm": "rdma/hca"}, "claims": {"ens1f0": {"device_class": "sriov.example.net"}}}
    assert Endpoint.model_validate({"kubernetes": claiming, "host": "h"}).resources == {"rdma_cm", "ens1f0"}
    assert Endpoint.model_validate({"docker": "ssh://h"}).resources == frozenset()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"node": "DTN_3"}, "`DTN_3` is not a node's name; write it as `kubectl get nodes` prints it"),
        ({"node": "a" * 300}, "is not a node's name; write it as `kubectl get nodes` prints it"),
        ({"namespace": "My"}, "`My` is not a namespace's name; write lower-case letters, digits and -, at most 63 characters"),
        ({"resources": {"rdma_cm": "hca"}}, "`hca` is not an extended resource; write it as `kubectl describe node` lists it"),
        (
            {"claims": {"a": {"device_class": "My Class"}}},
            "`My Class` is not a device class; write it as `kubectl get deviceclasses` prints it",
        ),
        (
            {"resources": {"a": "b/c"}, "claims": {"a": {"device_class": "c"}}},
            "`a` is in `resources` and in `claims`; write one of them",
        ),
        ({"context": None}, "`context:` is needed: the current one of a kubeconfig is another one on each machine"),
        ({"kubeconfig": "in-cluster"}, "`kubeconfig: in-cluster` has no contexts: leave out `context`"),
        ({"context": None, "portainer": "tcp://h:1"}, "`portainer:` takes portainer+https://HOST:PORT/ENVIRONMENT, not tcp://"),
        ({"portainer": "portainer+https://h:1/prod"}, "with `portainer:` there is neither `context` nor `kubeconfig`"),
    ],
)
def test_what_is_no_node_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KubernetesAddress.model_validate({**NODE, **change})
    assert [said in error["msg"] for error in caught.value.errors()] == [True]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "write one of docker and kubernetes: where the endpoint's containers run"),
        ({"docker": "ssh://x", "kubernetes": NODE}, "write one of docker and kubernetes: where the endpoint's containers run"),
        ({"kubernetes": NODE}, "`host:` is needed: kubernetes:// does not show where control ports are reached"),
        (
            {"kubernetes": NODE, "host": "x", "agent": "ssh"},
            "`agent: ssh` is reached through the login of `docker: ssh://…`, and the endpoint is kubernetes://; "
            "write the agent's https:// address",
        ),
        (
            {"kubernetes": IN_PORTAINER, "host": "x"},
            "portainer+https:// needs `portainer:` with a `key:`; an access token of Portainer's, by reference",
        ),
        ({"kubernetes": NODE, "host": "x", "portainer": KEY}, "`portainer:` belongs to portainer+https:// only"),
        (
            {"kubernetes": IN_PORTAINER, "host": "x", "portainer": {**KEY, "team": "t"}},
            "`portainer: team:` and `node:` are of Docker environments; who sees what in a cluster is its own rights",
        ),
        ({"kubernetes": NODE, "host": "x", "tls": {"ca": "a", "cert": "b", "key": "c"}}, "`tls:` belongs to tcp:// only"),
    ],
)
def test_an_endpoint_is_an_engine_or_a_node_and_not_half_of_one(value: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Endpoint.model_validate(value)
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {said}"]
