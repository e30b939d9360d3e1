"""Interfaces and devices that a pod gets for itself: by CNI plugins that move them, and by claims that a driver has to fulfil."""

from __future__ import annotations

import pytest
from lightkube.resources.core_v1 import Event

from tests.kubernetes.cluster import CLAIM_TEMPLATE
from tests.kubernetes.conftest import CLAIMS
from tests.kubernetes.scene import Scene, service

RUN = service("run")
CLASS = "nothing.example.net"
ADDRESS = "10.20.0.200"


@pytest.fixture
def spare(multus: Scene) -> Scene:
    """Sessions get the spare interface of the node."""
    if not multus.cluster.given.spare_interface:
        pytest.skip("DTN_KUBERNETES_SPARE_INTERFACE names no interface of the node that a pod may have")
    multus.data_network(multus.cluster.given.spare_interface, driver="host-device")
    multus.profile("tiny", data_nets=["data"])
    return multus


def test_a_service_gets_an_interface_itself_and_the_next_one_gets_it_again(spare: Scene) -> None:
    spare.session()
    spare.converge()
    assert spare.cluster.addresses(RUN)["net1"] == ADDRESS
    hardware = spare.cluster.sh(RUN, "cat /sys/class/net/net1/address")
    spare.remove("sessions/run")
    spare.session("next")
    spare.converge("--allow-empty")
    assert spare.cluster.sh(service("next"), "cat /sys/class/net/net1/address") == hardware
    assert spare.cluster.addresses(service("next"))["net1"].startswith("10.20.0.2")


def test_an_evicted_pod_gets_the_interface_again(spare: Scene) -> None:
    spare.session()
    spare.converge()
    gone = spare.cluster.name_of_pod(RUN)
    spare.cluster.evict(gone)
    spare.cluster.wait_for(lambda: gone not in {str(pod.metadata and pod.metadata.name) for pod in spare.cluster.pods()})
    assert spare.cluster.addresses(RUN)["net1"] == ADDRESS
    spare.assert_nothing_to_do()


def test_a_vlan_of_the_interface_is_the_services_own(spare: Scene) -> None:
    spare.data_network(spare.cluster.given.spare_interface, driver="host-device", vlan=310)
    spare.session()
    applied = spare.apply()
    events = spare.cluster.client.list(Event, namespace=spare.cluster.namespace)
    if applied.code and any("failed to create vlan: operation not supported" in str(event.message) for event in events):
        pytest.skip("the kernel of the node makes no VLANs")
    applied.expect(0)
    assert spare.cluster.addresses(RUN)["net1"] == ADDRESS
    assert "310" in spare.cluster.sh(RUN, "cat /proc/net/vlan/config")
    spare.assert_nothing_to_do()


def test_a_claim_that_no_driver_fulfils_is_reported_in_the_words_of_the_scheduler(scene: Scene) -> None:
    if not scene.cluster.serves(CLAIM_TEMPLATE):
        pytest.skip("the cluster has no resource.k8s.io/v1: it is older than 1.34")
    scene.cluster.apply(CLAIMS.read_text())
    scene.on_cluster["claims"] = {"rdma_cm": {"device_class": CLASS}}
    scene.endpoint()
    scene.profile("tiny", devices=["rdma_cm"])
    scene.session()
    applied = scene.apply("--timeout", "20s")
    assert applied.code != 0
    assert f"device class {CLASS} does not exist" in " ".join((applied.out + applied.err).split())
    assert len(scene.cluster.names(CLAIM_TEMPLATE)) == 1
    scene.remove("sessions/run")
    scene.converge("--allow-empty")
    assert scene.cluster.names(CLAIM_TEMPLATE) == set()
