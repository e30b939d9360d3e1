"""Devices that DRA drivers give out: which templates a service has, and that they go with it. No driver runs: nothing is allocated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.errors import EngineError
from dtnctl.model.actions import CreateNetwork, RemoveContainer, ReplaceContainer
from dtnctl.model.kubernetes_addresses import DeviceClaim
from dtnctl.model.resources import Attachment, Device, NetworkSpec, Subnet
from dtnctl.providers.kubernetes.claiming import keep_claims
from dtnctl.providers.kubernetes.claims import claim_of_network, claims_of, template_name
from dtnctl.providers.kubernetes.engine import KubernetesEngine
from dtnctl.providers.kubernetes.place import DeviceClass, Link, Place
from tests.providers.backends import ENDPOINT, SESSION, labels_of
from tests.providers.kubernetes.conftest import Namespace, access
from tests.providers.kubernetes.contract import ALL, SPEC, create, deployment, running
from tests.providers.kubernetes.small_server import kubeconfig, refused, serving
from tests.providers.kubernetes.test_contract_transfers import MOVER, hold

CM, VERBS = (Device(f"/dev/infiniband/{name}", f"/dev/infiniband/{name}") for name in ("rdma_cm", "uverbs0"))
FUNCTIONS = NetworkSpec("sriov", subnets=(Subnet("10.78.0.0/24"),), default_route=False, pf="eth7")
SELECTED = "device.attributes['sriovnetwork.openshift.io'].pfName == 'eth7'"
CLAIMS = {
    "rdma_cm": DeviceClaim(device_class="rdma.example.net"),
    "eth7": DeviceClaim(device_class="sriovnetwork.openshift.io", selectors=(SELECTED,)),
}
WITH_BOTH = replace(SPEC, devices=(CM,), attachments=(Attachment("bridge"), Attachment("net2", "10.78.0.9")))


@pytest.fixture
def engine(namespace: Namespace) -> KubernetesEngine:
    return namespace.engine_of(claims=CLAIMS)


def templates(namespace: Namespace) -> list[dict[str, Any]]:
    path = f"/apis/resource.k8s.io/v1/namespaces/{namespace.name}/resourceclaimtemplates"
    found: list[dict[str, Any]] = namespace.api.call("GET", path)["items"]
    return found


def requests_of(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {item["metadata"]["name"]: item["spec"]["spec"]["devices"]["requests"][0]["exactly"] for item in items}


def test_a_service_claims_a_function_for_its_network_and_a_device_of_its_class(namespace: Namespace, engine: KubernetesEngine) -> None:
    engine.perform(CreateNetwork("net2", FUNCTIONS, labels_of("net2", kind="network")))
    container = running(engine, WITH_BOTH)
    pod = deployment(namespace)["spec"]["template"]["spec"]
    asked = {claim["name"]: requests_of(templates(namespace))[claim["resourceClaimTemplateName"]] for claim in pod["resourceClaims"]}
    network = claim_of_network("net2")
    assert asked[network]["deviceClassName"] == "sriovnetwork.openshift.io"
    assert asked[network]["selectors"] == [{"cel": {"expression": SELECTED}}]
    assert sorted(item["deviceClassName"] for item in asked.values()) == ["rdma.example.net", "sriovnetwork.openshift.io"]
    assert [item["name"] for item in pod["containers"][0]["resources"]["claims"]] == sorted(asked)
    assert "limits" not in pod["containers"][0]["resources"]
    path = f"/apis/k8s.cni.cncf.io/v1/namespaces/{namespace.name}/network-attachment-definitions"
    (made,) = namespace.api.call("GET", path)["items"]
    assert made["metadata"]["annotations"]["k8s.v1.cni.cncf.io/resourceName"] == f"{network}/device"
    seen = engine.observe(ALL)
    assert (seen.containers[0].spec, seen.networks[0].spec) == (replace(WITH_BOTH, command=(), entrypoint=()), FUNCTIONS)
    engine.perform(RemoveContainer(SESSION, container))
    assert templates(namespace) == []


def test_templates_follow_what_a_service_asks_for(namespace: Namespace, engine: KubernetesEngine) -> None:
    running(engine, replace(SPEC, devices=(CM,)))
    assert len(templates(namespace)) == 1
    engine.perform(ReplaceContainer(SESSION, engine.inspect(SESSION).id, SPEC, labels_of(SESSION, spec="digest-2"), start=False))
    assert "resourceClaims" not in deployment(namespace)["spec"]["template"]["spec"]
    create_again = ReplaceContainer(SESSION, engine.inspect(SESSION).id, replace(SPEC, devices=(CM,)), labels_of(SESSION), start=True)
    engine.perform(create_again)
    assert [item.spec.devices for item in engine.observe(ALL).containers] == [(CM,)]


def test_another_class_is_another_device(namespace: Namespace, engine: KubernetesEngine) -> None:
    create(engine, replace(SPEC, devices=(CM,)))
    other = namespace.engine_of(claims={"rdma_cm": DeviceClaim(device_class="other.example.net")})
    assert [item.spec.devices for item in other.observe(ALL).containers] == [()]
    assert [item.spec.devices for item in engine.observe(ALL).containers] == [(CM,)]


def test_a_network_whose_functions_come_from_something_else_by_now_is_another_network(
    namespace: Namespace, engine: KubernetesEngine
) -> None:
    engine.perform(CreateNetwork("net2", FUNCTIONS, labels_of("net2", kind="network")))
    by_plugin = namespace.engine_of(resources={"eth7": "example.net/eth7_vfs"})
    assert [[item.spec.pf for item in made.observe(ALL).networks] for made in (engine, by_plugin)] == [["eth7"], [""]]


def test_a_transfer_has_templates_of_its_own_and_takes_them_along(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = hold(engine, replace(MOVER, devices=(CM,)))
    assert len(templates(namespace)) == 1
    engine.start(container)
    engine.remove(container, force=True)
    assert templates(namespace) == []


def test_devices_of_one_class_are_one_claim() -> None:
    both = DeviceClass("rdma.example.net")
    place = Place("dtn", "n", "ns", claims={CM.host: both, VERBS.host: both}, links={"net1": Link(pf="eth1")})
    assert len(claims_of(replace(SPEC, devices=(CM, VERBS), attachments=(Attachment("net1"), Attachment("net9"))), place)) == 1


def test_a_cluster_without_such_objects_says_which_one_has_them(namespace: Namespace, tmp_path: Any) -> None:
    template = "/apis/resource.k8s.io/v1/namespaces/x/resourceclaimtemplates"
    name = template_name(SESSION, DeviceClass("rdma.example.net"), Place(ENDPOINT, "n1", "x"))
    with serving({f"{template}/{name}": refused(404, "not found")}) as (_, url):
        given = access(namespace.api, "x", "n1", claims=CLAIMS)
        address = given.endpoint.kubernetes
        assert address is not None
        moved = address.model_copy(update={"kubeconfig": str(kubeconfig(tmp_path, url)), "context": "lab"})
        engine = KubernetesEngine(replace(given, endpoint=given.endpoint.model_copy(update={"kubernetes": moved})))
        with pytest.raises(EngineError, match=r"device classes need Kubernetes 1\.34 or newer"):
            keep_claims(engine._cluster, SESSION, replace(SPEC, devices=(CM,)), labels_of(SESSION))
        engine.close()
