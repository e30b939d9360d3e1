"""The wait for a pod's start ends when it has started, and in the cluster's words when it will not."""

from __future__ import annotations

import re
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
NO_SECRET = 'FailedMount: MountVolume.SetUp failed for volume "keys" : secret "keys" not found'
NO_DISK = "FailedAttachVolume: AttachVolume.Attach failed for volume pvc-1"


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


def wait(folder: Path, words: str, *pods: dict[str, Any], tries: int = 3, later: str = "") -> None:
    """As the pod is at each look, one after the other; `words` are the event's, `later` is the reason of one after it."""
    reason, _, message = words.partition(": ")
    events = [{"reason": reason, "message": message, "metadata": {}, "count": tries, "lastTimestamp": "2026-11-30T10:59:00Z"}]
    events += [{"reason": later, "message": "x", "metadata": {}, "lastTimestamp": "2026-11-30T11:00:00Z"}] if later else []
    answers = {f"{NAMESPACE}/pods": [(200, {"items": [pod]}) for pod in pods], f"{NAMESPACE}/events": (200, {"items": events})}
    with serving(answers) as (_, url):
        address = KubernetesAddress(node="n1", namespace="dtn", context="lab", kubeconfig=str(kubeconfig(folder, url)))
        engine = KubernetesEngine(EndpointAccess("dtn1", Endpoint(kubernetes=address, host="192.0.2.3"), "s", {}, Path("/"), SOON))
        try:
            wait_until_started(engine._cluster.connection, engine._cluster.paths, DEPLOYMENT)
        finally:
            engine.close()


@pytest.mark.parametrize("words", [NO_NETWORK, NO_FOLDER, NO_SECRET, NO_DISK])
@pytest.mark.parametrize("attached", [False, None])
def test_pod_that_gets_no_network_or_volume_is_given_up_in_the_kubelets_words(tmp_path: Path, words: str, attached: bool | None) -> None:
    with pytest.raises(EngineError, match=re.escape(f"it does not start: {words}")):
        wait(tmp_path, words, pending(attached=attached))


@pytest.mark.parametrize("words", [NO_NETWORK, NO_SECRET])
def test_what_was_refused_once_may_come(tmp_path: Path, words: str) -> None:
    wait(tmp_path, words, *[pending(attached=False)] * 4, running(), tries=1)


@pytest.mark.parametrize("words", [NO_NETWORK, NO_SECRET])
def test_pod_that_got_what_it_needs_after_refusals_is_waited_for(tmp_path: Path, words: str) -> None:
    wait(tmp_path, words, *[pending(attached=True)] * 4, running())


def test_pod_that_pulls_its_image_is_waited_for_where_the_cluster_does_not_report_its_networks(tmp_path: Path) -> None:
    """One that had its network at the fourth try, and was pulling its image, was given up for the refusals before."""
    wait(tmp_path, NO_NETWORK, *[pending(attached=None)] * 4, running(), later="Pulling")
