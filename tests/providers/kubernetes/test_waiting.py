"""The wait for a pod's start ends when it has started, and in the cluster's words when it will not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dtnctl.errors import EngineError
from dtnctl.model.kubernetes_addresses import KubernetesAddress
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.kubernetes.engine import KubernetesEngine
from dtnctl.providers.kubernetes.waiting import wait_until_started
from dtnctl.providers.timeouts import Timeouts
from tests.providers.kubernetes.small_server import kubeconfig, serving

NAMESPACE = "/api/v1/namespaces/dtn"
DEPLOYMENT: Mapping[str, Any] = {"metadata": {"name": "d"}, "spec": {"template": {"metadata": {"annotations": {}}}}}
SOON = replace(Timeouts(), answer=0.05)
NO_NETWORK = "FailedCreatePodSandBox: macvlan: Link not found"
NO_FOLDER = "FailedMount: hostPath type check failed: /nvme is not a directory"


def pending(*, attached: bool | None) -> dict[str, Any]:
    """`attached` None: the cluster does not report it."""
    conditions = [] if attached is None else [{"type": "PodReadyToStartContainers", "status": str(attached)}]
    container = {"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}}
    return {
        "metadata": {"name": "d-1", "uid": "u", "annotations": {}},
        "status": {"phase": "Pending", "conditions": conditions, "containerStatuses": [container]},
    }


def running() -> dict[str, Any]:
    container = {"name": "main", "state": {"running": {"startedAt": "2026-11-30T11:00:00Z"}}}
    return {"metadata": {"name": "d-1", "uid": "u", "annotations": {}}, "status": {"phase": "Running", "containerStatuses": [container]}}


def wait(folder: Path, words: str, *pods: dict[str, Any], tries: int = 3) -> None:
    """As the pod is at each look, one after the other; `words` are the event's."""
    reason, _, message = words.partition(": ")
    events = [{"reason": reason, "message": message, "metadata": {}, "count": tries}]
    answers = {f"{NAMESPACE}/pods": [(200, {"items": [pod]}) for pod in pods], f"{NAMESPACE}/events": (200, {"items": events})}
    with serving(answers) as (_, url):
        address = KubernetesAddress(node="n1", namespace="dtn", context="lab", kubeconfig=str(kubeconfig(folder, url)))
        engine = KubernetesEngine(EndpointAccess("dtn1", Endpoint(kubernetes=address, host="192.0.2.3"), "s", {}, Path("/"), SOON))
        try:
            wait_until_started(engine._cluster.connection, engine._cluster.paths, DEPLOYMENT)
        finally:
            engine.close()


@pytest.mark.parametrize("words", [NO_NETWORK, NO_FOLDER])
def test_pod_that_gets_no_network_or_folder_is_given_up_in_the_kubelets_words(tmp_path: Path, words: str) -> None:
    with pytest.raises(EngineError, match=f"it does not start: {words}"):
        wait(tmp_path, words, pending(attached=False))


def test_network_that_was_refused_once_may_come(tmp_path: Path) -> None:
    wait(tmp_path, NO_NETWORK, *[pending(attached=False)] * 4, running(), tries=1)


def test_pod_that_got_its_network_after_a_refusal_is_waited_for(tmp_path: Path) -> None:
    wait(tmp_path, NO_NETWORK, *[pending(attached=True)] * 4, running())


def test_pod_of_a_cluster_that_does_not_report_its_networks_is_waited_for(tmp_path: Path) -> None:
    """Before 1.29. One that had its network at the fourth try, and was pulling its image, was given up for the refusals before."""
    wait(tmp_path, NO_NETWORK, *[pending(attached=None)] * 4, running())
