"""The agent as a process: it refuses to start open, says when it is ready, and ends when it is told to."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from dtn_agent import protocol as p
from dtn_agent.ledger import Ledger
from dtn_agent.log import Lines
from dtn_agent.protocol.qos import HeldQos, QosSettings
from dtn_agent.protocol.tuning import HeldTuning
from dtn_agent.server.access import Credentials, UnsafeError, open_access
from dtn_agent.server.serve import ServeOptions, parse_listen, work_beside_driver

from tests.agent.server.serving import TUNE, Agent, MemoryResource, unasked, write_server, write_token
from tests.free_ports import free_port
from tests.providers.certificates import Pair, authority

CLONE = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{CLONE}:{CLONE / 'agent'}", "PYTHONUNBUFFERED": "1"}


@dataclass
class Files:
    """Everything that `serve` can be started with, all of it right."""

    folder: Path
    ca: Pair

    def __post_init__(self) -> None:
        self.cert, self.key = write_server(self.folder, self.ca)
        self.client_ca = self.ca.write(self.folder, "ca")[0]
        self.token = write_token(self.folder)

    def options(self) -> dict[str, Path]:
        return {"--cert": self.cert, "--key": self.key, "--client-ca": self.client_ca, "--token-file": self.token}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path, authority())


def try_to_serve(options: dict[str, Path], *more: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for pair in options.items() for word in pair]
    command = [sys.executable, "-m", "dtn_agent", "serve", "--listen", "127.0.0.1:0", *words, *more]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)


def without(*names: str) -> Callable[[Files], dict[str, Path]]:
    return lambda files: {name: path for name, path in files.options().items() if name not in names}


def changed(name: str, change: Callable[[Path], object]) -> Callable[[Files], dict[str, Path]]:
    def make(files: Files) -> dict[str, Path]:
        change(files.options()[name])
        return files.options()

    return make


def swap_certificate(path: Path) -> None:
    path.write_bytes((path.parent / "ca.pem").read_bytes())


REFUSED: dict[str, tuple[Callable[[Files], dict[str, Path]], str]] = {
    "nobody would be asked who he is": (without("--client-ca", "--token-file"), "every client could ask; give --client-ca, --token-file"),
    "no TLS": (without("--cert", "--key"), "there is no TLS certificate and key"),
    "no key": (without("--key"), "there is no TLS certificate and key"),
    "the world reads the key": (changed("--key", lambda path: path.chmod(0o644)), "server-key.pem has mode 0644, so others may use it"),
    "the group reads the key": (changed("--key", lambda path: path.chmod(0o640)), "server-key.pem has mode 0640"),
    "the world reads the token": (changed("--token-file", lambda path: path.chmod(0o604)), "token has mode 0604"),
    "a short token": (changed("--token-file", lambda path: path.write_text("x" * 31)), "has 31 characters; write at least 32"),
    "an empty token": (changed("--token-file", lambda path: path.write_text("\n" + "x" * 64)), "has 0 characters"),
    "no such token": (changed("--token-file", Path.unlink), "token: No such file"),
    "no such certificate": (changed("--cert", Path.unlink), "server.pem: No such file"),
    "no such CA": (changed("--client-ca", Path.unlink), "ca.pem: No such file"),
    "a CA file without one": (changed("--client-ca", lambda path: path.write_text("x")), "ca.pem holds no CA certificate"),
    "another certificate's key": (changed("--cert", swap_certificate), "are no PEM certificate and its key"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_would_leave_it_open_is_told(files: Files, why: str) -> None:
    make, sentence = REFUSED[why]
    options = make(files)
    with pytest.raises(UnsafeError) as raised:
        open_access(Credentials(*(options.get(name) for name in ("--cert", "--key", "--client-ca", "--token-file"))))
    assert sentence in str(raised.value)


def test_somebody_elses_secret_is_none(files: Files) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to give a file away")
    os.chown(files.key, 65534, 65534)
    with pytest.raises(UnsafeError, match="belongs to user 65534"):
        open_access(Credentials(files.cert, files.key, files.client_ca))


def test_it_does_not_start_where_it_would_be_open_and_says_all_that_is_wrong(files: Files) -> None:
    files.key.chmod(0o644)
    files.token.write_text("short")
    ran = try_to_serve(files.options())
    assert (ran.returncode, ran.stdout) == (78, "")
    assert [line.startswith("dtn-agent: not started: ") for line in ran.stderr.splitlines()] == [True, True]


@pytest.mark.parametrize("address", ["5050", "0.0.0.0:", "0.0.0.0:99999", ":5050"])
def test_an_address_to_listen_on_that_is_none_is_told(address: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"--listen {address}: expected ADDRESS:PORT")):
        parse_listen(address)


def test_addresses_of_both_kinds_are_read() -> None:
    assert parse_listen("0.0.0.0:5050") == ("0.0.0.0", 5050)
    assert parse_listen("[::]:5050") == ("::", 5050)


# --- a life -----------------------------------------------------------------------------------------------------------


@dataclass
class Running:
    """A process that has said that it is ready."""

    process: subprocess.Popen[str]
    agent: Agent

    def end(self, number: int) -> tuple[int, list[dict[str, Any]], str]:
        """Signal it: its exit code, its lines, and what it wrote to stderr."""
        self.process.send_signal(number)
        out, errors = self.process.communicate(timeout=60)
        return self.process.returncode, [json.loads(line) for line in out.splitlines()], errors


@contextmanager
def running(files: Files, *options: str) -> Iterator[Running]:
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(files.folder / "notify"))
        systemd.settimeout(60)
        command = [sys.executable, "-m", "tests.agent.server.serve_program", str(files.folder), f"127.0.0.1:{port}", *options]
        environment = {**ENVIRONMENT, "NOTIFY_SOCKET": str(files.folder / "notify")}
        process = subprocess.Popen(command, cwd=CLONE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert systemd.recv(100) == b"READY=1"
            yield Running(process, Agent(files.folder, port, MemoryResource(), files.ca, io.StringIO()))
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_is_ready_when_it_says_so_and_ends_when_it_is_told(files: Files, number: int) -> None:
    with running(files) as service:
        assert service.agent.perform(TUNE) == (200, {"changed": True, "detail": "tune"})
        code, lines, errors = service.end(number)
    assert (code, errors) == (0, "")
    assert [line["event"] for line in lines] == ["listening", "audit", "request", "ended"]


def test_a_change_that_is_being_made_is_finished_before_the_end(files: Files) -> None:
    gate = files.folder / "gate"
    os.mkfifo(gate)
    with running(files, "--slow") as service, ThreadPoolExecutor() as pool:
        changing = pool.submit(service.agent.perform, TUNE)
        with gate.open("wb"):  # opens when the change is at work
            service.process.send_signal(signal.SIGTERM)
        assert changing.result(60)[0] == 200
        out, _ = service.process.communicate(timeout=60)
    assert service.process.returncode == 0
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["listening", "audit", "request", "ended"]


def test_a_resource_that_cannot_be_restored_is_logged_and_the_agent_answers(files: Files) -> None:
    with running(files, "--broken") as service:
        assert service.agent.ask(service.agent.known())[0] == 200
        _, lines, _ = service.end(signal.SIGTERM)
    assert [line["text"] for line in lines if line["event"] == "failed"] == ["restoring memory"]


class SilentEngine(socketserver.BaseRequestHandler):
    """An engine's socket while systemd holds it: it takes connections, and nobody answers before `ends`."""

    asked: ClassVar[list[bytes]]
    ends: ClassVar[threading.Event]

    def handle(self) -> None:
        self.asked.append(self.request.recv(1000))
        self.ends.wait()


