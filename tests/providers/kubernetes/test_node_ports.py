"""Ports that Services publish, on a real API server: one is there while its pod is meant to run, and what others hold is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dtnctl.errors import ConflictError
from dtnctl.model.actions import RemoveContainer, ReplaceContainer, StartContainer, StopContainer
from dtnctl.model.resources import PortBinding
from dtnctl.providers.kubernetes.engine import KubernetesEngine
from dtnctl.providers.kubernetes.node_ports import LONGEST_NAME, ports_in, ports_text, service_name
from tests.providers.backends import SESSION, labels_of
from tests.providers.kubernetes.conftest import Namespace
from tests.providers.kubernetes.contract import ALL, OBJECT, SPEC, create, deployment, running

PORTS = (PortBinding(30000, 22), PortBinding(30100, 30100, "udp"))
PUBLISHED = replace(SPEC, ports=PORTS)


@pytest.fixture
def engine(namespace: Namespace) -> KubernetesEngine:
    return namespace.engine_of(publish="node-port")


def services(namespace: Namespace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = namespace.api.call("GET", f"/api/v1/namespaces/{namespace.name}/services")["items"]
    return found


def replaced(engine: KubernetesEngine, ports: tuple[PortBinding, ...], *, start: bool = True) -> None:
    spec = replace(SPEC, ports=ports)
    engine.perform(ReplaceContainer(SESSION, engine.inspect(SESSION).id, spec, labels_of(SESSION, spec="digest-2"), start=start))


def test_service_holds_its_ports_while_it_is_meant_to_run(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = create(engine, PUBLISHED)
    assert services(namespace) == []
    assert engine.inspect(SESSION).spec.ports == PORTS
    engine.perform(StartContainer(SESSION))
    (service,) = services(namespace)
    assert (service["spec"]["type"], service["spec"]["externalTrafficPolicy"]) == ("NodePort", "Local")
    assert service["spec"]["selector"] == {"dtnctl.object": OBJECT} == {"dtnctl.object": deployment(namespace)["metadata"]["name"]}
    assert [(port["nodePort"], port["targetPort"], port["protocol"]) for port in service["spec"]["ports"]] == [
        (30000, 22, "TCP"),
        (30100, 30100, "UDP"),
    ]
    assert "hostPort" not in str(deployment(namespace)["spec"])
    assert [item.spec.ports for item in engine.observe(ALL).containers] == [PORTS]
    engine.perform(StopContainer(SESSION, container, 1))
    assert services(namespace) == []
    assert engine.inspect(SESSION).spec.ports == PORTS, "what a stopped service is to publish is no drift"
    engine.perform(StartContainer(SESSION))
    for _ in range(2):
        engine.perform(RemoveContainer(SESSION, container))
    assert services(namespace) == []
    assert namespace.api.call("GET", f"/api/v1/namespaces/{namespace.name}/configmaps")["items"] == []


def test_other_ports_are_published_by_a_replacement_and_none_leaves_none(namespace: Namespace, engine: KubernetesEngine) -> None:
    running(engine, PUBLISHED)
    replaced(engine, (PortBinding(30007, 22),))
    assert [port["nodePort"] for port in services(namespace)[0]["spec"]["ports"]] == [30007]
    replaced(engine, (PortBinding(30007, 22),), start=False)
    assert services(namespace) == []
    replaced(engine, PORTS)
    assert len(services(namespace)) == 1
    replaced(engine, ())
    assert services(namespace) == []


def test_ports_that_other_services_of_the_cluster_hold_are_seen(namespace: Namespace, engine: KubernetesEngine) -> None:
    ports = [{"port": 80, "nodePort": 30555, "targetPort": "http"}]
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "NodePort", "ports": ports}}
    namespace.api.call("POST", f"/api/v1/namespaces/{namespace.name}/services", body)
    running(engine, PUBLISHED)
    found = [(item.name, item.host_ports) for item in engine.observe(ALL).foreign if item.name.startswith(namespace.name)]
    namespace.api.call("DELETE", f"/api/v1/namespaces/{namespace.name}/services/web")
    assert found == [(f"{namespace.name}/web", ((30555, "tcp"),))]


def test_a_service_of_that_name_that_is_not_ours_is_left_alone(namespace: Namespace, engine: KubernetesEngine) -> None:
    create(engine, PUBLISHED)
    name = service_name(OBJECT)
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}
    namespace.api.call("POST", f"/api/v1/namespaces/{namespace.name}/services", body)
    with pytest.raises(ConflictError, match="is not ours; it is left alone"):
        engine.perform(StartContainer(SESSION))
    with pytest.raises(ConflictError, match="is not ours; it is left alone"):
        replaced(engine, (PortBinding(30008, 22),))
    assert (engine.inspect(SESSION).state, engine.inspect(SESSION).spec.ports) == ("created", PORTS), "nothing else was touched"
    engine.perform(RemoveContainer(SESSION, engine.inspect(SESSION).id))
    assert [item["metadata"]["name"] for item in services(namespace)] == [name]


@pytest.mark.parametrize("name", ["a.b", "scinet.web.dtn-3", f"a.{'b' * 61}"])
def test_names_of_services_are_labels(name: str) -> None:
    made = service_name(name)
    assert len(made) <= LONGEST_NAME
    assert made.replace("-", "").isalnum()
    assert made[0].isalpha()
    assert made != service_name(name.replace(".", "-"))


def test_ports_go_through_their_note() -> None:
    assert ports_in(ports_text(PORTS)) == PORTS
    assert ports_in("canary") == ports_in("1:x/tcp") == ports_in("") == ()
