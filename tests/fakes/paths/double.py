"""What all stand-ins of path providers share: a listener on loopback, who may ask, the calls in their order, and accidents."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "canary-3f9a-path-token"  # of the stand-ins alone
TOKEN_VARIABLE = "PATH_TOKEN"  # its name


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: `form` and `query` by key, `body` as JSON."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Any
    form: Mapping[str, list[str]]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answered:
    """`body` is sent as JSON, a text as it is."""

    status: int
    body: Any = None


@dataclass(slots=True)
class Accident:
    """At the call of this number, counted from 1: `happen`, before it is carried out or after, and no answer is sent."""

    at: int
    when: Literal["before", "after"]
    happen: Callable[[], None]


@dataclass(slots=True)
class Circuit:
    """One path that the provider has. `pending` is the state that it reaches at the look after the next ones."""

    id: str
    state: str
    body: dict[str, Any]
    pending: str = ""
    looks: int = 0
    error: str = ""
    more: dict[str, Any] = field(default_factory=dict)


class Double(ABC):
    """Listens while it is open. `pace`: looks that it takes until what was asked for is done.

    `failing`: the words with which the next thing that takes time fails; `broken`: the answer to every call.
    `refuses_at_once`: what cannot be is refused as it is asked for, and does not fail later. `forgives_release`: to release what is gone
    is no error. `reports_pools`: the VLANs that it reports are all that a port may have, taken or not.
    """

    kind: str
    ports: tuple[str, str]
    refuses_at_once = False
    forgives_release = False
    reports_pools = False

    def __init__(self, *, pace: int = 1) -> None:
        self.pace = pace
        self.failing = ""
        self.broken: Answered | None = None
        self.accident: Accident | None = None
        self.calls: list[str] = []
        self.circuits: dict[str, Circuit] = {}
        self._lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.base}"

    @property
    def base(self) -> str:
        """The folder that its API is in."""
        return ""

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What site.yaml says of it."""

    @abstractmethod
    def answer(self, asked: Asked) -> Answered:
        """What it does and answers, with the lock held."""

    @abstractmethod
    def add_foreign(self) -> None:
        """Paths of others, some of them with what a copy of ours would have."""

    @property
    @abstractmethod
    def gone(self) -> frozenset[str]:
        """Its words for states of what is of no use any more."""

    @property
    def living(self) -> list[Circuit]:
        """All but those that are gone."""
        return [item for item in self.circuits.values() if item.state not in self.gone]

    def serve(self, asked: Asked) -> Answered | None:
        """The answer, or None where an accident keeps it from being sent."""
        with self._lock:
            self.calls.append(f"{asked.method} {asked.path}")
            accident = self.accident if self.accident is not None and self.accident.at == len(self.calls) else None
            if accident is not None and accident.when == "before":
                accident.happen()
                return None
            answered = self.broken or self.answer(asked)
            if accident is not None:
                accident.happen()
                return None
            return answered

    def begin(self, circuit: Circuit, state: str, then: str, failed: str) -> None:
        """It is in a state on its way to another one; or to the failed one, if the next is to fail."""
        circuit.state, circuit.looks = state, 0
        circuit.pending, circuit.error = (failed, self.failing) if self.failing else (then, "")
        self.failing = ""

    def look(self, circuit: Circuit) -> None:
        """Somebody looks: after enough looks it is where it was going."""
        if circuit.pending:
            circuit.looks += 1
            if circuit.looks > self.pace:
                circuit.state, circuit.pending = circuit.pending, ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is none of its errors."""


def _handler(double: Double) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parts = urlsplit(self.path)
            is_form = "form" in self.headers.get("Content-Type", "")
            body = json.loads(raw) if raw and not is_form else None
            form = parse_qs(raw) if is_form else {}
            path = parts.path.removeprefix(double.base)
            answered = double.serve(Asked(self.command, path, parse_qs(parts.query), body, form, dict(self.headers)))
            if answered is None:
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            text = answered.body if isinstance(answered.body, str) else json.dumps(answered.body)
            content = text.encode() if answered.body is not None else b""
            self.send_response(answered.status)
            self.send_header("Content-Type", "text/plain" if isinstance(answered.body, str) else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # the server's own names

        def log_message(self, *_: Any) -> None:
            """Nothing: the calls are kept."""

    return Handler
