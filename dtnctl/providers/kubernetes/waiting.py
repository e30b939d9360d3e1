"""Waits for pods: that one runs after a start, that all are gone after a stop. Asked again and again, since a watch may be cut."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dtnctl.errors import EngineError
from dtnctl.providers.kubernetes.identity import LABEL_OBJECT, NOTHING, TEMPLATE_NOTE, Json, annotations_of
from dtnctl.providers.kubernetes.states import GOING_SECONDS, REFUSALS, newest, pod_condition, sandbox, when, why_not

if TYPE_CHECKING:
    from dtnctl.providers.kubernetes.connection import Connection
    from dtnctl.providers.kubernetes.paths import Paths

POLL, LONGEST_POLL = 0.1, 1.0
LATE_ANSWERS = 2  # times the patience for an answer: a pod that waits for the end of another one gets its node and networks within this
HOPELESS = (
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImagePull",
    "ImagePullBackOff",
)
# Once it is late: a kubelet tries these again for ever, and a pod before may have held what the next one needs.
TRIES = 3  # one may fail because a CNI plugin got no answer of a busy API server, or a Secret was made a moment ago
HOPELESS_LATE = ("Unschedulable", *REFUSALS)


def pods_of(connection: Connection, paths: Paths, object_name: str) -> list[Json]:
    return connection.items(paths.of("pods"), labelSelector=f"{LABEL_OBJECT}={object_name}")


def wait_until_started(connection: Connection, paths: Paths, raw: Json) -> None:
    """Return when the container of a Deployment or Job has started, as Docker's start does: of a pod that is made by what is applied now.

    EngineError in the cluster's words if it cannot.
    """
    began, pause, template = time.monotonic(), POLL, annotations_of(raw["spec"]["template"]).get(TEMPLATE_NOTE)
    while True:
        pods = pods_of(connection, paths, raw["metadata"]["name"])
        going = any(annotations_of(item).get(TEMPLATE_NOTE) != template for item in pods)
        pod = newest(item for item in pods if annotations_of(item).get(TEMPLATE_NOTE) == template and not _is_going(item))
        if pod is not None and (_has_restarted(pod) or pod_condition(pod, None, (), None).state in ("running", "exited")):
            return
        waited = time.monotonic() - began
        events = [] if pod is None or why_not(pod, ()) else events_of(connection, paths, pod)
        words = why_not(pod, events) if pod is not None else ""
        is_late = waited > LATE_ANSWERS * connection.timeouts.answer
        may_come = going or (pod is not None and words.startswith(REFUSALS) and _may_succeed(pod, events))
        if (_is_hopeless(pod, words, is_late=is_late) and not may_come) or waited > connection.timeouts.write:
            raise EngineError(f"it does not start: {words or 'no pod was created'}")
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_POLL)


def _is_going(pod: Json) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _is_hopeless(pod: Json | None, words: str, *, is_late: bool) -> bool:
    if words.startswith(HOPELESS):
        return True
    return is_late and (pod is None or words.startswith(HOPELESS_LATE))


def _has_restarted(pod: Json) -> bool:
    """Whether it has run and ended, again and again: that is for whoever waits for its health."""
    statuses = (pod.get("status") or NOTHING).get("containerStatuses") or ()
    return any(item.get("restartCount") for item in statuses)


def _may_succeed(pod: Json, events: list[Json]) -> bool:
    """Whether the networks or volumes that its kubelet was refused may be there since, or come by the next try."""
    refused = [event for event in events if event.get("reason") in REFUSALS]
    if sum(int(event.get("count") or 1) for event in refused) < TRIES:
        return True
    if (known := sandbox(pod)) != "Unknown":
        return known == "True"
    last = max(map(when, refused))
    return any(event.get("reason") not in REFUSALS and when(event) >= last for event in events)  # it pulls its image by now


def events_of(connection: Connection, paths: Paths, pod: Json) -> list[Json]:
    """What is said of a pod; nothing where this login may not read it."""
    try:
        return connection.items(paths.of("events"), fieldSelector=f"involvedObject.uid={pod['metadata']['uid']}")
    except EngineError:
        return []


def wait_until_gone(connection: Connection, paths: Paths, object_name: str, grace: float) -> None:
    """Return when no pod of the object is left: only then are its ports, addresses and functions free. EngineError if one stays."""
    end, pause = time.monotonic() + grace + GOING_SECONDS, POLL
    while pods := pods_of(connection, paths, object_name):
        if time.monotonic() > end:
            raise EngineError(f"the pod {pods[0]['metadata']['name']} is not gone after its deletion; does its node answer?")
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_POLL)
