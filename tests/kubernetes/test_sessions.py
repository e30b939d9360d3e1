"""Sessions on a cluster: made, changed, repaired and removed, with a second interface where the cluster has Multus."""

from __future__ import annotations

import json

import pytest
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Pod

from tests.kubernetes.cluster import NETWORK
from tests.kubernetes.scene import NODE, Scene, service

RUN = service("run")


@pytest.fixture
def attached(data: Scene) -> Scene:
    """Sessions are on the data network."""
    data.profile("tiny", data_nets=["data"])
    return data


def test_a_session_runs_and_the_second_plan_is_empty(scene: Scene) -> None:
    scene.session()
    scene.converge()
    assert scene.cluster.sh(RUN, "cat /proc/1/cmdline | tr '\\0' ' '").strip() == "sleep 100000"


def test_a_pod_that_dies_comes_back_without_dtnctl(scene: Scene) -> None:
    scene.session()
    scene.converge()
    before = scene.cluster.pod(RUN)
    assert before.metadata is not None
    scene.cluster.client.delete(Pod, str(before.metadata.name), namespace=scene.cluster.namespace, grace_period=0)
    assert scene.cluster.pod(RUN).metadata != before.metadata
    scene.assert_nothing_to_do()


def test_an_evicted_pod_comes_back_with_the_same_choices(attached: Scene) -> None:
    attached.session()
    attached.converge()
    address = attached.cluster.addresses(RUN)["net1"]
    gone = attached.cluster.name_of_pod(RUN)
    attached.cluster.evict(gone)
    attached.cluster.wait_for(lambda: gone not in {str(pod.metadata and pod.metadata.name) for pod in attached.cluster.pods()})
    assert attached.cluster.addresses(RUN)["net1"] == address
    attached.assert_nothing_to_do()


def test_the_second_interface_is_macvlan_with_the_address_that_dtnctl_chose(attached: Scene) -> None:
    attached.session()
    attached.converge()
    config = json.loads(attached.cluster.get(NETWORK, f"data.{NODE}")["spec"]["config"])
    plugin = config["plugins"][0] if "plugins" in config else config
    assert (plugin["type"], plugin["master"]) == ("macvlan", attached.cluster.given.interface)
    assert attached.cluster.addresses(RUN)["net1"] == "10.20.0.200"
    assert "inet 10.20.0.200/24" in attached.cluster.sh(RUN, "ip -4 addr show net1")


def test_a_changed_field_replaces_the_pod_and_nothing_else(scene: Scene) -> None:
    scene.session()
    scene.session("other")
    scene.converge()
    other = scene.cluster.pod(service("other")).metadata
    scene.session(settings={"env": {"DTN": "1"}})
    scene.converge()
    assert "DTN=1" in scene.cluster.sh(RUN, "tr '\\0' '\\n' </proc/1/environ")
    now = scene.cluster.pod(service("other")).metadata
    assert (now and now.uid) == (other and other.uid)


def test_what_another_person_changed_is_restored_or_its_owner_is_named(scene: Scene) -> None:
    scene.session()
    scene.converge()
    scene.cluster.client.patch(Deployment, RUN, {"spec": {"replicas": 0}}, namespace=scene.cluster.namespace, field_manager="person")
    plan = scene.run("plan", "--detailed-exitcode")
    assert plan.code != 0, plan.out
    applied = scene.apply()
    if applied.code == 0:
        scene.assert_nothing_to_do()
    else:
        assert "person" in applied.out + applied.err


def test_a_pod_that_may_run_on_any_node_is_drift(scene: Scene) -> None:
    scene.session()
    scene.converge()
    anywhere = {"spec": {"template": {"spec": {"affinity": None}}}}
    scene.cluster.client.patch(Deployment, RUN, anywhere, namespace=scene.cluster.namespace, field_manager="person")
    assert "placement any node" in " ".join(scene.run("plan").out.split())
    scene.converge()
    assert scene.cluster.get(Deployment, RUN).spec.template.spec.affinity.nodeAffinity is not None


def test_a_second_pod_is_drift_and_who_asked_for_it_is_named(scene: Scene) -> None:
    scene.session()
    scene.converge()
    client, namespace = scene.cluster.client, scene.cluster.namespace
    client.patch(Deployment, RUN, {"spec": {"replicas": 2, "paused": True}}, namespace=namespace, field_manager="person")
    assert "rollout 2 replicas, paused" in " ".join(scene.run("plan").out.split())
    scene.session(settings={"env": {"DTN": "1"}})
    refused = scene.apply()
    assert refused.code != 0
    assert "person" in refused.out + refused.err
    assert "DTN=1" not in scene.cluster.sh(RUN, "tr '\\0' '\\n' </proc/1/environ")
    client.delete(Deployment, RUN, namespace=namespace)  # who set a field keeps it, also at the value that is declared
    scene.converge()
    assert "DTN=1" in scene.cluster.sh(RUN, "tr '\\0' '\\n' </proc/1/environ")


def test_a_session_follows_its_endpoint_to_another_node(scene: Scene) -> None:
    other = scene.cluster.other_node()
    if other is None:
        pytest.skip("the cluster has no second node that is ready")
    scene.session()
    scene.converge()
    scene.endpoint(node=other)
    (change,) = scene.run("plan", "-o", "json").expect(0).json["changes"]
    assert not change["is_drift"], "its file changed, and nothing in the cluster"
    scene.converge()
    spec = scene.cluster.pod(RUN).spec
    assert spec is not None
    assert spec.nodeName == other


def test_a_stopped_session_keeps_its_object_and_has_no_pod(scene: Scene) -> None:
    scene.session()
    scene.converge()
    scene.session(state="stopped")
    scene.converge()
    assert scene.cluster.get(Deployment, RUN).spec.replicas == 0
    scene.cluster.wait_for(lambda: not scene.cluster.pods())


def test_what_is_no_longer_declared_is_removed_and_what_others_made_stays(attached: Scene) -> None:
    attached.session()
    attached.converge()
    attached.foreign("somebody")
    attached.remove("sessions/run")
    attached.apply("--allow-empty").expect(0)
    assert attached.cluster.names() == {"somebody"}
    attached.without_data_network()
    attached.apply("--allow-empty").expect(0)
    assert attached.cluster.names(NETWORK) == set()


def test_a_pod_that_no_node_takes_is_reported_in_the_words_of_the_scheduler(scene: Scene) -> None:
    scene.profile("tiny", memory="900GiB")
    scene.session()
    applied = scene.apply("--timeout", "20s")
    assert applied.code != 0
    assert "Insufficient memory" in " ".join((applied.out + applied.err).split())


def test_a_pod_that_gets_no_network_is_reported_in_the_words_of_its_plugin(multus: Scene) -> None:
    multus.data_network("absent0")
    multus.profile("tiny", data_nets=["data"])
    multus.session()
    applied = multus.apply("--timeout", "20s")
    assert applied.code != 0
    said = " ".join((applied.out + applied.err).split())
    assert "it does not start: FailedCreatePodSandBox" in said
    assert "absent0" in said


def test_logs_of_a_session_are_those_of_its_pod(scene: Scene) -> None:
    scene.profile("tiny", arguments=["sh", "-c", "echo hello from the pod; sleep 100000"])
    scene.session()
    scene.converge()
    assert "hello from the pod" in scene.run("sessions", "logs", "run").expect(0).out
