"""A node of a cluster that is an environment of a Portainer, whose stand-in is in front of a real API server: by the key alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dtnctl.model.actions import RemoveContainer, StartContainer, StopContainer
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.kubernetes_addresses import KubernetesAddress
from dtnctl.model.portainer_fields import Portainer
from dtnctl.model.secret_fields import Secret
from dtnctl.model.site import Endpoint
from dtnctl.providers.kubernetes.engine import KubernetesEngine, KubernetesObserver
from dtnctl.providers.secrets.source import SecretSource
from lab.kubernetes import KubernetesApi
from tests.fakes.portainer import KEY, StandIn
from tests.providers.backends import ENDPOINT, SESSION
from tests.providers.kubernetes.conftest import Namespace, access
from tests.providers.kubernetes.contract import ALL, create
from tests.providers.kubernetes.test_contract_transfers import JOB, hold


@contextmanager
def in_portainer(
    namespace: Namespace, *, environment: str = "prod", base: str = "", key: str = KEY, **cluster: Any
) -> Iterator[tuple[StandIn, KubernetesEngine]]:
    with ExitStack() as stack:
        portainer = stack.enter_context(StandIn(base=base))
        portainer.state.add("docker")
        portainer.state.add("prod", **{"type": 6, "url": "10.0.0.1:9001", "cluster": namespace.api, **cluster})
        given = access(namespace.api, namespace.name, namespace.node)
        where = parse_engine(f"portainer+http://127.0.0.1:{portainer.port}{base}/{environment}")
        address = KubernetesAddress(node=namespace.node, namespace=namespace.name, portainer=where)
        settings = Portainer(key=Secret(secret="env:PORTAINER_KEY"))
        endpoint = Endpoint(kubernetes=address, portainer=settings, host="192.0.2.3")
        secrets = SecretSource(environment={"PORTAINER_KEY": key})
        engine = KubernetesEngine(replace(given, endpoint=endpoint, secrets=secrets))
        yield portainer, engine
        engine.close()


@pytest.mark.parametrize("base", ["", "/tools"])
def test_services_and_transfers_live_as_without_it_and_nothing_but_the_key_is_sent(namespace: Namespace, base: str) -> None:
    with in_portainer(namespace, base=base) as (portainer, engine):
        container = create(engine)
        engine.perform(StartContainer(SESSION))
        transfer = hold(engine)
        engine.start(transfer)
        namespace.kubelet.end(f"{JOB}.{ENDPOINT}", 0)
        assert engine.wait(transfer, 10.0) == 0
        assert engine.observe(ALL).containers == namespace.observer.observe(ALL).containers
        engine.perform(StopContainer(SESSION, container, 1))
        engine.perform(RemoveContainer(SESSION, container))
        engine.remove(transfer)
        assert engine.observe(ALL).containers == ()
        sent = [headers for _, _, headers in portainer.state.asked]
    assert {headers.get("x-api-key") for headers in sent} == {KEY}
    assert not any({"authorization", "cookie"} & headers.keys() for headers in sent)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ("other", "Portainer shows this key no environment other"),
        ("docker", "Portainer's environment docker is no Kubernetes cluster; a Docker engine is `docker:`"),
    ],
)
def test_environment_that_is_no_cluster_is_silence(namespace: Namespace, environment: str, words: str) -> None:
    with in_portainer(namespace, environment=environment) as (_, engine):
        silence = engine.observe(ALL).silence
    assert words in silence
    assert silence.startswith("kubernetes://127.0.0.1:")


def test_key_that_portainer_does_not_know_is_silence_and_not_shown(namespace: Namespace) -> None:
    with in_portainer(namespace, key="ptr_canary-wrong") as (_, engine):
        silence = engine.observe(ALL).silence
    assert silence.endswith("Portainer does not know this API key")
    assert "canary" not in silence


def test_cluster_that_portainer_does_not_reach_is_silence_in_its_own_words(namespace: Namespace, tmp_path: Path) -> None:
    away = KubernetesApi(1, "lab", tmp_path / "none", tmp_path / "none")
    with in_portainer(namespace, cluster=away) as (_, engine):
        assert "Portainer got no answer from the engine of its environment prod" in engine.observe(ALL).silence


def test_tunnel_of_an_edge_agent_is_waited_for(namespace: Namespace) -> None:
    with in_portainer(namespace, type=7, refusals=2) as (portainer, engine):
        assert engine.observe(ALL).silence == ""
        asked = [target for _, target, _ in portainer.state.asked]
    assert asked.count("/api/endpoints/2/kubernetes/version") >= 3


def test_reads_are_reads_there_too(namespace: Namespace) -> None:
    with in_portainer(namespace) as (portainer, engine):
        observer = KubernetesObserver(engine._access)
        assert observer.observe(ALL).silence == ""
        observer.close()
        assert {method for method, _, _ in portainer.state.asked} == {"GET"}
