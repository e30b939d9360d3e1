"""How a container is, from its Deployment or Job and their pods. Pure.

Why a pod does not run is said in the cluster's words: the scheduler's while it has no node, the kubelet's afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from dtnctl.model.check_runs import CheckRun
from dtnctl.model.resources import ContainerState, Health
from dtnctl.providers.kubernetes.identity import FIELD_MANAGER, NOTHING, STARTED_NOTE, TEMPLATE_NOTE, Json, annotations_of
from dtnctl.providers.kubernetes.pod_template import CONTAINER

ENDED = ("Succeeded", "Failed")
KILLED, TIMED_OUT = 137, 124
EVICTED = "Evicted"  # a pod's own reason: its kubelet ended it for want of memory or disk
BY_POLICY = "PodFailurePolicy"  # a Job's: its one rule is that of disruptions
BEFORE = "its pod was made of what was applied before, and the cluster has not replaced it"
GOING_SECONDS = 30.0  # that a pod may take to end beyond its grace period: the kubelet's own work
STOPPED_SECONDS = 1  # of activity: the deadline of a Job that dtnctl stops
Readiness = Literal["", "starting", "healthy", "unhealthy"]


@dataclass(frozen=True, slots=True)
class Condition:
    """The state of a container and what led to it; fields as those of ContainerSeen."""

    state: ContainerState
    health: Readiness = ""
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    started_at: str = ""
    finished_at: str = ""
    restart_count: int = 0
    image_id: str = ""
    checks: tuple[CheckRun, ...] = ()
    disrupted: bool = False


def newest(pods: Iterable[Json]) -> Json | None:
    """Of several pods of one object the youngest: the others go."""
    return max(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]), default=None)


def service_condition(raw: Json, pod: Json | None, health: Health | None, events: Iterable[Json], now: datetime | None) -> Condition:
    """That of a Deployment. One of no replicas is stopped, whoever said so: a pod that it still has ends, and none follows."""
    if (raw.get("spec") or NOTHING).get("replicas") == 0:
        ran = pod is not None or STARTED_NOTE in annotations_of(raw)
        return Condition("exited" if ran else "created", started_at=raw["metadata"]["creationTimestamp"] if ran else "")
    applied = _applied(raw)
    if pod is None:
        words = _trouble_of(raw) or ("" if _is_recent(applied, 0.0, now) else "no pod was created yet")
        return Condition("restarting", started_at=applied or _creation(raw), error=words)
    grace = (pod.get("spec") or NOTHING).get("terminationGracePeriodSeconds") or 0
    if _is_of_earlier_spec(raw, pod) and not _is_recent(applied, grace, now):
        return Condition("restarting", started_at=_creation(raw), error=_trouble_of(raw) or BEFORE)
    return pod_condition(pod, health, events, now)


def _is_of_earlier_spec(raw: Json, pod: Json) -> bool:
    template: Json = raw["spec"].get("template") or NOTHING
    return annotations_of(pod).get(TEMPLATE_NOTE) != annotations_of(template).get(TEMPLATE_NOTE)


def _applied(raw: Json) -> str:
    """When dtnctl last changed the object; empty where that is not known."""
    ours = (item for item in raw["metadata"].get("managedFields") or () if item.get("manager") == FIELD_MANAGER)
    return max((str(item.get("time") or "") for item in ours), default="")


def _is_recent(applied: str, grace: float, now: datetime | None) -> bool:
    """Whether that is so new that the end of the pod before, and the creation of the next one, may still be awaited."""
    began = _time(applied)
    return now is not None and began is not None and now - began < timedelta(seconds=grace + GOING_SECONDS)


def job_condition(raw: Json, pod: Json | None, events: Iterable[Json]) -> Condition:
    """That of a Job, whose own verdict counts where its pod is gone."""
    finished = next((item for item in _conditions(raw) if item["type"] in ("Complete", "Failed") and item["status"] == "True"), None)
    if pod is not None:
        found = pod_condition(pod, None, events, None)
        if found.state == "exited":
            return replace(found, disrupted=bool(_disruption(pod)) or pod["status"].get("reason") == EVICTED)
        if finished is None:
            return found
    if finished is None and raw["metadata"].get("deletionTimestamp"):
        return Condition("exited", "", KILLED, "its Job was deleted", started_at=_creation(raw))
    if finished is None:
        return Condition("restarting", started_at=_creation(raw), error=_trouble_of(raw) or "no pod was created yet")
    code, error = _verdict(raw, finished)
    disrupted = finished.get("reason") == BY_POLICY
    return Condition("exited", "", code, error, disrupted=disrupted, started_at=_creation(raw), finished_at=finished["lastTransitionTime"])


def _verdict(raw: Json, finished: Json) -> tuple[int, str]:
    """Exit code and words by the Job's own end. One that was stopped by us has a deadline that is over at once."""
    if finished["type"] == "Complete":
        return 0, ""
    is_late = finished.get("reason") == "DeadlineExceeded" and raw["spec"].get("activeDeadlineSeconds") != STOPPED_SECONDS
    return TIMED_OUT if is_late else KILLED, f"{finished.get('reason', '')}: {finished.get('message', '')}"


