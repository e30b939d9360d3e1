"""`dtnctl reconcile` as a process of its own: signals, the lock, its listeners, systemd."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.cli.small_site import PROGRAM, environment, run, two_engines
from tests.free_ports import free_port
from tests.pulling.scene import SESSION, Repository

PATIENCE = 300.0  # seconds: of a loop that hangs; one on a busy machine takes a minute to start


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """With session `s` on two engines in memory."""
    found = Repository(tmp_path)
    with two_engines(found.work):
        found.push({})
        yield found


class Process:
    """A loop that runs; its stderr is a file."""

    def __init__(self, folder: Path, repository: Repository, *options: str, **more: str) -> None:
        self.folder = folder
        self.log = folder.with_suffix(".log")
        words = [*PROGRAM, "reconcile", "--repo", repository.url, "--state-dir", str(folder), *options]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(words, stderr=log, stdin=subprocess.DEVNULL, env=environment(**more), cwd=folder.parent)

    def until(self, text: str) -> str:
        """The log, once it has the text."""
        end = time.monotonic() + PATIENCE
        while text not in self.log.read_text():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.log.read_text()}"
            assert time.monotonic() < end, f"no {text!r} in:\n{self.log.read_text()}"
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        return self.log.read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def ask(port: int, method: str, path: str, **headers: str) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, b"", {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.read().decode()


def test_webhook_brings_a_push_in_at_once_and_metrics_and_health_say_so(tmp_path: Path, repository: Repository) -> None:
    port = free_port()
    (tmp_path / "secret").write_text("s3cret\n")
    address = f"127.0.0.1:{port}"
    options = ("--interval", "1h", "--webhook", address, "--webhook-secret", str(tmp_path / "secret"), "--metrics", address)
    with Process(tmp_path / "loop", repository, *options) as loop:
        loop.until("is applied: 2 changes")
        commit = repository.push({"sessions/t": SESSION})
        assert ask(port, "POST", "/webhook", X_Gitlab_Token="wrong")[0] == 401
        assert ask(port, "POST", "/webhook", X_Gitlab_Token="s3cret")[0] == 202
        loop.until(f"{commit[:12]} is applied: 1 change")
        assert json.loads(ask(port, "GET", "/healthz")[1])["status"] == "ok"
        metrics = ask(port, "GET", "/metrics")[1]
        assert f'dtnctl_reconcile_commit_info{{commit="{commit}",role="applied"}} 1' in metrics
        assert 'dtnctl_reconcile_webhooks_total{result="not_signed"} 1' in metrics
        assert json.loads(ask(port, "GET", "/journal")[1])["applied"] == commit
        assert loop.end() == 143
        assert "dtnctl: terminated (143)" in loop.log.read_text()


def test_loop_that_is_killed_goes_on_when_it_is_started_again(tmp_path: Path, repository: Repository) -> None:
    with Process(tmp_path / "loop", repository, "--interval", "1h") as loop:
        loop.until("is applied: 2 changes")
        loop.end(signal.SIGKILL)
    repository.push({"sessions/t": SESSION})
    ran = run(tmp_path, "reconcile", "--once", "--repo", repository.url, "--state-dir", str(tmp_path / "loop"))
    assert (ran.returncode, "is applied: 1 change" in ran.stderr) == (0, True), ran.stderr
    journal = json.loads((tmp_path / "loop" / "journal.json").read_text())
    assert [item["changes"] for item in journal["runs"]] == [2, 1]


def test_folder_that_the_loop_cannot_work_in_is_named(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "loop" / "journal.json").mkdir(parents=True)
    ran = run(tmp_path, "reconcile", "--once", "--repo", repository.url, "--state-dir", str(tmp_path / "loop"))
    assert (ran.returncode, f"{tmp_path / 'loop'} cannot be used: " in ran.stderr) == (64, True), ran.stderr


def test_second_loop_in_the_same_folder_is_refused(tmp_path: Path, repository: Repository) -> None:
    with Process(tmp_path / "loop", repository, "--interval", "1h") as loop:
        loop.until("is applied")
        ran = run(tmp_path, "reconcile", "--once", "--repo", repository.url, "--state-dir", str(tmp_path / "loop"))
        assert ran.returncode == 6
        assert f"process {loop.process.pid}" in ran.stderr
        assert loop.process.poll() is None


def test_interrupt_ends_it_with_its_own_code(tmp_path: Path, repository: Repository) -> None:
    with Process(tmp_path / "loop", repository, "--interval", "1h") as loop:
        loop.until("is applied")
        assert loop.end(signal.SIGINT) == 130


def test_systemd_is_notified(tmp_path: Path, repository: Repository) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        with Process(tmp_path / "loop", repository, "--interval", "1h", NOTIFY_SOCKET=str(tmp_path / "notify")) as loop:
            received = b""
            while b"as declared" not in received:
                received += manager.recv(4096) + b"\n"
            assert {b"READY=1", b"WATCHDOG=1"} <= set(received.splitlines())
            loop.end()
            while b"STOPPING=1" not in received:
                received += manager.recv(4096) + b"\n"


@pytest.mark.parametrize(
    ("state", "code", "text"),
    [
        ("name: small\n", 0, "is applied"),
        ("nonsense: 1\n", 65, "is broken: state/site.yaml:1: "),
    ],
    ids=["good", "broken"],
)
def test_exit_code_of_one_round(tmp_path: Path, repository: Repository, state: str, code: int, text: str) -> None:
    repository.push({"site": state, "sessions/t": SESSION})
    ran = run(tmp_path, "reconcile", "--once", "--repo", repository.url, "--state-dir", str(tmp_path / "loop"))
    assert (ran.returncode, text in ran.stderr) == (code, True), ran.stderr


def test_one_round_without_a_remote_says_that_it_is_unreachable(tmp_path: Path) -> None:
    ran = run(tmp_path, "reconcile", "--once", "--repo", f"file://{tmp_path}/none.git", "--state-dir", str(tmp_path / "loop"))
    assert ran.returncode == 7
    assert "there is no good commit yet" in ran.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "--repo URL"),
        (("--repo", "https://me:pw@x/r.git"), "password"),
        (("--repo", "r", "--webhook", "127.0.0.1:0"), "--webhook-secret"),
        (("--repo", "r", "--allowed-signers", "/nowhere/signers"), "there is no such file"),
        (("--repo", "r", "--signed-since", "main"), "not the full id of a commit"),
    ],
)
def test_what_cannot_be_done_as_typed_is_an_error_of_usage(tmp_path: Path, options: tuple[str, ...], reason: str) -> None:
    ran = run(tmp_path, "reconcile", "--state-dir", str(tmp_path / "loop"), *options)
    assert ran.returncode == 64
    assert reason in ran.stderr


def test_secret_that_is_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\nreal\n")
    ran = run(tmp_path, "reconcile", "--repo", "r", "--webhook", "127.0.0.1:0", "--webhook-secret", "secret")
    assert ran.returncode == 64
    assert "first line is empty" in ran.stderr


def test_the_units_line_starts_the_loop_by_the_lines_of_its_environment_file_alone(tmp_path: Path, repository: Repository) -> None:
    """As systemd does it: the words of ExecStart, EnvironmentFile, StateDirectory and a socket to notify."""
    unit = run(tmp_path, "reconcile", "--print-unit").stdout.splitlines()
    (start,) = [line.removeprefix("ExecStart=").split() for line in unit if line.startswith("ExecStart=")]
    given = {"DTNCTL_REPO": repository.url, "DTNCTL_INTERVAL": "1h", "STATE_DIRECTORY": str(tmp_path / "state")}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        process = subprocess.Popen(
            start, stderr=subprocess.PIPE, text=True, env=environment(NOTIFY_SOCKET=str(tmp_path / "notify"), **given), cwd=tmp_path
        )
        try:
            received = b""
            while b"as declared" not in received:
                received += manager.recv(4096) + b"\n"
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=PATIENCE)[1]
        finally:
            process.kill()
    assert b"READY=1" in received.splitlines()
    assert process.returncode == 143, said
    assert "is applied: 2 changes" in said
    assert (tmp_path / "state" / "journal.json").exists()


def test_unit_starts_this_program_and_systemd_accepts_it(tmp_path: Path) -> None:
    ran = run(tmp_path, "reconcile", "--print-unit")
    assert ran.returncode == 0
    (start,) = [line for line in ran.stdout.splitlines() if line.startswith("ExecStart=")]
    program = start.removeprefix("ExecStart=").split()[0]
    assert os.access(program, os.X_OK)
    unit = tmp_path / "dtnctl-reconcile.service"
    unit.write_text(ran.stdout)
    try:
        checked = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], text=True, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("systemd-analyze is not installed")
    complaints = [line for line in checked.stderr.splitlines() if "dtnctl-reconcile" in line]
    assert complaints == []
