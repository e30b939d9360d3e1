"""The contract of a provider on a real API server, the part of transfers: their containers, the lease and the records.

As in `test_contract.py` the server has no controllers: `kubelet.py` runs pods.
"""

from __future__ import annotations

from typing import Any

import pytest

from dtnctl.errors import ConflictError, NotFoundError
from dtnctl.model.actions import RemoveContainer
from dtnctl.model.ledger import RECORDS, Attempt, encode_attempt, record_path
from dtnctl.model.resources import LABEL_DEADLINE, ContainerSpec, Wanted, ledger_name, transfer_name
from dtnctl.providers.base import FileEntry
from dtnctl.providers.kubernetes.engine import KubernetesEngine
from tests.providers.backends import ENDPOINT, SITE, labels_of
from tests.providers.kubernetes.conftest import Namespace
from tests.providers.kubernetes.contract import ALL
from tests.providers.kubernetes.kubelet import JOBS, PODS

JOB = transfer_name(SITE, "run", 1, 1)
MOVER = ContainerSpec(image="mover:1", entrypoint=("/bin/sh",), command=("-c", "copy"), init=True, stop_signal="SIGTERM")


# --- transfers ----------------------------------------------------------------------------------------------


def hold(engine: KubernetesEngine, spec: ContainerSpec = MOVER) -> str:
    return engine.create_container(JOB, spec, labels_of(JOB, kind="transfer"))


