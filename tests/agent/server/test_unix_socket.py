"""The agent on a unix socket: the kernel lets root and one group in and says who asks; a killed agent's socket is replaced."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dtn_agent.server.access import open_access
from dtn_agent.server.unix_socket import unix_listener

from tests.agent.server.serving import TUNE, Agent, ask_socket, running_on_socket, serving, with_certificates
from tests.agent.server.test_start import CLONE, ENVIRONMENT
from tests.providers.certificates import authority

ASK = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
STRANGER, GROUP = 65534, 54321
needs_root = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv: it asks as others")


def test_whoever_may_open_the_socket_may_ask_and_the_log_says_who_it_was(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with running_on_socket(path) as agent:
        assert ask_socket(path)[1]["facts"]["system"]["hostname"] == "dtn1"
        assert ask_socket(path, "POST", "/v1/perform", TUNE) == (200, {"changed": True, "detail": "tune"})
        assert ask_socket(path, "GET", "/v1/nothing")[0] == 404
    (audit,) = agent.events("audit")
    assert (audit["who"], audit["from"], audit["result"]) == (f"uid {os.geteuid()}", str(path), "done")
    assert {(line["who"], line["from"]) for line in agent.events("request")} == {(f"uid {os.geteuid()}", str(path))}
    assert not path.exists()


def test_a_request_that_is_too_large_is_refused_as_over_tls(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with running_on_socket(path):
        assert ask_socket(path, "POST", "/v1/perform", {"do": "x" * 70_000})[0] == 413


def test_a_port_and_a_socket_are_served_at_once_and_each_knows_its_callers(tmp_path: Path) -> None:
    ca, path = authority(), tmp_path / "agent.sock"
    access = open_access(with_certificates(tmp_path, ca))
    with (
        socket.create_server(("127.0.0.1", 0)) as port,
        unix_listener(path, os.getgid(), 8) as listener,
        serving([port, listener], tmp_path, access) as (resource, output),
    ):
        agent = Agent(tmp_path, port.getsockname()[1], resource, ca, output)
        assert agent.ask(agent.known())[0] == 200
        assert ask_socket(path)[0] == 200
    assert [line["who"] for line in agent.events("request")] == ["ci.example", f"uid {os.geteuid()}"]


# --- the kernel's permissions -----------------------------------------------------------------------------------------


def asked_as(path: Path, *groups: int) -> str:
    """What the kernel says to another user who opens the socket; nothing if it lets him in."""
    given = ["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]
    command = ["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}", *given, "/usr/bin/python3", "-c", ASK, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that every user may enter."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    return tmp_path


@needs_root
def test_another_user_is_refused_by_the_kernel_and_one_of_the_group_is_not(open_folder: Path) -> None:
    path = open_folder / "agent.sock"
    with running_on_socket(path, GROUP):
        found = path.stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o660, 0, GROUP)
        assert "PermissionError: [Errno 13]" in asked_as(path)
        assert asked_as(path, GROUP) == ""


# --- what is there already --------------------------------------------------------------------------------------------


def test_a_socket_that_a_killed_agent_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with running_on_socket(path):
        assert ask_socket(path)[0] == 200


def test_a_socket_that_another_program_listens_on_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with running_on_socket(path):
        with pytest.raises(OSError, match="another program listens there"), unix_listener(path, os.getgid(), 8):
            pass
        assert ask_socket(path)[0] == 200


def test_a_file_that_is_no_socket_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    path.write_text("mine")
    with pytest.raises(OSError, match="there is a file of this name that is no socket"), unix_listener(path, os.getgid(), 8):
        pass
    assert path.read_text() == "mine"


def test_the_folder_is_made_so_that_the_group_can_enter_it(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with unix_listener(tmp_path / "dtnctl/agent.sock", os.getgid(), 8):
            assert stat.S_IMODE((tmp_path / "dtnctl").stat().st_mode) == 0o755
    finally:
        os.umask(before)


def test_a_socket_that_took_the_place_of_ours_stays(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with unix_listener(path, os.getgid(), 8):
        path.rename(tmp_path / "ours.sock")
        path.write_text("theirs")
    assert path.read_text() == "theirs"


# --- the process ------------------------------------------------------------------------------------------------------


@contextmanager
def process(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`dtn-agent serve` on a socket, ready, with a resource that only remembers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        (folder / "notify").unlink(missing_ok=True)
        systemd.bind(str(folder / "notify"))
        systemd.settimeout(60)
        command = [sys.executable, "-m", "tests.agent.server.serve_program", str(folder), str(folder / "agent.sock"), *options]
        environment = {**ENVIRONMENT, "NOTIFY_SOCKET": str(folder / "notify")}
        running = subprocess.Popen(command, cwd=CLONE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert systemd.recv(100) == b"READY=1"
            yield running
        finally:
            running.kill()
            running.communicate()


def test_an_agent_that_was_killed_and_started_again_answers_on_the_same_socket(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with process(tmp_path):
        assert ask_socket(path)[0] == 200
    assert path.is_socket()  # kill -9 leaves it
    with process(tmp_path) as again:
        assert ask_socket(path)[0] == 200
        again.send_signal(signal.SIGTERM)
        out, errors = again.communicate(timeout=60)
    assert (again.returncode, errors, path.exists()) == (0, "", False)
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["listening", "request", "ended"]


def serve(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dtn_agent", "serve", *words]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)


def test_a_group_that_does_not_exist_is_reported_before_anything_is_done(tmp_path: Path) -> None:
    ran = serve("--socket", str(tmp_path / "agent.sock"), "--group", "no-such-group")
    assert (ran.returncode, ran.stdout) == (78, "")
    assert re.search(r"not started: --group no-such-group: there is no such group on this host", ran.stderr)


def test_a_port_beside_the_socket_needs_its_certificates_as_ever(tmp_path: Path) -> None:
    ran = serve("--socket", str(tmp_path / "agent.sock"), "--cert", str(tmp_path / "none.pem"))
    assert (ran.returncode, ran.stdout) == (78, "")
    assert "not started: there is no TLS certificate and key" in ran.stderr
    assert "every client could ask; give --client-ca" in ran.stderr
