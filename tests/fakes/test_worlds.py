"""Worlds as values (snapshots, dumps, views), shuffled answers, silent and absent engines."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path

import docker
import pytest
import requests

from tests.fakes.client_program import tar
from tests.fakes.conftest import Connect
from tests.fakes.engine import Machine, Program, World


def furnish(client: docker.APIClient) -> None:
    """A network, a running and a stopped container, files in several places."""
    client.create_network("mgmt", labels={"owner": "site"})
    host = client.create_host_config(network_mode="mgmt", binds=["/data:/data"])
    client.create_container("tiny:1", name="service", labels={"a": "b"}, host_config=host)
    client.put_archive("service", "/data", tar({"file": bytes(range(256))}))
    client.start("service")
    client.create_container("tiny:1", name="idle")


def test_equal_outcomes_have_equal_views_and_other_outcomes_do_not(dtn1: docker.APIClient, dtn2: docker.APIClient, world: World) -> None:
    dtn2.create_network("passing")
    dtn2.remove_network("passing")
    furnish(dtn1)
    furnish(dtn2)
    view1, view2 = world.view().values()
    assert view1["images"] == view2["images"]
    assert view1["containers"] != view2["containers"]  # the second network got the next subnet
    dtn2.remove_container("service", force=True)
    assert "service" not in world.view()["dtn2"]["containers"]


def test_view_sees_a_changed_file_in_a_bound_folder(world: World, dtn1: docker.APIClient) -> None:
    furnish(dtn1)
    before = world.view()
    dtn1.put_archive("service", "/data", tar({"file": b"other"}))
    assert world.view() != before


def test_view_has_no_ids_and_no_times(world: World, dtn1: docker.APIClient) -> None:
    furnish(dtn1)
    text = json.dumps(world.view())
    for container in world.engine("dtn1").state.containers.values():
        assert container.id[:12] not in text
    assert '"StartedAt"' not in text


def test_restored_programs_begin_again_without_being_counted(world: World, dtn1: docker.APIClient) -> None:
    go_on = threading.Event()
    world.programs.register(Program(lambda run: 0 if run.wait(0) else int(go_on.wait(60)) + 6), name="job")
    dtn1.create_container("tiny:1", name="job")
    dtn1.start("job")
    world.snapshot("mid-way")
    world.restore("mid-way")
    assert world.starts() == []
    go_on.set()
    assert dtn1.wait("job")["StatusCode"] == 7


def test_program_of_the_world_before_changes_nothing_after_a_reset(world: World, dtn1: docker.APIClient) -> None:
    go_on, ended = threading.Event(), threading.Event()

    def late(run: object) -> int:
        go_on.wait()
        try:
            world.files("dtn1", "job").write("/data/late", b"")
        finally:
            ended.set()
        return 0

    world.programs.register(Program(late), name="job")
    world.snapshot()
    dtn1.create_container("tiny:1", name="job")
    dtn1.start("job")
    world.reset()
    go_on.set()
    ended.wait(60)
    assert dtn1.containers(all=True) == []


def test_reset_without_a_snapshot_is_a_new_engine() -> None:
    with World(["dtn1"]) as world:
        new = world.view()
        world.add_image("tiny:1", {"Cmd": ["x"]})
        assert world.view() != new
        world.reset()
        assert world.view() == new


def test_wait_for_a_container_of_the_world_before_is_cut_off(world: World, dtn1: docker.APIClient) -> None:
    dtn1.create_container("tiny:1", name="service")
    dtn1.start("service")
    cut: list[BaseException] = []

    def wait() -> None:
        try:
            dtn1.wait("service")
        except requests.exceptions.ConnectionError as error:
            cut.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    with world.changed:
        assert world.changed.wait_for(lambda: world.calls()[-1:] == ["dtn1 POST /containers/service/wait"], timeout=10)
    world.reset()
    waiter.join()
    assert len(cut) == 1


def test_shuffled_lists_differ_by_seed_and_not_by_run(world: World, dtn1: docker.APIClient) -> None:
    for number in range(8):
        dtn1.create_container("tiny:1", name=f"box{number}")

    def listed(seed: int | None) -> list[str]:
        world.shuffler.seed(seed)
        return [found["Names"][0] for found in dtn1.containers(all=True)]

    newest_first = [f"/box{number}" for number in reversed(range(8))]
    assert listed(None) == newest_first
    assert listed(1) == listed(1)
    assert listed(1) != listed(2)
    assert sorted(listed(3)) == sorted(newest_first)


def test_silent_engine_takes_connections_and_never_answers(world: World, connect: Connect) -> None:
    world.set_mode("dtn1", "silent")
    hasty = docker.APIClient(base_url=f"unix://{world.sockets['dtn1']}", version="1.41", timeout=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        hasty.ping()
    hasty.close()
    assert connect("dtn2").ping()
    assert world.calls() == ["dtn2 GET /_ping"]
    world.set_mode("dtn1", "up")
    assert connect("dtn1").ping()


def test_absent_engine_has_no_socket_and_comes_back_with_its_containers(world: World, connect: Connect) -> None:
    connect("dtn1").create_container("tiny:1", name="service")
    world.set_mode("dtn1", "absent")
    assert not Path(world.sockets["dtn1"]).exists()
    world.set_mode("dtn1", "up")
    assert connect("dtn1").inspect_container("service")["Name"] == "/service"


def test_machines_differ_by_endpoint() -> None:
    with World(["small", "large"], {"large": Machine(cpus=64)}) as world:
        world.add_image("tiny:1", {"Cmd": ["x"]})
        for name, refused in (("small", True), ("large", False)):
            client = docker.APIClient(base_url=f"unix://{world.sockets[name]}", version="1.41")
            host = client.create_host_config(cpuset_cpus="60-63")
            refusal = pytest.raises(docker.errors.APIError, match="Requested CPUs are not available")
            with refusal if refused else contextlib.nullcontext():
                client.create_container("tiny:1", name="box", host_config=host)
            client.close()