def jobs(namespace: Namespace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = namespace.api.call("GET", namespace.kubelet.path(JOBS))["items"]
    return found


def test_a_name_of_a_transfer_is_taken_once(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = hold(engine)
    with pytest.raises(ConflictError):
        hold(engine)
    seen = engine.inspect(container)
    assert (seen.name, seen.state, seen.started_at, seen.spec) == (JOB, "created", "", MOVER)
    assert jobs(namespace) == []
    with pytest.raises(ConflictError, match="never started"):
        engine.wait(container, 0.1)


def test_a_transfer_is_started_once_whatever_is_interrupted(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = hold(engine)
    engine.start(container)
    first = [item["metadata"]["uid"] for item in jobs(namespace)]
    namespace.kubelet.end(f"{JOB}.{ENDPOINT}", 3)
    assert engine.wait(container, 10.0) == 3
    assert (namespace.observer.inspect(container).state, namespace.observer.inspect(container).exit_code) == ("exited", 3)
    namespace.api.call("DELETE", namespace.kubelet.path(JOBS, f"{JOB}.{ENDPOINT}"))
    engine.start(container)
    assert [item["metadata"]["uid"] for item in jobs(namespace)] == first, "a finalizer keeps the name taken"
    assert namespace.observer.inspect(container).started_at


def test_a_transfer_that_waits_for_a_node_has_started_and_says_what_it_waits_for(namespace: Namespace) -> None:
    engine = namespace.engine_of(answer=0.1)
    namespace.kubelet.pending[f"{JOB}.{ENDPOINT}"] = "0/3 nodes are available: 1 Insufficient cpu."
    container = hold(engine)
    engine.start(container)
    namespace.kubelet.look()
    seen = engine.inspect(container)
    assert (seen.state, seen.error) == ("restarting", "Unschedulable: 0/3 nodes are available: 1 Insufficient cpu.")
    assert seen.started_at


def test_a_transfer_whose_job_was_taken_away_with_its_finalizer_ran_all_the_same(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = hold(engine)
    engine.start(container)
    path = namespace.kubelet.path(JOBS, f"{JOB}.{ENDPOINT}")
    namespace.api.call("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    namespace.api.call("DELETE", path)
    seen = namespace.observer.inspect(container)
    assert (seen.state, seen.exit_code, seen.error) == ("exited", 137, "its Job was removed")
    assert seen.started_at


def test_a_stopped_transfer_whose_pod_is_not_made_yet_makes_none_later(namespace: Namespace) -> None:
    engine = namespace.engine_of(answer=0.1)
    namespace.kubelet.stop()
    container = hold(engine)
    engine.stop(container, 1)
    engine.start(container)
    engine.stop(container, 1)
    assert jobs(namespace)[0]["spec"]["activeDeadlineSeconds"] == 1


def test_a_transfers_deadline_is_its_jobs_too_but_later(namespace: Namespace, engine: KubernetesEngine) -> None:
    labels = (*labels_of(JOB, kind="transfer"), (LABEL_DEADLINE, "90"))
    container = engine.create_container(JOB, MOVER, labels)
    engine.start(container)
    (made,) = jobs(namespace)
    assert made["spec"]["activeDeadlineSeconds"] == 150
    assert made["spec"]["podFailurePolicy"]["rules"][0]["action"] == "FailJob"
    namespace.kubelet.stop()
    namespace.api.call("DELETE", namespace.kubelet.path(PODS, f"{JOB}.{ENDPOINT}-x1"))
    late = {
        "type": "Failed",
        "status": "True",
        "reason": "DeadlineExceeded",
        "message": "was active longer",
        "lastTransitionTime": made["metadata"]["creationTimestamp"],
    }
    path = namespace.kubelet.path(JOBS, f"{JOB}.{ENDPOINT}", "status")
    namespace.api.call("PATCH", path, {"status": {"conditions": [late]}}, "application/merge-patch+json")
    assert engine.wait(container, 0.0) == 124
    assert engine.inspect(container).error == "DeadlineExceeded: was active longer"


def test_the_wait_for_a_transfer_whose_job_was_deleted_ends(namespace: Namespace) -> None:
    engine = namespace.engine_of(answer=0.1)
    namespace.kubelet.stop()
    container = hold(engine)
    engine.start(container)
    assert engine.wait(container, 0.0) is None
    namespace.api.call("DELETE", namespace.kubelet.path(JOBS, f"{JOB}.{ENDPOINT}"))
    assert engine.wait(container, 10.0) == 137


def test_files_of_a_transfer_come_in_with_owners_and_modes(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = hold(engine)
    engine.write_files(container, (FileEntry("/root/dtnctl/key", b"secret", 0o600), FileEntry("/etc/passwd", b"root:x:0:0", uid=0)))
    engine.write_files(container, (FileEntry("/root/dtnctl/note", b"n", 0o640, uid=1000, gid=100),))
    assert namespace.observer.read_files(container, "/root/dtnctl") == {"/root/dtnctl/key": b"secret", "/root/dtnctl/note": b"n"}
    assert namespace.observer.file_size(container, "/etc/passwd") == 10
    engine.start(container)
    pod = jobs(namespace)[0]["spec"]["template"]["spec"]
    places = [item["mountPath"] for item in pod["containers"][0]["volumeMounts"]]
    assert places == ["/etc/passwd", "/root/dtnctl"]
    assert pod["initContainers"][0]["image"] == "mover:1"


def test_a_transfer_is_removed_with_its_job_and_its_pod(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = hold(engine)
    engine.start(container)
    with pytest.raises(ConflictError, match="stop it first"):
        engine.remove(container)
    engine.remove(container, force=True)
    engine.remove(container, force=True)
    assert jobs(namespace) == []
    assert engine.observe(ALL).containers == ()


def test_a_transfer_that_ended_is_removed_by_a_plan_too(namespace: Namespace, engine: KubernetesEngine) -> None:
    container = hold(engine)
    engine.start(container)
    (job,) = jobs(namespace)
    namespace.kubelet.end(job["metadata"]["name"], 0)
    assert engine.wait(container, 10.0) == 0
    engine.perform(RemoveContainer(JOB, container))
    assert (jobs(namespace), engine.observe(ALL).containers) == ([], ())
    assert namespace.api.call("GET", namespace.kubelet.path(PODS))["items"] == []


# --- the store ----------------------------------------------------------------------------------------------


def test_a_lease_is_taken_by_one_and_beats_until_it_is_removed(namespace: Namespace, engine: KubernetesEngine) -> None:
    name = f"{SITE}.control.lease"
    labels = (*labels_of(name, kind="lease"), ("dtnctl.holder", "{}"))
    holder = engine.store.claim(name, labels)
    with pytest.raises(ConflictError):
        namespace.engine_of().store.claim(name, labels)
    engine.store.beat(holder, b"1\n")
    assert namespace.observer.store.last_beat(holder) == b"1\n"
    seen = namespace.observer.observe(ALL).lease
    assert seen is not None
    assert (seen.id, seen.holder, seen.is_ours) == (holder, "{}", True)
    engine.store.remove(holder)
    engine.store.remove(holder)
    with pytest.raises(NotFoundError):
        engine.store.beat(holder, b"2\n")
    other = engine.store.claim(name, labels)
    with pytest.raises(NotFoundError):
        engine.store.beat(holder, b"2\n")
    engine.store.remove(holder)
    assert namespace.observer.store.last_beat(other) == b""


def test_records_outlive_their_holder_and_whoever_deletes_everything(namespace: Namespace, engine: KubernetesEngine) -> None:
    name, path = ledger_name(SITE), record_path("run", 1, 1)
    attempt = Attempt("run", 1, 1, "c", claimed_at="now")
    holder = engine.store.claim(name, labels_of(name, kind="ledger"), folder="/var/lib/dtnctl/contract")
    engine.store.write(holder, (FileEntry(path, encode_attempt(attempt)),))
    namespace.api.call("DELETE", f"/api/v1/namespaces/{namespace.name}/configmaps")
    assert namespace.observer.observe(Wanted(ledger=True)).ledger.attempts == (attempt,)
    engine.store.remove(holder)
    assert engine.store.find(name) is None
    again = engine.store.claim(name, labels_of(name, kind="ledger"), folder="/var/lib/dtnctl/contract")
    assert again != holder
    found = namespace.observer.store.read(name, RECORDS)
    assert found == {RECORDS: "a folder", path: encode_attempt(attempt)}
    assert namespace.observer.store.size(name, path) == len(encode_attempt(attempt))


def test_records_are_read_also_unasked_where_a_transfers_container_is(engine: KubernetesEngine) -> None:
    name, attempt = ledger_name(SITE), Attempt("run", 1, 1, "c", claimed_at="now")
    holder = engine.store.claim(name, labels_of(name, kind="ledger"), folder="/var/lib/dtnctl/contract")
    engine.store.write(holder, (FileEntry(record_path("run", 1, 1), encode_attempt(attempt)),))
    assert engine.observe(ALL).ledger.attempts == ()
    hold(engine)
    assert engine.observe(ALL).ledger.attempts == (attempt,)


def test_records_of_another_repository_are_not_read(namespace: Namespace) -> None:
    name = ledger_name(SITE)
    other = namespace.engine_of(repository="ffffffffffff")
    holder = other.store.claim(name, labels_of(name, kind="ledger"), folder="/var/lib/dtnctl/contract")
    other.store.write(holder, (FileEntry(record_path("run", 1, 1), encode_attempt(Attempt("run", 1, 1, "c", claimed_at="now"))),))
    seen = namespace.engine_of(repository="a1b2c3d4e5f6", unlabelled=False).observe(Wanted(ledger=True)).ledger
    assert (seen.readable, seen.attempts) == (False, ())


def test_files_without_a_folder_go_with_their_holder(namespace: Namespace, engine: KubernetesEngine) -> None:
    name = f"{SITE}.web.protection"
    engine.store.claim(name, labels_of(name, kind="protection"))
    engine.store.write(name, (FileEntry("/a", b"1"),))
    assert [item.kind for item in engine.observe(ALL).containers] == ["protection"]
    engine.store.remove(name)
    assert namespace.api.call("GET", f"/api/v1/namespaces/{namespace.name}/configmaps")["items"] == []
    with pytest.raises(NotFoundError):
        engine.store.read(name, "/a")
