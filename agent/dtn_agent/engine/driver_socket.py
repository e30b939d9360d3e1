"""The unix socket on which the container engine calls its network driver: HTTP, one JSON document each way."""

from __future__ import annotations

import json
import logging
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dtn_agent.protocol.driver import NETWORK_DRIVER

PLUGIN_SOCKET = Path("/run/docker/plugins") / f"{NETWORK_DRIVER}.sock"
MOST_BYTES = 1 << 18
IDLE_SECONDS = 30.0
JSON_TYPE = "application/vnd.docker.plugins.v1.2+json"
Answer = Callable[[str, Mapping[str, Any]], Mapping[str, Any] | None]
log = logging.getLogger(__name__)


class DriverSocket:
    """Serves calls from `start` to `stop`. The socket is there, complete, from the moment that it has its name."""

    def __init__(self, answer: Answer, path: Path = PLUGIN_SOCKET) -> None:
        self.answer = answer
        self.path = path
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve from now on, in a thread of our own, in the place of one that was killed."""
        draft = _draft(self.path)
        self._server = _Server(self.answer, draft)
        draft.chmod(0o600)
        draft.replace(self.path)
        self._thread = threading.Thread(target=self._server.serve_forever, name="network-driver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer what was asked, and serve no more."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self.path.unlink(missing_ok=True)
        self._server.server_close()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = False  # server_close waits for calls that are at work

    def __init__(self, answer: Answer, path: Path) -> None:
        super().__init__(str(path), _Handler)
        self.answer = answer

    def handle_error(self, *_: object) -> None:
        """A call that failed, such as one whose caller went away, is logged and disturbs no other."""
        log.warning("a call of the engine broke: %r", sys.exception())


class _Handler(BaseHTTPRequestHandler):
    """One connection, one call: a connection kept open would be a broken one for the engine after our restart."""

    server: _Server
    timeout = IDLE_SECONDS

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self._reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"Err": f"at most {MOST_BYTES} bytes"})
            return
        body = self.rfile.read(int(length))
        try:
            request = json.loads(body or b"null") or {}
        except ValueError:
            request = None
        if not isinstance(request, dict):
            self._reply(HTTPStatus.BAD_REQUEST, {"Err": "not a JSON object"})
            return
        self._answer(request)

    def _answer(self, request: Mapping[str, Any]) -> None:
        try:
            answer = self.server.answer(self.path.lstrip("/"), request)
        except KeyError as error:
            self._reply(HTTPStatus.BAD_REQUEST, {"Err": f"{error} is missing"})
            return
        if answer is None:
            self._reply(HTTPStatus.NOT_FOUND, {"Err": f"{self.path}: no such call"})
            return
        self._reply(HTTPStatus.OK, answer)

    def _reply(self, status: HTTPStatus, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", JSON_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "engine"  # a unix socket's caller has no address

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        log.debug(format, *args)


def _draft(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    draft.unlink(missing_ok=True)  # one that was killed before it had its name
    return draft
