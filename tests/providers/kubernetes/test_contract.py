"""The contract of a provider on a real API server: what is made, read, started, stopped and removed, and whose it is.

The server has no controllers: `kubelet.py` runs pods. Not of this contract, for a cluster has none of it: renamed containers (retire,
promote, restore), networks that are connected later, limits that change in place, images that are pulled before a start.
Transfers, lease and records are in `test_contract_transfers.py`.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.model.actions import (
    CreateContainer,
    CreateNetwork,
    PullImage,
    RemoveContainer,
    RemoveNetwork,
    ReplaceContainer,
    RetireContainer,
    StartContainer,
    StopContainer,
)
from dtnctl.model.resources import (
    LABEL_REPOSITORY,
    ONE_POD,
    Attachment,
    ContainerSpec,
    Device,
    Health,
    NetworkSpec,
    PortBinding,
    Subnet,
    Wanted,
)
from dtnctl.model.secrets import SecretVariable
from dtnctl.providers.base import ReadOnlyError
from dtnctl.providers.kubernetes.engine import KubernetesEngine
from lab import LabError
from tests.providers.backends import ENDPOINT, SESSION, labels_of
from tests.providers.kubernetes.conftest import ENVIRONMENT, Namespace
from tests.providers.kubernetes.contract import ALL, OBJECT, SPEC, by_others, create, deployment, running
from tests.providers.kubernetes.kubelet import DEPLOYMENTS, PODS

NETWORK = NetworkSpec("macvlan", subnets=(Subnet("10.77.0.0/24", "10.77.0.1"),), mode="bridge", parent="eth0.7")


# --- whose is it --------------------------------------------------------------------------------------------


def test_what_carries_our_labels_and_its_own_name_is_ours(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = create(engine)
    seen = namespace.observer.observe(ALL)
    assert (seen.silence, seen.backend, seen.engine_version, seen.api_version) == ("", "Kubernetes", "1.36.4", "1.36")
    assert [(item.name, item.id, item.state) for item in seen.containers] == [(SESSION, container, "created")]
    assert seen.containers[0].spec == replace(SPEC, command=(), entrypoint=())
    assert seen.containers[0].labels == dict(labels_of(SESSION))
    assert seen.foreign == ()


def test_a_service_of_another_site_is_foreign(namespace: Namespace, engine: KubernetesEngine) -> None:
    create(engine, replace(SPEC, ports=(PortBinding(30000, 22),)))
    labels = {**dict(labels_of(SESSION, site="elsewhere"))}
    by_others(namespace, {"metadata": {"annotations": labels}})
    seen = engine.observe(ALL)
    assert seen.containers == ()
    assert [(item.name, item.host_ports) for item in seen.foreign] == [(SESSION, ((30000, "tcp"),))]
    with pytest.raises(ConflictError, match="not ours"):
        engine.perform(StartContainer(SESSION))


def test_all_that_is_made_carries_the_repositorys_id_and_is_foreign_to_every_other_one(namespace: Namespace) -> None:
    ours = namespace.engine_of(repository="a1b2c3d4e5f6", unlabelled=False)
    create(ours)
    ours.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    seen = ours.observe(ALL)
    assert [item.labels[LABEL_REPOSITORY] for item in seen.containers] == ["a1b2c3d4e5f6"]
    assert [item.labels[LABEL_REPOSITORY] for item in seen.networks] == ["a1b2c3d4e5f6"]
    for other in (namespace.engine_of(repository="ffffffffffff"), namespace.engine_of()):
        strange = other.observe(ALL)
        assert (strange.containers, strange.networks) == ((), ())


def test_two_endpoints_of_one_namespace_have_a_service_of_one_name_each(namespace: Namespace, engine: KubernetesEngine) -> None:
    other = namespace.engine_of(endpoint="dtn2")
    create(engine)
    other.perform(CreateContainer(SESSION, SPEC, tuple((key, value.replace("dtn1/", "dtn2/")) for key, value in labels_of(SESSION))))
    assert engine.inspect(SESSION).id != other.inspect(SESSION).id
    for one in (engine, other):
        seen = one.observe(ALL)
        assert ([item.name for item in seen.containers], seen.foreign) == ([SESSION], ())


def test_a_pod_of_others_shows_only_the_ports_that_it_takes(namespace: Namespace, engine: KubernetesEngine) -> None:
    spec = {"nodeName": namespace.node, "containers": [{"name": "web", "image": "w", "ports": [{"containerPort": 80, "hostPort": 18080}]}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": spec}
    pod = namespace.api.call("POST", namespace.kubelet.path(PODS), body)
    (seen,) = engine.observe(ALL).foreign
    assert (seen.name, seen.id, seen.host_ports) == (f"{namespace.name}/web", pod["metadata"]["uid"], ((18080, "tcp"),))
    namespace.api.call("DELETE", namespace.kubelet.path(PODS, "web"))


def test_a_pod_of_dtnctl_that_is_not_of_this_endpoint_and_namespace_shows_the_ports_that_it_takes(
    namespace: Namespace, engine: KubernetesEngine
) -> None:
    where = f"{namespace.name}-other"
    namespace.api.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": where}})
    spec = {"nodeName": namespace.node, "containers": [{"name": "main", "image": "w", "ports": [{"containerPort": 80, "hostPort": 18081}]}]}
    labels = {"dtnctl.object": OBJECT, "dtnctl.endpoint": ENDPOINT}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": labels}, "spec": spec}
    namespace.api.call("POST", f"/api/v1/namespaces/{where}/pods", body)
    found = [(item.name, item.host_ports) for item in engine.observe(ALL).foreign]
    namespace.api.call("DELETE", f"/api/v1/namespaces/{where}/pods/web")
    assert found == [(f"{where}/web", ((18081, "tcp"),))]


def test_a_service_of_several_pods_is_seen_and_who_made_it_so_is_named(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = running(engine)
    assert engine.inspect(SESSION).spec.rollout == ONE_POD
    by_others(namespace, {"spec": {"replicas": 2, "paused": True}}, manager="kubectl-scale")
    seen = engine.inspect(SESSION)
    assert (seen.state, seen.spec.rollout) == ("running", "2 replicas, paused")
    with pytest.raises(ConflictError, match="kubectl-scale"):
        engine.perform(ReplaceContainer(SESSION, container, SPEC, labels_of(SESSION, spec="digest-1"), start=True))
    by_others(namespace, {"spec": {"replicas": 1, "paused": False}}, manager="kubectl-scale")
    assert engine.inspect(SESSION).spec.rollout == ONE_POD


# --- services -----------------------------------------------------------------------------------------------


def test_creating_twice_is_creating_once(engine: KubernetesEngine) -> None:
    assert create(engine) == create(engine)


def test_creating_over_one_of_another_spec_is_a_conflict(engine: KubernetesEngine) -> None:
    create(engine)
    with pytest.raises(ConflictError, match="taken"):
        create(engine, digest="digest-2")


def test_creating_over_one_that_ran_is_a_conflict(engine: KubernetesEngine) -> None:
    running(engine)
    with pytest.raises(ConflictError, match="taken"):
        create(engine)


def test_starting_twice_is_starting_once(engine: KubernetesEngine) -> None:
    container = running(engine)
    before = engine.inspect(SESSION)
    engine.perform(StartContainer(SESSION))
    engine.start(container)
    assert engine.inspect(SESSION) == before
    assert (before.state, before.addresses) == ("running", (Attachment("bridge", "10.42.0.7"),))


def test_stopping_twice_is_stopping_once_and_it_keeps_its_id(engine: KubernetesEngine) -> None:
    container = running(engine)
    for _ in range(2):
        engine.perform(StopContainer(SESSION, container, 1))
    seen = engine.inspect(container)
    assert (seen.state, seen.id) == ("exited", container)
    engine.perform(StartContainer(SESSION))
    assert engine.inspect(container).state == "running"


def test_another_object_is_neither_stopped_nor_removed(engine: KubernetesEngine) -> None:
    running(engine)
    engine.perform(StopContainer(SESSION, "of another one", 1))
    engine.perform(RemoveContainer(SESSION, "of another one"))
    assert engine.inspect(SESSION).state == "running"


def test_removing_twice_is_removing_once(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = running(engine)
    for _ in range(2):
        engine.perform(RemoveContainer(SESSION, container))
    with pytest.raises(NotFoundError):
        engine.inspect(container)
    assert namespace.api.call("GET", namespace.kubelet.path(PODS))["items"] == []


def test_a_removal_that_is_done_again_waits_for_the_pod(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = running(engine)
    namespace.api.call("DELETE", namespace.kubelet.path(DEPLOYMENTS, OBJECT))
    engine.perform(RemoveContainer(SESSION, container))
    assert namespace.api.call("GET", namespace.kubelet.path(PODS))["items"] == []


def test_the_schedulers_words_say_why_a_pod_waits(namespace: Namespace) -> None:
    engine = namespace.engine_of(answer=1.0)
    namespace.kubelet.pending[OBJECT] = "0/3 nodes are available: 1 Insufficient rdma/hca."
    create(engine)
    with pytest.raises(EngineError, match=r"it does not start: Unschedulable: 0/3 nodes are available: 1 Insufficient rdma/hca\."):
        engine.perform(StartContainer(SESSION))
    seen = engine.observe(ALL).containers[0]
    assert (seen.state, seen.error) == ("restarting", "Unschedulable: 0/3 nodes are available: 1 Insufficient rdma/hca.")


@pytest.mark.parametrize(("is_ready", "verdict"), [(True, "healthy"), (False, "starting")])
def test_readiness_is_the_verdict_of_the_health_check(namespace: Namespace, engine: KubernetesEngine, is_ready: bool, verdict: str) -> None:
    namespace.kubelet.unready = set() if is_ready else {OBJECT}
    running(engine, replace(SPEC, health=Health(("CMD", "true"), 10.0, 5.0, 3, 30.0)))
    assert engine.inspect(SESSION).health == verdict


# --- another manager ----------------------------------------------------------------------------------------


def test_a_change_by_others_is_seen(namespace: Namespace, engine: KubernetesEngine) -> None:
    running(engine)
    by_others(namespace, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 99}}}})
    assert engine.inspect(SESSION).spec.stop_timeout == 99


def test_a_field_that_another_manager_owns_is_not_taken_from_it(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = running(engine)
    by_others(namespace, {"spec": {"replicas": 3}}, manager="autoscaler")
    with pytest.raises(ConflictError, match=r"autoscaler.*spec\.replicas"):
        engine.perform(StopContainer(SESSION, container, 1))
    assert deployment(namespace)["spec"]["replicas"] == 3


def test_what_others_add_stays_theirs(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = running(engine)
    by_others(namespace, {"metadata": {"annotations": {"team": "net"}}})
    engine.perform(StopContainer(SESSION, container, 1))
    found = deployment(namespace)["metadata"]
    assert found["annotations"]["team"] == "net"
    ours = next(item for item in found["managedFields"] if item["manager"] == "dtnctl")
    assert "f:team" not in ours["fieldsV1"]["f:metadata"]["f:annotations"]


# --- secrets ------------------------------------------------------------------------------------------------


def test_values_of_secrets_are_in_a_secret_alone(namespace: Namespace, engine: KubernetesEngine) -> None:
    fingerprint = engine.observe(Wanted(secrets=frozenset({"env:TOKEN"}))).secrets["env:TOKEN"]
    variable = SecretVariable("TOKEN", fingerprint, "env:TOKEN")
    container = create(engine, replace(SPEC, secrets=(variable,)))
    assert engine.inspect(SESSION).spec.secrets == (variable,)
    assert ENVIRONMENT["TOKEN"] not in str(deployment(namespace))
    secrets = f"/api/v1/namespaces/{namespace.name}/secrets"
    (kept,) = namespace.api.call("GET", secrets)["items"]
    assert kept["data"] == {"TOKEN": b64encode(ENVIRONMENT["TOKEN"].encode()).decode()}
    engine.perform(RemoveContainer(SESSION, container))
    assert namespace.api.call("GET", secrets)["items"] == []


def test_an_older_spec_finds_the_values_of_its_secrets_again(engine: KubernetesEngine) -> None:
    fingerprints = engine.observe(Wanted(secrets=frozenset({"env:TOKEN", "env:OTHER"}))).secrets
    first, second = (replace(SPEC, secrets=(SecretVariable("TOKEN", fingerprints[ref], ref),)) for ref in ("env:TOKEN", "env:OTHER"))
    running(engine, first)
    before = engine.inspect(SESSION).spec
    replaced(engine, second)
    assert engine.inspect(SESSION).spec.secrets == second.secrets
    replaced(engine, before)
    assert engine.inspect(SESSION).spec == before
    unknown = replace(before, secrets=(SecretVariable("TOKEN", "k1:" + "0" * 32),))
    with pytest.raises(EngineError, match="are not in the cluster any more"):
        replaced(engine, unknown)
    assert engine.inspect(SESSION).spec == before


# --- replacing ----------------------------------------------------------------------------------------------


def replaced(engine: KubernetesEngine, spec: ContainerSpec, *, start: bool = True) -> None:
    engine.perform(ReplaceContainer(SESSION, engine.inspect(SESSION).id, spec, labels_of(SESSION, spec="digest-2"), start=start))


@pytest.mark.parametrize(("start", "state"), [(True, "running"), (False, "exited")])
def test_another_spec_is_written_to_the_same_object(engine: KubernetesEngine, start: bool, state: str) -> None:
    container = running(engine)
    replaced(engine, replace(SPEC, image="other:2"), start=start)
    seen = engine.inspect(SESSION)
    assert (seen.id, seen.spec.image, seen.state) == (container, "other:2", state)
    with pytest.raises(ConflictError, match="another one than the plan"):
        engine.perform(ReplaceContainer(SESSION, "another", SPEC, labels_of(SESSION), start=start))


def test_a_replaced_service_keeps_the_prefix_of_its_network(namespace: Namespace, engine: KubernetesEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    running(engine)
    replaced(engine, replace(SPEC, attachments=(Attachment("bridge"), Attachment("net1", "10.77.0.9"))))
    assert '"ips":["10.77.0.9/24"]' in deployment(namespace)["spec"]["template"]["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"]


# --- networks -----------------------------------------------------------------------------------------------


def test_a_service_is_attached_with_the_prefix_of_its_network(namespace: Namespace, engine: KubernetesEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    spec = replace(SPEC, network="net1", attachments=(Attachment("bridge"), Attachment("net1", "10.77.0.9")))
    running(engine, spec)
    assert '"ips":["10.77.0.9/24"]' in deployment(namespace)["spec"]["template"]["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"]
    seen = engine.observe(ALL)
    assert (seen.containers[0].spec.attachments, seen.containers[0].spec.network) == (spec.attachments, "net1")
    assert [(item.name, item.spec) for item in seen.networks] == [("net1", NETWORK)]


def test_functions_and_devices_are_resources_of_the_node(namespace: Namespace) -> None:
    engine = namespace.engine_of(resources={"rdma_cm": "rdma/hca", "eth7": "example.net/eth7_vfs"})
    functions = NetworkSpec("sriov", subnets=(Subnet("10.78.0.0/24"),), default_route=False, pf="eth7")
    engine.perform(CreateNetwork("net2", functions, labels_of("net2", kind="network")))
    cm = Device("/dev/infiniband/rdma_cm", "/dev/infiniband/rdma_cm")
    spec = replace(SPEC, devices=(cm,), attachments=(Attachment("bridge"), Attachment("net2", "10.78.0.9")))
    running(engine, spec)
    container = deployment(namespace)["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"example.net/eth7_vfs": "1", "rdma/hca": "1"}
    seen = engine.observe(ALL)
    assert (seen.containers[0].spec, seen.networks[0].spec) == (replace(spec, command=(), entrypoint=()), functions)
    assert engine.inspect(SESSION).spec == seen.containers[0].spec


def test_networks_are_made_and_removed_once(namespace: Namespace, engine: KubernetesEngine) -> None:
    for _ in range(2):
        engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    (made,) = engine.observe(ALL).networks
    with pytest.raises(ConflictError, match="not this one"):
        engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network", spec="other")))
    engine.perform(RemoveNetwork("net1", "of another one"))
    for _ in range(2):
        engine.perform(RemoveNetwork("net1", made.id))
    assert engine.observe(ALL).networks == ()
    maps = namespace.api.call("GET", f"/api/v1/namespaces/{namespace.name}/configmaps")["items"]
    assert maps == [], "the inventory goes with the last object"


def test_a_network_of_others_is_foreign_and_takes_no_interface(namespace: Namespace, engine: KubernetesEngine) -> None:
    config = '{"type": "macvlan", "master": "eth0.7", "ipam": {"type": "host-local", "subnet": "10.9.0.0/24"}}'
    body = {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "theirs"},
        "spec": {"config": config},
    }
    namespace.api.call("POST", f"/apis/k8s.cni.cncf.io/v1/namespaces/{namespace.name}/network-attachment-definitions", body)
    seen = engine.observe(ALL)
    assert [(item.name, item.spec) for item in seen.foreign_networks] == [
        ("theirs", NetworkSpec("macvlan", subnets=(Subnet("10.9.0.0/24"),)))
    ]


# --- what cannot be -----------------------------------------------------------------------------------------


def test_a_client_that_reads_sends_no_write(namespace: Namespace) -> None:
    with pytest.raises(ReadOnlyError):
        namespace.observer._cluster.connection.create("api/v1/namespaces", {})


@pytest.mark.parametrize("action", [PullImage("a:1"), RetireContainer("a", "1")])
def test_what_a_cluster_has_not_is_refused(engine: KubernetesEngine, action: PullImage | RetireContainer) -> None:
    with pytest.raises(EngineError, match="a cluster has no"):
        engine.perform(action)


def test_the_servers_own_words_are_in_a_refusal(namespace: Namespace, engine: KubernetesEngine) -> None:
    with pytest.raises(LabError, match="AlreadyExists"):
        namespace.api.call("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": namespace.node}})
    with pytest.raises(NotFoundError, match=r'deployments\.apps "nothing\.dtn1" not found|there is no container nothing'):
        engine.inspect("nothing")