def test_nothing_is_asked_of_an_engine_that_waits_for_us_before_we_are_ready(tmp_path: Path) -> None:
    entries = [
        HeldQos(container=f"c{number}", owner=p.Owner(site="play"), address="10.9.9.2", wanted=QosSettings(rate=1), now=None)
        for number in range(3)
    ]
    paths = [tmp_path / name for name in ("ledger.json", "engine.sock", "plugin.sock")]
    missing = HeldTuning(key="sysctl/net.ipv4.tcp_nothing", found="0", wanted="1", now=None, site="play")
    Ledger(paths[0]).write(lambda held: held.model_copy(update={"qos": tuple(entries), "tuning": (missing,)}))
    output = io.StringIO()
    SilentEngine.asked, SilentEngine.ends = [], threading.Event()
    with socketserver.ThreadingUnixStreamServer(str(paths[1]), SilentEngine) as engine:
        threading.Thread(target=engine.serve_forever, args=(0.01,)).start()
        with work_beside_driver(ServeOptions(Credentials(None, None), paths[0], paths[1], paths[2]), Lines(output)):
            assert unasked(output) == [("tune", missing.key, "not-found")]
            asked = list(SilentEngine.asked)
            SilentEngine.ends.set()
        engine.shutdown()
    assert [path for path in asked if b"/events" not in path] == []


def test_a_port_that_is_taken_is_told(files: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "tests.agent.server.serve_program", str(files.folder), f"127.0.0.1:{taken.getsockname()[1]}"]
        ran = subprocess.run(command, cwd=CLONE, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode != 0
    assert "in use" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_unit_is_printed() -> None:
    ran = subprocess.run([sys.executable, "-m", "dtn_agent", "unit"], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert ran.stdout == (CLONE / "agent/dtn_agent/dtn-agent.service").read_text()
