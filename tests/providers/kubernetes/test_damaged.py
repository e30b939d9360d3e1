"""Objects of dtnctl that somebody changed by hand, on a real API server: each is named, and all others are seen and changed as ever."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dtnctl.errors import EngineError
from dtnctl.model.actions import CreateNetwork
from dtnctl.model.ledger import RECORDS, Attempt, encode_attempt, record_path
from dtnctl.model.resources import Attachment, NetworkSpec, Subnet, Wanted, ledger_name, transfer_name
from dtnctl.providers.base import FileEntry
from dtnctl.providers.kubernetes.cluster import found
from dtnctl.providers.kubernetes.engine import KubernetesEngine
from dtnctl.providers.kubernetes.inventory import drop_from_inventory, inventory, list_in_inventory
from tests.providers.backends import ENDPOINT, SESSION, SITE, labels_of
from tests.providers.kubernetes.conftest import Namespace
from tests.providers.kubernetes.contract import ALL, OBJECT, SPEC, by_others, create
from tests.providers.kubernetes.test_contract_transfers import JOB, hold

NETWORK = NetworkSpec("macvlan", subnets=(Subnet("10.77.0.0/24", "10.77.0.1"),), mode="bridge", parent="eth0.7")


def change(namespace: Namespace, kind: str, name: str, patch: dict[str, Any], group: str = "api/v1") -> None:
    path = f"/{group}/namespaces/{namespace.name}/{kind}/{name}"
    namespace.api.call("PATCH", path, patch, "application/merge-patch+json")


@pytest.mark.parametrize("held", ["canary", "[]", '{"spec": {}}', '{"spec": {"template": {"spec": {"containers": []}}}}'])
def test_a_secret_that_holds_no_job_is_one_transfers_fault(namespace: Namespace, engine: KubernetesEngine, held: str) -> None:
    container = hold(engine)
    create(engine)
    name = f"{JOB}.{ENDPOINT}"
    change(namespace, "secrets", name, {"data": {"job.json": base64.b64encode(held.encode()).decode()}})
    seen = engine.observe(ALL)
    assert [item.name for item in seen.containers] == [SESSION]
    assert [item.name for item in seen.foreign] == [JOB], "its name is not free"
    (sentence,) = seen.damaged
    assert sentence.startswith(f"Secret {name} was changed by somebody and cannot be read")
    with pytest.raises(EngineError, match="does not hold its Job any more"):
        engine.inspect(container)


def test_a_deployment_without_a_container_is_one_services_fault(namespace: Namespace, engine: KubernetesEngine) -> None:
    create(engine)
    other = transfer_name(SITE, "other", 1, 1)
    engine.create_container(other, SPEC, labels_of(other, kind="transfer"))
    by_others(namespace, {"spec": {"template": {"spec": {"containers": []}}}})
    seen = engine.observe(ALL)
    assert ([item.name for item in seen.containers], [item.name for item in seen.foreign]) == ([other], [SESSION])
    assert seen.damaged[0].startswith(f"Deployment {OBJECT} was changed")


@pytest.mark.parametrize(
    "note", ["{", "[]", '{"health": {"interval": 1}}', '{"health": {"test": 7}}', '{"attachments": [1]}', '{"devices": [{"host": []}]}']
)
def test_a_note_in_a_service_that_is_not_ours_says_nothing(namespace: Namespace, engine: KubernetesEngine, note: str) -> None:
    create(engine)
    before = engine.inspect(SESSION).spec
    by_others(namespace, {"spec": {"template": {"metadata": {"annotations": {"dtnctl/noted": note, "dtnctl.secrets": note}}}}})
    assert engine.inspect(SESSION).spec == before
    assert engine.observe(ALL).damaged == ()


@pytest.mark.parametrize("subnet", ["canary", "10.77.0.1/24", 7])
def test_a_network_with_a_broken_note_is_read_without_it(namespace: Namespace, engine: KubernetesEngine, subnet: object) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    create(engine)
    note = f'{{"internal": false, "ipv6": false, "default_route": null, "pf": "", "subnets": [["{subnet}", ""]]}}'
    patch = {"metadata": {"annotations": {"dtnctl/network": note}}}
    change(namespace, "network-attachment-definitions", f"net1.{ENDPOINT}", patch, "apis/k8s.cni.cncf.io/v1")
    seen = engine.observe(ALL)
    assert [(item.name, item.spec.driver, item.spec.subnets) for item in seen.networks] == [("net1", "macvlan", ())]
    assert [item.name for item in seen.containers] == [SESSION]


def test_records_one_of_which_is_unknown_are_a_trouble_and_not_a_failure(namespace: Namespace, engine: KubernetesEngine) -> None:
    name, path = ledger_name(SITE), record_path("run", 1, 1)
    holder = engine.store.claim(name, labels_of(name, kind="ledger"), folder="/var/lib/dtnctl/contract")
    engine.store.write(holder, (FileEntry(path, encode_attempt(Attempt("run", 1, 1, "c", claimed_at="now"))),))
    (file,) = namespace.api.call("GET", f"/api/v1/namespaces/{namespace.name}/configmaps?labelSelector=dtnctl.holds")["items"]
    change(namespace, "configmaps", file["metadata"]["name"], {"metadata": {"annotations": {"dtnctl/path": None}}})
    seen = engine.observe(Wanted(ledger=True))
    assert "has lost its annotation dtnctl/path" in seen.ledger.trouble
    with pytest.raises(EngineError, match="is not known"):
        engine.store.read(name, RECORDS)


def test_pod_of_others_with_a_strange_annotation_is_seen_without_addresses(namespace: Namespace, engine: KubernetesEngine) -> None:
    ports = [{"containerPort": 80, "hostPort": 18090}]
    notes = {"k8s.v1.cni.cncf.io/network-status": '[{"name": "a", "ips": 7}]', "k8s.v1.cni.cncf.io/networks": '[{"name": "a", "ips": "x"}]'}
    pod = {
        "metadata": {"name": "odd", "labels": {"app": "odd"}, "annotations": notes},
        "spec": {"nodeName": namespace.node, "containers": [{"name": "a", "image": "b", "ports": ports}]},
    }
    namespace.api.call("POST", f"/api/v1/namespaces/{namespace.name}/pods", {"apiVersion": "v1", "kind": "Pod", **pod})
    assert [(item.host_ports, item.addresses) for item in engine.observe(ALL).foreign] == [(((18090, "tcp"),), (Attachment("a"),))]
    namespace.api.call("DELETE", f"/api/v1/namespaces/{namespace.name}/pods/odd")


def test_steps_side_by_side_lose_nothing_of_the_inventory(namespace: Namespace, engine: KubernetesEngine) -> None:
    cluster = engine._cluster
    names = [f"n{number}" for number in range(40)]

    def listed() -> dict[str, str]:
        live = found(cluster, cluster.paths.of("configmaps", inventory(cluster.view, namespace.name)["metadata"]["name"]))
        return {} if live is None else live["data"]

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: list_in_inventory(cluster, "Deployment", name), names))
        assert sorted(listed().values()) == sorted(names)
        list(pool.map(lambda name: drop_from_inventory(cluster, "Deployment", name), names))
    assert listed() == {}
