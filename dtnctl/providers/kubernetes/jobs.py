"""Containers of transfers: held as a Secret, started once as a Job of the same name, removed with all that belongs to them."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.model.resources import ContainerSpec, Pairs
from dtnctl.providers.base import FileEntry
from dtnctl.providers.kubernetes.claiming import keep_claims, remove_claims
from dtnctl.providers.kubernetes.cluster import Cluster, found
from dtnctl.providers.kubernetes.held_jobs import FILES_KEY, files_data, held_job, job_in, startable
from dtnctl.providers.kubernetes.identity import STARTED_NOTE, Json, object_name
from dtnctl.providers.kubernetes.states import STOPPED_SECONDS, job_condition, newest, pod_condition
from dtnctl.providers.kubernetes.waiting import pods_of, wait_until_gone, wait_until_started
from dtnctl.providers.kubernetes.workloads import job

if TYPE_CHECKING:
    from collections.abc import Callable

POLL, LONGEST_POLL = 0.1, 1.0
WRITE_TRIES = 5
KILLED_SECONDS = 5.0  # a killed program is reported as ended within this


def hold_job(cluster: Cluster, name: str, spec: ContainerSpec, labels: Pairs) -> str:
    """The id of its Secret. ConflictError if the name is taken."""
    signed = cluster.view.signed(labels)
    made = held_job(job(name, spec, signed, cluster.place))
    uid = str(cluster.connection.create(cluster.paths.of("secrets"), made)["metadata"]["uid"])
    keep_claims(cluster, name, spec, signed)
    return uid


def write_into(cluster: Cluster, secret: Json, entries: tuple[FileEntry, ...]) -> None:
    """Add files, or replace them, before it starts; another writer at the same moment is no reason to lose one."""
    path = cluster.paths.of("secrets", secret["metadata"]["name"])
    for attempt in range(WRITE_TRIES):
        operations: list[Json] = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": secret["metadata"]["resourceVersion"]},
            {"op": "add", "path": f"/data/{FILES_KEY}", "value": files_data(secret, entries)},
        ]
        try:
            cluster.connection.patch(path, operations)
            return
        except ConflictError:
            if attempt == WRITE_TRIES - 1:
                raise
            secret = cluster.connection.get(path)


def start_job(cluster: Cluster, secret: Json) -> None:
    """Make the Job. Its fixed name is taken as long as dtnctl does not remove it, so it runs once: taken already is success.

    One whose pod waits for a node or an image has started, too: it may run at any moment, and its look says what it waits for.
    """
    made = startable(secret)
    try:
        cluster.connection.create(cluster.paths.jobs, made)
    except ConflictError:
        _note_start(cluster, secret)
        return
    _note_start(cluster, secret)
    with contextlib.suppress(EngineError):
        wait_until_started(cluster.connection, cluster.paths, made)


def _note_start(cluster: Cluster, secret: Json) -> None:
    """Say in its Secret that it started: whoever takes away the Job with its finalizer does not make it start again."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    noted: list[Json] = [
        {"op": "test", "path": "/metadata/uid", "value": secret["metadata"]["uid"]},
        {"op": "add", "path": f"/metadata/annotations/{STARTED_NOTE.replace('/', '~1')}", "value": now},
    ]
    with contextlib.suppress(EngineError):  # it has started all the same, and its Job says so
        cluster.connection.patch(cluster.paths.of("secrets", secret["metadata"]["name"]), noted)


def remove_job(cluster: Cluster, name: str, uid: str) -> None:
    """Its Job first, then the Secret: whatever is interrupted, what may have run is still known."""
    path = cluster.paths.of("secrets", object_name(name, cluster.place.endpoint))
    secret = found(cluster, path)
    if secret is None or secret["metadata"]["uid"] != uid:
        return
    _remove_live(cluster, secret["metadata"]["name"])
    grace = job_in(secret)["spec"]["template"]["spec"].get("terminationGracePeriodSeconds") or 0
    wait_until_gone(cluster.connection, cluster.paths, secret["metadata"]["name"], grace)
    remove_claims(cluster, name)
    cluster.connection.remove(path, uid)


def _remove_live(cluster: Cluster, object_name: str) -> None:
    path = cluster.paths.of("jobs", object_name)
    live = found(cluster, path)
    if live is None:
        return
    uid = live["metadata"]["uid"]
    cluster.connection.remove(path, uid)
    cluster.connection.release(path, uid)


def stop_job(cluster: Cluster, object_name: str, timeout: float) -> None:
    """End its program and keep the pod, whose log and exit code are read afterwards.

    A Job that is suspended or deleted loses its pods, so that the program is signalled from inside. Where that does not help, the Job
    gets a deadline that is over: the cluster then ends the pod.
    """
    from dtnctl.providers.kubernetes.execution import run_in_pod

    pod = newest(pods_of(cluster.connection, cluster.paths, object_name))
    state = pod_condition(pod, None, (), None).state if pod is not None else ""
    if state == "exited":
        return
    if pod is None or state != "running":  # no program is there to be signalled
        _end_by_deadline(cluster, object_name)
        return
    path = cluster.paths.of("pods", pod["metadata"]["name"], "exec")
    for signal, patience in (("TERM", timeout), ("KILL", KILLED_SECONDS)):
        with contextlib.suppress(EngineError):  # it ends just now, or has no shell
            run_in_pod(cluster.connection, path, ("/bin/sh", "-c", f"kill -{signal} -1"))
        if wait_for_end(cluster, object_name, patience) is not None:
            return
    _end_by_deadline(cluster, object_name)


def _end_by_deadline(cluster: Cluster, object_name: str) -> None:
    """Its Job makes no pod any more, and the one that there is ends. One that never started is left as it is."""
    over: Json = {"op": "add", "path": "/spec/activeDeadlineSeconds", "value": STOPPED_SECONDS}
    with contextlib.suppress(NotFoundError):
        cluster.connection.patch(cluster.paths.of("jobs", object_name), [over])


def wait_for_end(cluster: Cluster, object_name: str, timeout: float, clock: Callable[[], float] = time.monotonic) -> int | None:
    """The exit code once its container ended, or None after `timeout` seconds."""
    end, pause = clock() + timeout, POLL
    while True:
        code = exit_code(cluster, object_name)
        if code is not None or clock() >= end:
            return code
        time.sleep(min(pause, max(0.0, end - clock())))
        pause = min(2 * pause, LONGEST_POLL)


def exit_code(cluster: Cluster, object_name: str) -> int | None:
    """That of the ended container; None while it runs. Where its pod is gone, the Job's verdict counts."""
    pod = newest(pods_of(cluster.connection, cluster.paths, object_name))
    if pod is not None:
        condition = pod_condition(pod, None, (), None)
    elif (live := found(cluster, cluster.paths.of("jobs", object_name))) is not None:
        condition = job_condition(live, None, ())
    else:
        raise NotFoundError(f"there is no Job {object_name}", 404)
    return condition.exit_code if condition.state == "exited" else None
