"""Transfers whose pods the cluster ends, or never runs: the result says so, and is no more than what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from lightkube.resources.batch_v1 import Job

from tests.kubernetes.scene import NODE, Scene, service
from tests.kubernetes.test_transfers import SIZE, beside_docker, declare, making

SLOWLY = "4mbit"  # some 17 s for the file
ENDS_SECONDS = 170.0  # of dtnctl, and of a Job with the shortest deadline that a scenario declares
LATE = "not finished within its deadline of"
FAILED = 9


@pytest.fixture
def from_node(data: Scene) -> Iterator[tuple[Scene, str, Callable[[str], str]]]:
    """A file on the node, its checksum, and what a script prints at the destination."""
    with beside_docker(data) as in_docker:
        yield data, data.cluster.sh(service("pair"), making(NODE)).strip(), in_docker


From = tuple[Scene, str, Callable[[str], str]]


def evicted(scene: Scene) -> tuple[int, str]:
    """Exit code and words of an apply during which the pod of the transfer is evicted."""
    applying = scene.start("apply", "--yes")
    scene.cluster.evict(scene.cluster.wait_for(scene.cluster.job_pod))
    out, err = applying.communicate(timeout=ENDS_SECONDS)
    return applying.returncode, " ".join((out + err).split())


def test_an_evicted_transfer_fails_in_the_words_of_the_cluster(from_node: From) -> None:
    scene, _, _ = from_node
    name = declare(scene, NODE, "dtn1", max_rate=SLOWLY)
    code, said = evicted(scene)
    assert code == FAILED, said
    assert "the cluster ended the job" in said
    assert scene.run("transfers", "show", name, "-o", "json").expect(0).json["transfer"]["state"] == "failed"
    assert scene.cluster.names(Job) == set()


def test_an_evicted_transfer_is_tried_again_where_its_file_allows_it(from_node: From) -> None:
    scene, digest, in_docker = from_node
    name = declare(scene, NODE, "dtn1", max_rate=SLOWLY, retries=1, backoff="1s")
    code, said = evicted(scene)
    if code == FAILED:
        assert "the cluster ended the job" in said
        scene.apply().expect(0)
    row = scene.run("transfers", "show", name, "-o", "json").expect(0).json["transfer"]
    assert (row["state"], row["bytes"]) == ("succeeded", SIZE)
    assert digest in in_docker(f"md5sum /data/{name}")
    scene.assert_nothing_to_do()


def test_a_transfer_that_is_too_slow_ends_at_its_deadline(from_node: From) -> None:
    scene, _, _ = from_node
    declare(scene, NODE, "dtn1", max_rate="1mbit", deadline="6s")
    applied = scene.apply().expect(FAILED)
    assert LATE in " ".join((applied.out + applied.err).split())


@pytest.mark.slow
@pytest.mark.parametrize("attended", [True, False], ids=["attended", "dtnctl is killed"])
def test_a_transfer_whose_pod_no_node_takes_ends_after_its_deadline(from_node: From, attended: bool) -> None:
    scene, _, in_docker = from_node
    name = declare(scene, NODE, "dtn1", deadline="5s")
    with scene.cluster.cordoned():
        applying = scene.start("apply", "--yes")
        job = scene.cluster.wait_for(lambda: next(iter(scene.cluster.names(Job)), None))
        if not attended:
            applying.kill()
            scene.cluster.wait_for(lambda: is_late(scene, job), ENDS_SECONDS)
        out, err = applying.communicate(timeout=ENDS_SECONDS)
    if not attended:
        ran = scene.apply()
        out, err = ran.out, ran.err
    assert LATE in " ".join((out + err).split()), f"{out}\n{err}"
    row = scene.run("transfers", "show", name, "-o", "json").expect(0).json["transfer"]
    assert row["state"] == "failed"
    assert in_docker(f"ls /data/{name} 2>&1").endswith("No such file or directory")
    scene.assert_nothing_to_do()


def test_a_transfer_that_ended_unattended_goes_with_its_file(from_node: From) -> None:
    scene, _, _ = from_node
    name = declare(scene, NODE, "dtn1")
    applying = scene.start("apply", "--yes")
    job = scene.cluster.wait_for(lambda: next(iter(scene.cluster.names(Job)), None))
    applying.kill()
    applying.communicate()
    scene.cluster.wait_for(lambda: has(scene, job, "Complete"))
    scene.remove(f"transfers/{name}")
    scene.converge("--allow-empty")
    assert scene.cluster.names(Job) == set()


def has(scene: Scene, job: str, condition: str) -> bool:
    """Whether the Job is so."""
    status = scene.cluster.get(Job, job).status
    return any(item.type == condition for item in (status and status.conditions) or ())


def is_late(scene: Scene, job: str) -> bool:
    """Whether the cluster ended the Job by its deadline."""
    status = scene.cluster.get(Job, job).status
    conditions = (status and status.conditions) or ()
    return any(item.type == "Failed" and item.reason == "DeadlineExceeded" for item in conditions)