def lost_condition(secret: Json) -> Condition:
    """That of a Job that is not there: it was never made, or somebody took it away although its finalizer holds it."""
    started = annotations_of(secret).get(STARTED_NOTE)
    return Condition("exited", "", KILLED, "its Job was removed", started_at=started) if started else Condition("created")


def pod_condition(pod: Json, health: Health | None, events: Iterable[Json], now: datetime | None) -> Condition:
    """That of a pod's container."""
    status = _status(pod)
    state: Json = status.get("state") or NOTHING
    last: Json = (status.get("lastState") or NOTHING).get("terminated") or NOTHING
    phase = (pod.get("status") or NOTHING).get("phase", "Pending")
    count, image = int(status.get("restartCount") or 0), str(status.get("imageID") or "")
    if (running := state.get("running")) is not None:
        verdict, output = _health(pod, running, health, events, now)
        checks = (CheckRun(1, output),) if output else ()
        return Condition("running", verdict, started_at=running.get("startedAt") or "", restart_count=count, image_id=image, checks=checks)
    is_over = phase in ENDED or (pod.get("spec") or NOTHING).get("restartPolicy") == "Never"
    ended: Json = state.get("terminated") or (last if is_over else NOTHING)
    if ended and is_over:
        end = _end(ended)
        return replace(end, error=end.error or _pod_words(pod), image_id=image, restart_count=count)
    if phase in ENDED:  # evicted, or its node is lost: the container itself says nothing
        return Condition("exited", "", KILLED, _pod_words(pod), started_at=_creation(pod), finished_at=_creation(pod))
    last = ended or last
    code = int(last.get("exitCode") or 0)
    return Condition("restarting", "", code, why_not(pod, events), started_at=_creation(pod), restart_count=count, image_id=image)


def _end(ended: Json) -> Condition:
    reason = str(ended.get("reason") or "")
    said = str(ended.get("message") or ("" if reason in ("Completed", "Error") else reason))
    began, finished = str(ended.get("startedAt") or ""), str(ended.get("finishedAt") or "")
    return Condition("exited", "", int(ended.get("exitCode") or 0), said, reason == "OOMKilled", began, finished)


def _status(pod: Json) -> Json:
    statuses = (pod.get("status") or NOTHING).get("containerStatuses") or ()
    return next((item for item in statuses if item["name"] == CONTAINER), NOTHING)


# --- health -------------------------------------------------------------------------------------------------


