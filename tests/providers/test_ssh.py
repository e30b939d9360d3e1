"""ssh:// endpoints through a real ssh and a real sshd: they work, they end with us, and what fails is told in one sentence."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from dtnctl.errors import UnreachableError
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.resources import ContainerSpec, Wanted
from dtnctl.model.site import Endpoint
from dtnctl.providers import ssh
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.providers.ssh import FarSocket, explain
from dtnctl.providers.timeouts import Timeouts
from tests.docker_clients import connect
from tests.providers import sshd
from tests.providers.backends import ENDPOINT, IMAGE, SESSION, SITE, FakeBackend, labels_of

PATIENT = Timeouts(connect=5.0, answer=5.0, login=20.0)
ENGINE = FarSocket("/run/docker.sock", "is the engine running", "the group `docker` usually may")
HASTY = Timeouts(connect=1.0, answer=1.0, login=1.0)

needs_sshd = pytest.mark.skipif(sshd.unavailable() is not None, reason=str(sshd.unavailable()))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sshd.Server]:
    with sshd.running_sshd(tmp_path) as running:
        monkeypatch.setenv("PATH", f"{running.bin}:{os.environ['PATH']}")
        yield running


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for temporary files with a path that is short enough for a socket, which `tmp_path` is not for every worker."""
    with tempfile.TemporaryDirectory(prefix="dtn-", dir="/tmp") as folder:
        yield Path(folder)


def provider(address: str, timeouts: Timeouts = PATIENT) -> DockerEngine:
    return connect(
        ENDPOINT, Endpoint(docker=parse_engine(address)), site=SITE, registries={}, read_only=False, root=Path("/"), timeouts=timeouts
    )


def silence(address: str, timeouts: Timeouts = PATIENT) -> str:
    engine = provider(address, timeouts)
    try:
        return engine.observe(Wanted()).silence
    finally:
        engine.close()


@needs_sshd
def test_an_engine_is_read_and_changed_over_ssh_by_several_threads(server: sshd.Server, fake: FakeBackend) -> None:
    engine = provider(server.address(fake.socket))
    try:
        names = [f"{SESSION}{number}" for number in range(12)]
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda name: engine.create_container(name, ContainerSpec(image=IMAGE), labels_of(name)), names))
        seen = engine.observe(Wanted())
        assert (seen.silence, [item.name for item in seen.containers]) == ("", sorted(names))
    finally:
        engine.close()


