"""An agent that really serves TLS on loopback, with a resource that only remembers, and clients of every kind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, get_args

from dtn_agent import protocol as p
from dtn_agent.errors import RefusedError
from dtn_agent.host_resource import HostResource
from dtn_agent.ledger import Ledger
from dtn_agent.log import Lines
from dtn_agent.protocol.tuning import HeldTuning, Tune
from dtn_agent.server.access import Access, Credentials, open_access
from dtn_agent.server.limits import ServerLimits
from dtn_agent.server.serve import make_server
from dtn_agent.server.unix_socket import unix_listener
from dtn_agent.work import Work

from tests.providers.certificates import CLIENT, SERVER, Pair, authority, issue

TOKEN = "0123456789abcdef0123456789abcdef"
DEFAULTS = ServerLimits()
TUNE: dict[str, Any] = {"do": "tune", "site": "demo", "key": "sysctl/net.core.rmem_max", "value": "268435456"}
FACTS = p.Facts(system=p.System(hostname="dtn1", kernel="6.12"), cpus=p.Cpus(logical=4), memory=p.Memory(total=8, available=4))


@dataclass
class MemoryResource(HostResource[p.Request]):
    """Takes every request, on a host that is a dictionary. What was asked of it is in `asked`, in order.

    `gate`, when it is given, is waited for in every change, after `entered` was released: so a test decides how long one takes.
    `raises` is raised by the next change.
    """

    name = "memory"
    requests = get_args(get_args(p.Request)[0])
    entry = HeldTuning

    asked: list[p.Request] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    gate: threading.Event | None = None
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    raises: Exception | None = None

    def perform(self, request: p.Request) -> p.Done:
        self.entered.release()
        if self.gate is not None:
            assert self.gate.wait(60)
        if self.raises is not None:
            raise self.raises
        is_new = request not in self.asked
        self.asked.append(request)
        if isinstance(request, Tune):
            self.values[request.key] = request.value
        return p.Done(changed=is_new, detail=request.do)

    def held(self) -> tuple[HeldTuning, ...]:
        return ()

    def abilities(self, facts: p.Facts) -> tuple[p.Ability, ...]:
        del facts
        return (p.Ability(name="tune"),)

    def readings(self, keys: Collection[str], facts: p.Facts) -> dict[str, str | None]:
        del facts
        return {key: self.values.get(key) for key in keys}


@dataclass
class Agent:
    """A running agent, and what is needed to speak to it."""

    folder: Path
    port: int
    resource: MemoryResource
    ca: Pair
    output: io.StringIO

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it wrote so far."""
        return [json.loads(line) for line in self.output.getvalue().splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of this kind; the last ones may be written a moment after their answer, so the first is waited for."""
        until = time.monotonic() + 10
        while not (found := [line for line in self.lines if line["event"] == name]) and time.monotonic() < until:
            time.sleep(0.01)
        return found

    def context(self, client: Pair | None = None) -> ssl.SSLContext:
        """A client's TLS settings, with this certificate or none."""
        context = ssl.create_default_context(cafile=self.ca.write(self.folder, "ca")[0])
        if client is not None:
            context.load_cert_chain(*client.write(self.folder, "client"))
        return context

    def known(self, name: str = "ci.example") -> ssl.SSLContext:
        """A client that the agent knows."""
        return self.context(issue(self.ca, name=name, uses=(CLIENT,)))

    def connect(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=30), server_hostname="127.0.0.1")

    def ask(
        self, context: ssl.SSLContext, method: str = "GET", path: str = "/v1/host", body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """One request over a connection of its own: status and decoded answer."""
        connection = HTTPSConnection("127.0.0.1", self.port, context=context, timeout=30)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            connection.request(method, path, content, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def perform(self, body: Any, context: ssl.SSLContext | None = None) -> tuple[int, Any]:
        return self.ask(context or self.known(), "POST", "/v1/perform", body)


def read_answer(connection: ssl.SSLSocket) -> tuple[int, Any]:
    """The answer that is on its way on this connection."""
    answer = HTTPResponse(connection)
    answer.begin()
    return answer.status, json.loads(answer.read())


def write_token(folder: Path, text: str = TOKEN, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(text + "\n")
    path.chmod(mode)
    return path


def write_server(folder: Path, ca: Pair) -> tuple[Path, Path]:
    cert, key = issue(ca, name="dtn1", uses=(SERVER,)).write(folder, "server")
    key.chmod(0o600)
    return cert, key


Ways = Callable[[Path, Pair], Credentials]


def with_certificates(folder: Path, ca: Pair) -> Credentials:
    return Credentials(*write_server(folder, ca), client_ca=ca.write(folder, "ca")[0])


def with_token(folder: Path, ca: Pair) -> Credentials:
    return Credentials(*write_server(folder, ca), token_file=write_token(folder))


def with_both(folder: Path, ca: Pair) -> Credentials:
    return Credentials(*write_server(folder, ca), client_ca=ca.write(folder, "ca")[0], token_file=write_token(folder))


@contextmanager
def running_agent(folder: Path, ways: Ways = with_certificates, limits: ServerLimits = DEFAULTS) -> Iterator[Agent]:
    """Serve TLS in a thread, as serve() does in the process; it has ended when the block has."""
    ca = authority()
    access = open_access(ways(folder, ca))
    with (
        socket.create_server(("127.0.0.1", 0), backlog=limits.queue) as listener,
        serving([listener], folder, access, limits) as (resource, output),
    ):
        yield Agent(folder, listener.getsockname()[1], resource, ca, output)


@dataclass
class SocketAgent:
    """A running agent on a unix socket."""

    path: Path
    resource: MemoryResource
    output: io.StringIO

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.output.getvalue().splitlines()) if line["event"] == name]


@contextmanager
def running_on_socket(path: Path, group: int | None = None, limits: ServerLimits = DEFAULTS) -> Iterator[SocketAgent]:
    """Serve on a unix socket; it has ended when the block has."""
    with (
        unix_listener(path, os.getgid() if group is None else group, limits.queue) as listener,
        serving([listener], path.parent, Access(), limits) as (resource, output),
    ):
        yield SocketAgent(path, resource, output)


@contextmanager
def serving(
    listeners: list[socket.socket], folder: Path, access: Access, limits: ServerLimits = DEFAULTS
) -> Iterator[tuple[MemoryResource, io.StringIO]]:
    """A server in a thread: its resource and what it writes."""
    resource, output = MemoryResource(), io.StringIO()
    work = Work(Ledger(folder / "ledger.json"), lambda held: FACTS, (resource,), lambda: True)
    accepting = threading.Event()
    server = make_server(listeners, work, access, Lines(output), limits, accepting.set)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert accepting.wait(30)
        yield resource, output
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


class SocketConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def ask_socket(path: Path, method: str = "GET", target: str = "/v1/host", body: Any = None) -> tuple[int, Any]:
    """One request over a connection of its own: status and decoded answer."""
    with contextlib.closing(SocketConnection(path)) as connection:
        connection.request(method, target, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def unasked(output: io.StringIO) -> list[tuple[str, str, str]]:
    """What lines of an Audit tell of what the agent did by itself: what, of what, and how it ended."""
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    told = [line for line in lines if line["event"] == "audit"]
    assert all((line["who"], line["from"]) == ("agent", "") and line["changed"] is (line["result"] == "done" or None) for line in told)
    subjects = ("key", "container", "vf", "parent", "pf")
    return [
        (line["request"]["do"], next(line["request"][name] for name in subjects if name in line["request"]), line["result"])
        for line in told
    ]


def refusal(code: str, text: str) -> RefusedError:
    """A resource's refusal."""
    return RefusedError(code, text)  # type: ignore[arg-type]  # tests name the codes
