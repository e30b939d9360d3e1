"""A server that answers as it is set up: for refusals and silences that no well-behaved API server gives on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

EMPTY_LIST: Mapping[str, Any] = {"items": []}


def refused(status: int, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"kind": "Status", "status": "Failure", "message": message, "code": status}


class SmallServer:
    """Answers by path; other paths are empty lists. `calls` are "METHOD /path" with the login.

    An answer may be several: one after the other, and the last one from then on. `headers` are sent with each.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers: dict[str, Any] = dict(answers)
        self.headers: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []

    def answer(self, method: str, path: str, login: str) -> tuple[int, bytes]:
        plain = path.partition("?")[0]
        self.calls.append((f"{method} {plain}", login))
        answer = self.answers.get(plain, (200, EMPTY_LIST))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        status, body = answer
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


class Listening(ThreadingHTTPServer):
    request_queue_size = 256  # a hundred calls may come at once


@contextmanager
def serving(answers: Mapping[str, Any]) -> Iterator[tuple[SmallServer, str]]:
    """The server and its address."""
    server = SmallServer(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = server.answer(self.command, self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in {**server.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_PATCH(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Nothing is written to the terminal."""

    listening = Listening(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{listening.server_port}"
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def kubeconfig(folder: Path, server: str, user: Mapping[str, Any] | None = None, **cluster: Any) -> Path:
    """A kubeconfig with the contexts `lab`, and `nobody`, which names no user."""
    config = {
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": dict(user or {"token": "canary-token"})}],
        "contexts": [
            {"name": "lab", "context": {"cluster": "c", "user": "u"}},
            {"name": "nobody", "context": {"cluster": "c"}},
            {"name": "broken", "context": {"cluster": "x", "user": "u"}},
        ],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path
