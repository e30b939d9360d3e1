"""What an API server fills into the objects that dtnctl applies, as its reference says: the translation must read through it."""

from __future__ import annotations

import copy
from typing import Any

Object = dict[str, Any]


def defaulted(raw: Object) -> Object:
    """The object as a server keeps it."""
    live = copy.deepcopy(raw)
    live["metadata"] |= {"uid": "b7c1", "resourceVersion": "7", "generation": 1, "creationTimestamp": "2026-11-30T00:00:00Z"}
    spec = live["spec"]
    if live["kind"] == "Deployment":
        spec.setdefault("progressDeadlineSeconds", 600)
    if live["kind"] in ("Deployment", "Job"):
        _pod(spec["template"]["spec"])
    return live


def _pod(pod: Object) -> None:
    pod.setdefault("schedulerName", "default-scheduler")
    pod.setdefault("securityContext", {})
    for container in pod["containers"]:
        container.setdefault("imagePullPolicy", "IfNotPresent")
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        container.setdefault("resources", {})
        for port in container.get("ports", ()):
            port.setdefault("protocol", "TCP")
        if "readinessProbe" in container:
            usual = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
            container["readinessProbe"] = usual | container["readinessProbe"]
    for volume in pod.get("volumes", ()):
        if "hostPath" in volume:
            volume["hostPath"].setdefault("type", "")
