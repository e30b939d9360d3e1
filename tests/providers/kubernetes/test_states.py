"""How a container is, from the pods of its object: states, verdicts, and why one does not run in the cluster's words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dtnctl.model.check_runs import CheckRun
from dtnctl.model.resources import Health
from dtnctl.providers.kubernetes.states import Condition, job_condition, newest, pod_condition, service_condition, why_not

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
MADE = "2026-11-30T11:00:00Z"
HEALTH = Health(("CMD", "true"), 10.0, 5.0, 3, 30.0)  # unhealthy after 75 s


def pod(
    phase: str = "Running", *, name: str = "a", made: str = MADE, policy: str = "Always", ready: bool = True, **state: Any
) -> dict[str, Any]:
    container = {"name": "main", "ready": ready, "restartCount": 2, "imageID": "sha256:1", "state": state}
    status = {"phase": phase, "containerStatuses": [container]}
    return {"metadata": {"name": name, "uid": name, "creationTimestamp": made}, "spec": {"restartPolicy": policy}, "status": status}


def ended(code: int, reason: str = "Error", **more: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": MADE, "finishedAt": "2026-11-30T11:01:00Z", **more}}


def deployment(replicas: int, **annotations: str) -> dict[str, Any]:
    return {"metadata": {"name": "d", "creationTimestamp": MADE, "annotations": annotations}, "spec": {"replicas": replicas}}


def job(*conditions: dict[str, str], **metadata: str) -> dict[str, Any]:
    return {"metadata": {"name": "j", "creationTimestamp": MADE, **metadata}, "status": {"conditions": list(conditions)}}


def event(reason: str, message: str, when: str = MADE) -> dict[str, Any]:
    return {"metadata": {}, "reason": reason, "message": message, "lastTimestamp": when}


def test_the_youngest_of_several_pods_counts() -> None:
    old, new = pod(name="a"), pod(name="b", made="2026-11-30T11:30:00Z")
    assert newest([new, old]) is new
    assert newest([]) is None


# --- services -----------------------------------------------------------------------------------------------


def test_service_without_a_pod_was_never_started_or_is_stopped_or_waits_for_one() -> None:
    assert service_condition(deployment(0), None, None, (), NOW) == Condition("created")
    stopped = service_condition(deployment(0, **{"dtnctl/started": MADE}), None, None, (), NOW)
    assert stopped == Condition("exited", started_at=MADE)
    waiting = service_condition(deployment(1), None, None, (), NOW)
    assert (waiting.state, waiting.error) == ("restarting", "no pod was created yet")


def test_service_of_no_replicas_is_stopped_also_while_its_pod_ends() -> None:
    running = pod(running={"startedAt": MADE})
    assert service_condition(deployment(1), running, None, (), NOW).state == "running"
    assert service_condition(deployment(0), running, None, (), NOW) == Condition("exited", started_at=MADE)


def test_pod_that_cannot_be_there_yet_is_no_fault() -> None:
    """The run after one that was killed called a service broken whose pod the cluster was about to make."""
    applied = deployment(1)
    for age, error in ((29, ""), (31, "no pod was created yet")):
        last = (NOW - timedelta(seconds=age)).isoformat()
        applied["metadata"]["managedFields"] = [{"manager": "dtnctl", "time": last}]
        assert service_condition(applied, None, None, (), NOW) == Condition("restarting", started_at=last, error=error)


def test_pod_of_an_earlier_spec_is_not_the_service_that_was_applied() -> None:
    """A rollout that was paused, or a controller that is down: the plan called the service as declared."""
    applied, before = deployment(1), pod(running={"startedAt": MADE})
    applied["spec"]["template"] = {"metadata": {"annotations": {"dtnctl/template": "new"}}}
    before["metadata"]["annotations"] = {"dtnctl/template": "old"}
    seen = service_condition(applied, before, None, (), NOW)
    assert (seen.state, seen.error) == ("restarting", "its pod was made of what was applied before, and the cluster has not replaced it")
    before["spec"]["terminationGracePeriodSeconds"] = 10
    for age, state in ((39, "running"), (41, "restarting")):  # until it can have ended
        last = (NOW - timedelta(seconds=age)).isoformat()
        applied["metadata"]["managedFields"] = [
            {"manager": "kube-controller-manager", "time": NOW.isoformat()},
            {"manager": "dtnctl", "time": last},
        ]
        assert service_condition(applied, before, None, (), NOW).state == state
    before["metadata"]["annotations"] = {"dtnctl/template": "new", "cni.example.net/status": "x"}
    assert service_condition(applied, before, None, (), NOW).state == "running"


def test_controllers_words_say_why_there_is_no_pod() -> None:
    refused = deployment(1)
    refused["status"] = {
        "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}]
    }
    assert service_condition(refused, None, None, (), NOW).error == "FailedCreate: exceeded quota"


@pytest.mark.parametrize(
    ("ready", "age", "verdict"), [(True, 500, "healthy"), (False, 60, "starting"), (False, 74, "starting"), (False, 76, "unhealthy")]
)
def test_pod_that_is_not_ready_is_unhealthy_when_its_tries_are_over(ready: bool, age: int, verdict: str) -> None:
    began = (NOW - timedelta(seconds=age)).isoformat()
    seen = pod_condition(pod(ready=ready, running={"startedAt": began}), HEALTH, [event("Unhealthy", "probe: 7")], NOW)
    assert (seen.state, seen.health) == ("running", verdict)
    assert seen.checks == (() if ready else (CheckRun(1, "Unhealthy: probe: 7"),))


def test_start_that_is_not_known_leaves_the_verdict_open() -> None:
    assert pod_condition(pod(ready=False, running={}), HEALTH, (), NOW).health == "starting"
    assert pod_condition(pod(running={"startedAt": MADE}), None, (), NOW).health == ""


def test_service_that_ended_is_restarted_by_the_cluster() -> None:
    seen = pod_condition(pod(**ended(3)), None, (), NOW)
    assert (seen.state, seen.exit_code, seen.restart_count) == ("restarting", 3, 2)


# --- transfers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["Running", "Failed"])
def test_transfer_that_ended_has_its_exit_code_before_the_pod_is_called_failed(phase: str) -> None:
    seen = job_condition(job(), pod(phase, policy="Never", **ended(23)), ())
    assert (seen.state, seen.exit_code, seen.error, seen.finished_at) == ("exited", 23, "", "2026-11-30T11:01:00Z")


def test_end_for_want_of_memory_says_so() -> None:
    seen = job_condition(job(), pod("Failed", policy="Never", **ended(137, "OOMKilled")), ())
    assert (seen.oom_killed, seen.error) == (True, "OOMKilled")


def test_evicted_pod_says_why() -> None:
    gone = pod("Failed", policy="Never")
    gone["status"] |= {"containerStatuses": [], "reason": "Evicted", "message": "The node was low on resource: memory."}
    seen = job_condition(job(), gone, ())
    assert (seen.state, seen.exit_code, seen.error) == ("exited", 137, "Evicted: The node was low on resource: memory.")
    assert seen.disrupted


def test_evicted_pod_says_why_also_where_its_container_has_an_end() -> None:
    gone = pod("Failed", policy="Never", **ended(137, "ContainerStatusUnknown"))
    gone["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] = "Error"
    gone["status"]["conditions"] = [
        {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
    ]
    seen = job_condition(job(), gone, ())
    assert (seen.error, seen.disrupted) == ("EvictionByEvictionAPI: Eviction API: evicting", True)


def test_job_whose_evicted_pod_is_gone_says_that_the_cluster_ended_it() -> None:
    words = {"reason": "PodFailurePolicy", "message": "Pod dtn/copy has condition DisruptionTarget matching FailJob rule at index 0"}
    raw = job({"type": "Failed", "status": "True", "lastTransitionTime": MADE, **words})
    seen = job_condition(raw, None, ())
    assert (seen.exit_code, seen.error, seen.disrupted) == (137, f"PodFailurePolicy: {words['message']}", True)


LATE = "DeadlineExceeded: Job was active longer than specified deadline"


@pytest.mark.parametrize(
    ("kind", "deadline", "code", "error"), [("Complete", 3660, 0, ""), ("Failed", 3660, 124, LATE), ("Failed", 1, 137, LATE)]
)
def test_jobs_own_verdict_counts_where_its_pod_is_gone(kind: str, deadline: int, code: int, error: str) -> None:
    words = {"reason": "DeadlineExceeded", "message": "Job was active longer than specified deadline"}
    over = {"type": kind, "status": "True", "lastTransitionTime": MADE, **words}
    raw = job(over)
    raw["spec"] = {"activeDeadlineSeconds": deadline}
    seen = job_condition(raw, None, ())
    assert (seen.state, seen.exit_code, seen.error, seen.finished_at) == ("exited", code, error, MADE)


def test_job_without_a_pod_waits_for_one_unless_it_was_deleted() -> None:
    assert job_condition(job(), None, ()).state == "restarting"
    deleted = job_condition(job(deletionTimestamp=MADE), None, ())
    assert (deleted.state, deleted.exit_code, deleted.error) == ("exited", 137, "its Job was deleted")
    assert not deleted.disrupted, "a person did it"


# --- why it does not run ------------------------------------------------------------------------------------


def test_schedulers_words_come_first() -> None:
    waiting = pod("Pending")
    words = {"reason": "Unschedulable", "message": "0/1 nodes are available"}
    waiting["status"] = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", **words}]}
    assert why_not(waiting, [event("FailedMount", "x")]) == "Unschedulable: 0/1 nodes are available"


@pytest.mark.parametrize("reason", ["FailedCreatePodSandBox", "FailedMount", "FailedAttachVolume"])
def test_networks_and_volumes_that_came_after_a_refusal_are_no_reason(reason: str) -> None:
    making = pod("Pending", waiting={"reason": "ContainerCreating"})
    assert why_not(making, [event(reason, "x")]) == f"{reason}: x"
    making["status"]["conditions"] = [{"type": "PodReadyToStartContainers", "status": "True"}]
    assert why_not(making, [event(reason, "x")]) == ""


def test_kubelets_reason_for_waiting_comes_next() -> None:
    assert why_not(pod("Pending", waiting={"reason": "ErrImagePull", "message": "not found"}), ()) == "ErrImagePull: not found"
    assert why_not(pod("Pending", waiting={"reason": "ErrImagePull"}), ()) == "ErrImagePull"


def test_newest_event_speaks_where_a_reason_says_nothing() -> None:
    making = pod("Pending", waiting={"reason": "ContainerCreating"})
    events = [
        event("FailedMount", "old"),
        event("FailedMount", "hostPath type check failed", "2026-11-30T11:59:00Z"),
        event("Pulled", "ok"),
    ]
    assert why_not(making, events) == "FailedMount: hostPath type check failed"
    assert why_not(making, ()) == ""
