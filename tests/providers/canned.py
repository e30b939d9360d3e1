"""A server on a unix socket that answers as it is told: for answers that no well-behaved engine gives on request."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.site import Endpoint
from dtnctl.model.site_settings import Registry
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.providers.timeouts import Timeouts
from tests.docker_clients import connect

VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}
FAST = Timeouts(connect=1.0, answer=1.0, read=5.0, write=5.0, login=5.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Bytes are sent as they are, other values as JSON; with `hang_up` there is no answer at all.

    A function is called when it is asked for, and returns the value.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False

    @property
    def content(self) -> bytes:
        body = self.body() if callable(self.body) else self.body
        return body if isinstance(body, bytes) else json.dumps(body).encode()


class Canned:
    """Answers by "METHOD /path" without the API's version; the last of several answers is given again and again."""

    def __init__(self, answers: Mapping[str, Answer | list[Answer]]) -> None:
        self.answers = {key: list(value) if isinstance(value, list) else [value] for key, value in answers.items()}
        if "GET /version" not in answers:  # else it is that which is asked for
            headers = {"Api-Version": VERSION["ApiVersion"], "Server": f"Docker/{VERSION['Version']} (linux)"}
            self.answers.setdefault("GET /_ping", [Answer(b"OK", headers=headers)])
        self.answers.setdefault("GET /version", [Answer(VERSION)])
        self.requests: list[str] = []
        self.headers: list[Mapping[str, str]] = []

    def next_answer(self, method: str, target: str, headers: Mapping[str, str]) -> Answer:
        self.requests.append(f"{method} {target}")
        self.headers.append(headers)
        path = target.partition("?")[0]
        parts = path.split("/", 2)
        bare = f"/{parts[2]}" if len(parts) == 3 and parts[1].startswith(("v1.", "v5.")) else path
        answers = self.answers.get(f"{method} {bare}", [Answer({"message": f"no such thing: {bare}"}, 404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextmanager
def canned_engine(
    folder: Path, answers: Mapping[str, Answer | list[Answer]], registries: Mapping[str, Registry] | None = None
) -> Iterator[tuple[DockerEngine, Canned]]:
    """A provider of an engine that gives these answers."""
    canned = Canned(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = canned.next_answer(self.command, self.path, dict(self.headers))
            if answer.hang_up:
                self.close_connection = True
                return
            self.send_response_only(answer.status)  # Server: and Date: are the answer's own
            for name, value in answer.headers.items():
                self.send_header(name, value)
            content = b"" if self.command == "HEAD" else answer.content
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815  the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def address_string(self) -> str:
            return "unix"

    path = folder / "canned.sock"
    server = _Server(str(path), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    endpoint = Endpoint(docker=parse_engine(f"unix://{path}"), host="127.0.0.1")
    engine = connect("dtn1", endpoint, site="s", registries=registries or {}, read_only=False, root=folder, timeouts=FAST)
    try:
        yield engine, canned
    finally:
        engine.close()
        server.shutdown()
        thread.join()
        server.server_close()