@needs_sshd
def test_one_ssh_serves_all_calls_and_closing_leaves_nothing(
    server: sshd.Server, fake: FakeBackend, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    engine = provider(server.address(fake.socket))
    for _ in range(3):
        assert engine.observe(Wanted()).silence == ""
    tunnel = engine._connected().transport.tunnel
    assert tunnel is not None
    (folder,) = scratch.iterdir()
    assert (folder.stat().st_mode & 0o777, folder.stat().st_uid) == (0o700, os.geteuid())
    processes = [psutil.Process(tunnel.process.pid), *psutil.Process(tunnel.process.pid).children(recursive=True)]
    assert [process.name() for process in processes] == ["sh", "ssh"]
    engine.close()
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert (alive, list(scratch.iterdir())) == ([], [])


@needs_sshd
def test_ctrl_c_at_the_terminal_does_not_reach_the_ssh_below_us(server: sshd.Server, fake: FakeBackend) -> None:
    engine = provider(server.address(fake.socket))
    tunnel = engine._connected().transport.tunnel
    assert tunnel is not None
    assert os.getsid(tunnel.process.pid) != os.getsid(0)
    engine.close()


@needs_sshd
def test_ssh_and_its_socket_are_gone_after_our_kill_9(server: sshd.Server, fake: FakeBackend, scratch: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from dtnctl.model.site import Endpoint\n"
        "from tests.docker_clients import connect\n"
        "endpoint = Endpoint.model_validate({'docker': sys.argv[1]})\n"
        "engine = connect('e', endpoint, site='s', registries={}, read_only=True, root=pathlib.Path('/'))\n"
        "print(engine._connected().transport.tunnel.process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, server.address(fake.socket)]
    environment = os.environ | {"TMPDIR": str(scratch)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as client:
        assert client.stdout is not None
        tunnel = psutil.Process(int(client.stdout.readline()))
        processes = [tunnel, *tunnel.children(recursive=True)]
        assert len(list(scratch.iterdir())) == 1
        client.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(processes, timeout=20)
    assert (alive, list(scratch.iterdir())) == ([], [])


@needs_sshd
def test_after_ssh_ended_the_next_call_makes_a_new_one(server: sshd.Server, fake: FakeBackend) -> None:
    engine = provider(server.address(fake.socket))
    assert engine.observe(Wanted()).silence == ""
    tunnel = engine._connected().transport.tunnel
    assert tunnel is not None
    (process,) = psutil.Process(tunnel.process.pid).children()
    process.kill()
    tunnel.process.wait(60)
    assert engine.observe(Wanted()).silence == ""
    assert engine._connected().transport.tunnel is not tunnel
    engine.close()


@needs_sshd
def test_a_call_that_ssh_did_not_survive_says_that_ssh_ended(server: sshd.Server, fake: FakeBackend) -> None:
    engine = provider(server.address(fake.socket))
    connection = engine._connected()
    assert connection.transport.tunnel is not None
    (process,) = psutil.Process(connection.transport.tunnel.process.pid).children()
    process.kill()
    connection.transport.tunnel.process.wait(60)
    with pytest.raises(UnreachableError, match="the ssh connection ended"):
        connection.get("/networks")
    engine.close()


@needs_sshd
def test_an_unknown_host_key_is_refused(server: sshd.Server, fake: FakeBackend) -> None:
    server.known_hosts.write_text("")
    assert "the host key of box is not known" in silence(server.address(fake.socket))


@needs_sshd
def test_a_changed_host_key_is_refused(server: sshd.Server, fake: FakeBackend) -> None:
    server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {(server.folder / 'stranger.pub').read_text()}")
    assert "the host key of box has changed" in silence(server.address(fake.socket))


@needs_sshd
def test_a_key_that_is_not_authorized_is_refused(server: sshd.Server, fake: FakeBackend) -> None:
    server.authorized_keys.write_text("")
    assert f"the login {server.user}@box is refused; is the key loaded" in silence(server.address(fake.socket))


@needs_sshd
def test_a_host_name_that_does_not_exist(server: sshd.Server) -> None:
    assert "there is no host of the name 'no-such-host.invalid'" in silence("ssh://ann@no-such-host.invalid")


@needs_sshd
def test_a_port_where_no_sshd_listens(server: sshd.Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "no process listens for ssh on 127.0.0.1" in silence(f"ssh://127.0.0.1:{port}")


@needs_sshd
def test_a_host_that_accepts_and_says_nothing(server: sshd.Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said = silence(f"ssh://127.0.0.1:{listener.getsockname()[1]}", HASTY)
    assert "in time" in said


@needs_sshd
def test_an_engine_socket_that_is_not_there(server: sshd.Server, tmp_path: Path) -> None:
    assert f"there is no socket {tmp_path / 'none.sock'} on box" in silence(server.address(tmp_path / "none.sock"))


@needs_sshd
def test_an_engine_socket_behind_which_nobody_listens(server: sshd.Server, tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert f"{path} on box takes no connections; is the engine running" in silence(server.address(path))


@needs_sshd
def test_an_sshd_that_does_not_forward_sockets(tmp_path: Path, fake: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    with sshd.running_sshd(tmp_path, "AllowStreamLocalForwarding no") as running:
        monkeypatch.setenv("PATH", f"{running.bin}:{os.environ['PATH']}")
        assert "does sshd allow it (AllowStreamLocalForwarding yes)?" in silence(running.address(fake.socket))


@needs_sshd
def test_what_a_login_shell_says_first_does_no_harm(tmp_path: Path, fake: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    with sshd.running_sshd(tmp_path, 'ForceCommand echo Welcome to missing denied things; $SHELL -c "$SSH_ORIGINAL_COMMAND"') as running:
        monkeypatch.setenv("PATH", f"{running.bin}:{os.environ['PATH']}")
        assert silence(running.address(fake.socket)) == ""


def test_an_ssh_that_hangs_is_killed_at_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text(f"#!/bin/sh\necho {ssh.READY}\nexec sleep 1000\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    tunnel = ssh.open_tunnel(parse_engine("ssh://box"), ENGINE, Timeouts(closing=0.05))
    processes = [psutil.Process(tunnel.process.pid), *psutil.Process(tunnel.process.pid).children(recursive=True)]
    tunnel.close()
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert (alive, tunnel.is_alive, tunnel.socket.parent.exists()) == ([], False, False)


def test_without_an_ssh_client_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    (tmp_path / "rm").symlink_to("/bin/rm")
    (tmp_path / "rmdir").symlink_to("/bin/rmdir")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no ssh client on this machine" in silence("ssh://box")


def test_a_socket_folder_with_a_long_path_is_replaced_by_a_short_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    folder = ssh._socket_folder()
    folder.rmdir()
    assert len(str(folder)) < ssh.LONGEST_SOCKET_PATH
    assert list(deep.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ssh: connect to host h port 22: No route to host", "there is no route to h"),
        ("ssh: connect to host h port 22: Connection timed out", "no connection to h in time"),
        ("something\nelse entirely\n", "ssh ended: else entirely"),
        ("", "ssh ended without a word"),
    ],
)
def test_the_words_of_ssh_become_one_sentence(text: str, sentence: str) -> None:
    assert explain(text, parse_engine("ssh://h")).startswith(sentence)


def test_a_socket_that_the_login_may_not_open_is_told() -> None:
    with pytest.raises(UnreachableError, match=r"may not open /run/docker\.sock; the group `docker` usually may"):
        ssh._check_socket([ssh.DENIED, ssh.READY], parse_engine("ssh://h"), ENGINE)
