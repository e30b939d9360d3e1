"""The engine as a process of its own, told what to do over /_fake/."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.fakes.engine import Program, Run, World
from tests.fakes.raw_client import Engine, tar


def setup(world: World) -> None:
    """What `--setup` calls in the engine's process."""

    def note(run: Run) -> int:
        run.files.write("/etc/noted", run.argv[1].encode())
        return 0

    world.programs.register(Program(note, inline=True), argv="note")


class Process:
    """A running `python -m tests.fakes.engine` with two engines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state.json"
        self.control = folder / "control.sock"
        self._process: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        command = [sys.executable, "-m", "tests.fakes.engine", "--setup", "tests.fakes.test_process:setup"]
        for name in ("dtn1", "dtn2"):
            command += ["--socket", str(self.folder / f"{name}.sock"), "--name", name]
        command += ["--state", str(self.state), "--control", str(self.control)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline())["dtn1"] == str(self.folder / "dtn1.sock")

    def end(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self._process.wait()

    def tell(self, action: str, **body: Any) -> Any:
        return Engine(str(self.control)).control("POST", action, body)

    def fetch(self, what: str) -> Any:
        return Engine(str(self.control)).control("GET", what)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path)
    process.begin()
    yield process
    assert process.end() == 0


@pytest.fixture
def client(process: Process) -> Iterator[docker.APIClient]:
    process.tell("image", reference="tiny:1", config={"Cmd": ["sleep"]}, files={"/etc/": "", "/bin/x": "code"})
    client = docker.APIClient(base_url=f"unix://{process.folder / 'dtn1.sock'}", version="1.41")
    yield client
    client.close()


def test_client_is_killed_and_the_engine_lives_on(process: Process, client: docker.APIClient) -> None:
    process.tell("faults", faults=[{"do": "kill-client", "at": 3, "when": "after"}])
    command = [sys.executable, "-m", "tests.fakes.client_program", str(process.folder / "dtn1.sock"), "one", "two"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert [found["State"] for found in client.containers(all=True)] == ["running"]
    assert [call["path"] for call in process.fetch("calls")][:3] == [
        "/containers/create",
        "/containers/one/archive",
        "/containers/one/start",
    ]
    assert process.fetch("starts") == [{"endpoint": "dtn1", "name": "one", "labels": {"made-by": "client"}, "count": 1}]


def test_behaviours_and_ends_are_declared_from_outside(process: Process, client: docker.APIClient) -> None:
    process.tell("program", behaviour={"ends": True, "exit_code": 4, "stdout": ["said"]}, name="job*")
    for name in ("job-1", "held"):
        client.create_container("tiny:1", name=name)
        client.start(name)
    process.tell("release", endpoint="dtn1", container="held", out_of_memory=True)
    assert client.wait("job-1")["StatusCode"] == 4
    assert client.logs("job-1") == b"said\n"
    assert client.inspect_container("held")["State"]["OOMKilled"] is True


def test_python_programs_come_with_the_setup(client: docker.APIClient) -> None:
    client.create_container("tiny:1", ["note", "this"], name="writer")
    client.start("writer")
    _, stat = client.get_archive("writer", "/etc/noted")
    assert stat["size"] == 4


def test_state_file_carries_a_world_to_the_next_process(process: Process, client: docker.APIClient) -> None:
    client.create_container("tiny:1", name="kept")
    client.put_archive("kept", "/etc", tar({"note": b"text"}))
    before = process.fetch("view")
    assert process.end() == 0
    process.begin()
    assert process.fetch("view") == before


def test_snapshots_modes_and_registries_work_from_outside(process: Process, client: docker.APIClient) -> None:
    process.tell("snapshot")
    process.tell("registry", reference="app:1", config={"Cmd": ["x"]}, endpoints=["dtn1"])
    process.tell("machine", endpoint="dtn1", cpus=1, interfaces=["ens1f0"])
    client.pull("app", "1")
    client.create_network("data", driver="macvlan", options={"parent": "ens1f0"})
    process.tell("reset")
    assert client.networks(names=["data"]) == []
    process.tell("mode", endpoint="dtn1", mode="absent")
    assert not (process.folder / "dtn1.sock").exists()
    process.tell("mode", endpoint="dtn1", mode="up")
    assert client.ping()
    process.tell("shuffle", seed=5)
    process.tell("restore", dump=process.fetch("dump"))
    assert client.info()["NCPU"] == 1


def test_unknown_control_calls_say_what_there_is(process: Process) -> None:
    assert "POST faults" in process.fetch("bogus")["message"]
    assert "do is 'explode'" in process.tell("faults", do="explode", at=1)["message"]
    assert "KeyError" in process.tell("release")["message"]
