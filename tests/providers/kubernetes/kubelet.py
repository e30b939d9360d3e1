"""What a cluster's controllers, scheduler and kubelet do, as far as tests of a bare API server need it: pods of Deployments and Jobs.

Nothing runs in these pods. A Deployment's pod is running and ready, a Job's runs until the test ends it. It imitates no defaulting.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from lab import LabError
from lab.kubernetes import KubernetesApi

Object = dict[str, Any]
PODS, DEPLOYMENTS, JOBS = "api/v1/{}/pods", "apis/apps/v1/{}/deployments", "apis/batch/v1/{}/jobs"
LOOK_EVERY_SECONDS = 0.02


class Kubelet:
    """`pending`: scheduler's words for pods that get no node, by the object's name. `unready` names those whose check fails."""

    def __init__(self, api: KubernetesApi, namespace: str) -> None:
        self.api, self._where = api, f"namespaces/{namespace}"
        self.pending: dict[str, str] = {}
        self.unready: set[str] = set()
        self._stopping, self._looking = threading.Event(), threading.Lock()
        self._ended: dict[str, int] = {}

    def path(self, kind: str, name: str = "", below: str = "") -> str:
        return "/" + "/".join(part for part in (kind.format(self._where), name, below) if part)

    def end(self, object_name: str, code: int) -> None:
        """The program of this Job's pod ends."""
        self._ended[object_name] = code

    def live(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_SECONDS):
            with self._looking, contextlib.suppress(LabError):  # an object may go between two looks
                if not self._stopping.is_set():
                    self._look()

    def look(self) -> None:
        """All pods that are to be there are there when this returns."""
        with self._looking:
            self._look()

    def stop(self) -> None:
        """It does nothing any more when this returns."""
        with self._looking:
            self._stopping.set()

    def _look(self) -> None:
        pods: dict[str, Object] = {item["metadata"]["labels"].get("dtnctl.object", ""): item for item in self._list(PODS)}
        wanted = {item["metadata"]["name"]: item for item in self._list(DEPLOYMENTS) if item["spec"].get("replicas")}
        wanted |= {item["metadata"]["name"]: item for item in self._list(JOBS) if not item["metadata"].get("deletionTimestamp")}
        for name, item in wanted.items():
            if name not in pods:
                self._make(name, item)
            elif pods[name]["metadata"]["annotations"] != item["spec"]["template"]["metadata"]["annotations"]:
                self.api.call("DELETE", self.path(PODS, pods[name]["metadata"]["name"]))
            elif name in self._ended:
                self._status(pods[name], _ended(self._ended.pop(name)))
        for name, pod in pods.items():
            if name and name not in wanted:
                self.api.call("DELETE", self.path(PODS, pod["metadata"]["name"]))

    def _list(self, kind: str) -> list[Object]:
        found: list[Object] = self.api.call("GET", self.path(kind))["items"]
        return found

    def _make(self, name: str, owner: Object) -> None:
        template = owner["spec"]["template"]
        node = _node_of(template["spec"])
        spec = {**template["spec"], **({} if name in self.pending else {"nodeName": node})}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{name}-x1", **template["metadata"]}, "spec": spec}
        pod = self.api.call("POST", self.path(PODS), body)
        self._status(pod, _unscheduled(self.pending[name]) if name in self.pending else _running(is_ready=name not in self.unready))

    def _status(self, pod: Object, status: Mapping[str, Any]) -> None:
        path = self.path(PODS, pod["metadata"]["name"], "status")
        self.api.call("PATCH", path, {"status": status}, "application/merge-patch+json")


def _node_of(pod: Object) -> str:
    """The one node that the scheduler may choose."""
    required = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (term,) = required["nodeSelectorTerms"]
    (field,) = term["matchFields"]
    (node,) = field["values"]
    assert (field["key"], field["operator"]) == ("metadata.name", "In"), "the only field that a scheduler knows"
    return str(node)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _running(*, is_ready: bool) -> Object:
    container = {
        "name": "main",
        "ready": is_ready,
        "restartCount": 0,
        "image": "",
        "imageID": "",
        "state": {"running": {"startedAt": _now()}},
    }
    return {
        "phase": "Running",
        "podIP": "10.42.0.7",
        "conditions": [_condition("Ready", is_true=is_ready)],
        "containerStatuses": [container],
    }


def _ended(code: int) -> Object:
    ended = {"exitCode": code, "reason": "Error" if code else "Completed", "startedAt": _now(), "finishedAt": _now()}
    container = {"name": "main", "ready": False, "restartCount": 0, "image": "", "imageID": "", "state": {"terminated": ended}}
    return {"phase": "Failed" if code else "Succeeded", "containerStatuses": [container]}


def _unscheduled(words: str) -> Object:
    return {"phase": "Pending", "conditions": [_condition("PodScheduled", is_true=False) | {"reason": "Unschedulable", "message": words}]}


def _condition(kind: str, *, is_true: bool) -> Object:
    return {"type": kind, "status": "True" if is_true else "False"}


@contextmanager
def kubelet(api: KubernetesApi, namespace: str) -> Iterator[Kubelet]:
    running = Kubelet(api, namespace)
    thread = threading.Thread(target=running.live, name="kubelet", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.stop()
        thread.join()
