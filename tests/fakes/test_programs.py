"""Simulated programs: what runs in containers, how it ends, what it leaves, and commands executed beside it."""

from __future__ import annotations

import threading

import docker
import pytest
from docker.errors import APIError

from tests.fakes.engine import Behaviour, Program, Run, World
from tests.fakes.execs import ExecRun


def begin(client: docker.APIClient, name: str, *command: str) -> str:
    made: str = client.create_container("tiny:1", list(command) or None, name=name)["Id"]
    client.start(made)
    return made


def test_job_that_ends_at_once_leaves_its_code_and_its_log(world: World, dtn1: docker.APIClient) -> None:
    world.programs.register(Behaviour(ends=True, exit_code=5, stdout=("begun", "done"), stderr=("oops",)), argv="job")
    begin(dtn1, "one-shot", "/usr/bin/job", "now")
    assert dtn1.wait("one-shot") == {"Error": None, "StatusCode": 5}
    assert dtn1.logs("one-shot", stdout=True, stderr=False) == b"begun\ndone\n"
    assert dtn1.logs("one-shot", stdout=False, stderr=True) == b"oops\n"
    assert dtn1.logs("one-shot", tail=1, stdout=True, stderr=False) == b"done\n"


def test_program_copies_files_between_endpoints(world: World, dtn1: docker.APIClient, dtn2: docker.APIClient) -> None:
    world.add_image("data:1", {"Cmd": ["sleep"]}, {"/data/a": b"first", "/data/deep/b": b"second"})

    def copy(run: Run) -> int:
        target = world.files("dtn2", "target")
        for path, content in world.files("dtn1", "source").below(run.argv[1]).items():
            target.write(f"{run.argv[2]}/{path}", content)
            run.stdout(f"{path}: {len(content)} bytes\n")
        return 0

    world.programs.register(Program(copy), argv="copy")
    for client, name in ((dtn1, "source"), (dtn2, "target")):
        client.create_container("data:1", name=name)
        client.start(name)
    begin(dtn1, "mover", "copy", "/data", "/arrived")
    assert dtn1.wait("mover")["StatusCode"] == 0
    assert world.files("dtn2", "target").below("/arrived") == {"a": b"first", "deep/b": b"second"}
    assert dtn1.logs("mover") == b"a: 5 bytes\ndeep/b: 6 bytes\n"


def test_followed_log_ends_with_the_program(world: World, dtn1: docker.APIClient) -> None:
    go_on = threading.Event()

    def talk(run: Run) -> int:
        run.stdout("first\n")
        go_on.wait()
        run.stderr("second\n")
        return 0

    world.programs.register(Program(talk), name="talker")
    begin(dtn1, "talker")
    lines = dtn1.logs("talker", follow=True, stream=True)
    assert next(lines) == b"first\n"
    go_on.set()
    assert list(lines) == [b"second\n"]


def test_program_is_told_to_stop_and_chooses_its_code(world: World, dtn1: docker.APIClient) -> None:
    def polite(run: Run) -> int:
        run.wait()
        run.stdout(f"signal {run.signals[0]}\n")
        return 9

    world.programs.register(Program(polite), name="polite")
    begin(dtn1, "polite")
    dtn1.stop("polite", timeout=10)
    assert dtn1.inspect_container("polite")["State"]["ExitCode"] == 9
    assert dtn1.logs("polite") == b"signal 15\n"


def test_program_that_does_not_stop_is_killed_after_its_time(world: World, dtn1: docker.APIClient) -> None:
    let_go = threading.Event()
    world.programs.register(Program(lambda run: int(let_go.wait())), name="deaf")
    begin(dtn1, "deaf")
    dtn1.stop("deaf", timeout=0)
    assert dtn1.inspect_container("deaf")["State"]["ExitCode"] == 137
    let_go.set()


def test_program_that_breaks_is_a_failed_container_with_the_reason_in_its_log(world: World, dtn1: docker.APIClient) -> None:
    def broken(run: Run) -> int:
        return len(run.files.read("/none-such"))

    world.programs.register(Program(broken), name="broken")
    begin(dtn1, "broken")
    assert dtn1.wait("broken")["StatusCode"] == 1
    assert dtn1.logs("broken", stdout=False) == b"FileNotFoundError: /none-such\n"


def test_program_cannot_write_to_a_read_only_mount(world: World, dtn1: docker.APIClient) -> None:
    def write(run: Run) -> int:
        run.files.write("/data/x", b"")
        return 0

    world.programs.register(Program(write, inline=True), name="writer")
    host = dtn1.create_host_config(binds=["/data:/data:ro"])
    dtn1.create_container("tiny:1", name="writer", host_config=host)
    dtn1.start("writer")
    assert dtn1.wait("writer")["StatusCode"] == 1
    assert b"PermissionError" in dtn1.logs("writer")


def test_built_in_commands_run_in_a_container(dtn1: docker.APIClient) -> None:
    begin(dtn1, "box")
    asked = dtn1.exec_create("box", ["sha256sum", "/bin/busybox", "/none"])
    out, err = dtn1.exec_start(asked["Id"], demux=True)
    assert out == b"5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b  /bin/busybox\n"
    assert err == b"sha256sum: /none: No such file or directory\n"
    assert dtn1.exec_inspect(asked["Id"])["ExitCode"] == 1


def test_command_of_the_test_sees_environment_and_files(world: World, dtn1: docker.APIClient) -> None:
    def find(run: ExecRun) -> int:
        for path in sorted(run.files.below(run.argv[1])):
            run.stdout(f"{run.environment['PREFIX']}{path}\n")
        return 0

    world.exec_programs["find"] = find
    begin(dtn1, "box")
    asked = dtn1.exec_create("box", ["find", "/bin"], environment={"PREFIX": "> "})
    assert dtn1.exec_start(asked["Id"]) == b"> busybox\n"


def test_command_in_a_stopped_container_is_refused(dtn1: docker.APIClient) -> None:
    dtn1.create_container("tiny:1", name="box")
    with pytest.raises(APIError, match="is not running") as refused:
        dtn1.exec_create("box", ["true"])
    assert refused.value.status_code == 409