def _health(pod: Json, running: Json, health: Health | None, events: Iterable[Json], now: datetime | None) -> tuple[Readiness, str]:
    """Readiness as the verdict that Docker would give, and what the last check wrote where it fails.

    A pod that is not ready is unhealthy once its start period and its tries are over.
    """
    if health is None:
        return "", ""
    if _status(pod).get("ready"):
        return "healthy", ""
    words = next(_messages(events, ("Unhealthy",)), "")
    began = _time(running.get("startedAt") or "")
    patience = timedelta(seconds=health.start_period + (health.retries or 3) * ((health.interval or 30) + (health.timeout or 30)))
    is_over = began is not None and now is not None and now - began > patience
    return ("unhealthy" if is_over else "starting"), words


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


# --- why it does not run ------------------------------------------------------------------------------------


def why_not(pod: Json, events: Iterable[Json]) -> str:
    """What keeps a pod from running, in the cluster's own words; empty if nothing is said."""
    unscheduled = (f"{item.get('reason')}: {item.get('message')}" for item in _conditions(pod) if _blocks(item))
    words = tuple(word for word in WORDS if word not in REFUSALS or sandbox(pod) != "True")
    return next(unscheduled, "") or _waiting(pod) or next(_messages(events, words), "") or _pod_words(pod)


NO_SANDBOX = "FailedCreatePodSandBox"  # a CNI plugin refuses a network, and the kubelet tries again for ever
REFUSALS = (NO_SANDBOX, "FailedMount", "FailedAttachVolume")  # of networks and volumes: over once the pod is ready to start containers
WORDS = ("FailedScheduling", *REFUSALS, "Failed", "BackOff", "UnexpectedAdmissionError")
SAYS_NOTHING = ("ContainerCreating", "PodInitializing")


def _blocks(condition: Json) -> bool:
    return bool(condition["type"] == "PodScheduled" and condition["status"] == "False" and condition.get("message"))


def sandbox(pod: Json) -> str:
    """Whether it has its volumes and networks: True, False, or Unknown where the cluster does not report it."""
    return next((str(item["status"]) for item in _conditions(pod) if item["type"] == "PodReadyToStartContainers"), "Unknown")


def _waiting(pod: Json) -> str:
    waiting = (_status(pod).get("state") or NOTHING).get("waiting") or NOTHING
    reason = waiting.get("reason") or ""
    return f"{reason}: {waiting.get('message') or ''}".rstrip(": ") if reason and reason not in SAYS_NOTHING else ""


def _pod_words(pod: Json) -> str:
    """What is said of the whole pod: that it was evicted, preempted, or deleted from its node."""
    said: Json = pod.get("status") or NOTHING
    said = said if said.get("reason") else _disruption(pod)
    return ": ".join(text for text in (said.get("reason"), said.get("message")) if text)


def _disruption(pod: Json) -> Json:
    """What the cluster says that ended, or ends, the pod for reasons of its own; nothing where nothing did."""
    disrupted = (item for item in _conditions(pod) if item["type"] == "DisruptionTarget" and item["status"] == "True")
    return next(disrupted, NOTHING)


def _messages(events: Iterable[Json], reasons: tuple[str, ...]) -> Iterator[str]:
    """What events of these reasons say, the newest first."""
    fitting = [item for item in events if item.get("reason") in reasons]
    yield from (f"{item['reason']}: {item.get('message') or ''}" for item in sorted(fitting, key=when, reverse=True))


def when(event: Json) -> str:
    """When it happened last, as a text that sorts."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")


def _trouble_of(raw: Json) -> str:
    """What a controller says of its object: a quota, a missing right."""
    bad = [item for item in _conditions(raw) if item["type"] == "ReplicaFailure" and item["status"] == "True"]
    return f"{bad[0].get('reason')}: {bad[0].get('message')}" if bad else ""


def _conditions(raw: Json) -> Iterable[Json]:
    status: Mapping[str, Iterable[Json]] = raw.get("status") or NOTHING
    return status.get("conditions") or ()


def _creation(raw: Json) -> str:
    return str(raw["metadata"].get("creationTimestamp") or "")
