"""What the loop answers over HTTP: the webhook that triggers a fetch, its health, its metrics, its journal.

The standard library's server: three paths, no content is used, every answer closes the connection, and what a client can make it hold is
bounded in size, number and time (docs/decisions, "The pull loop runs apply as a program").
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dtnctl.errors import UsageError
from dtnctl.pulling.journal import encode_journal
from dtnctl.pulling.tally import Tally
from dtnctl.pulling.webhooks import MOST_BYTES, is_signed

MOST_CONNECTIONS = 32
PATIENCE = 10.0  # seconds without a byte
DEADLINE = 60.0  # seconds for a whole connection
PIECE = 1 << 16
TEXT = "text/plain; version=0.0.4; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the paths of one listener answer with. `secret` is empty where there is no webhook.

    `delay`: seconds for which the loop has not come round, and how many are still well.
    """

    tally: Tally
    trigger: Callable[[], None]
    delay: Callable[[], tuple[float, float]]
    secret: bytes = b""
    has_metrics: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """What is served, for a person."""
        return ("/healthz", *("/webhook",) * bool(self.secret), *("/metrics", "/journal") * self.has_metrics)

    def health(self) -> tuple[int, str]:
        """200 while the loop comes round, whatever it finds there; 503 if it hangs, which a restart may cure."""
        seconds, most = self.delay()
        journal = self.tally.journal
        status = "stuck" if seconds > most else "degraded" if journal.conditions else "ok"
        conditions = [{"name": item.name, "since": item.since} for item in journal.conditions]
        body = {"status": status, "seconds_since_round": round(seconds, 1), "conditions": conditions}
        return 503 if status == "stuck" else 200, json.dumps(body) + "\n"


class _Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: Server
    server_version = "dtnctl"
    sys_version = ""
    timeout = PATIENCE

    def do_GET(self) -> None:
        answers = self.server.answers
        match self.path.partition("?")[0]:
            case "/healthz":
                self._answer(*answers.health(), JSON)
            case "/metrics" if answers.has_metrics:
                self._answer(200, answers.tally.text(), TEXT)
            case "/journal" if answers.has_metrics:
                self._answer(200, encode_journal(answers.tally.journal).decode(), JSON)
            case "/webhook" if answers.secret:
                self._answer(405, "POST only\n")
            case _:
                self._answer(404, "not found\n")

    def do_POST(self) -> None:
        answers = self.server.answers
        if not answers.secret or self.path.partition("?")[0] != "/webhook":
            self._answer(404, "not found\n")
            return
        code, word = self._judged(answers.secret)
        answers.tally.webhook(word)
        if code == 202:
            answers.trigger()
        self._answer(code, f"{word}\n")

    def _judged(self, secret: bytes) -> tuple[int, str]:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            return 411, "no_length"
        if int(length) > MOST_BYTES:
            return 413, "too_large"
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            is_ours = is_signed(secret, headers, self._body(int(length)))
        except (OSError, EOFError):
            return 408, "incomplete"
        return (202, "accepted") if is_ours else (401, "not_signed")

    def _body(self, left: int) -> Iterator[bytes]:
        """The body in pieces: what is kept of it is one piece. EOFError or OSError if it does not come."""
        while left > 0:
            piece = self.rfile.read1(min(left, PIECE))
            if not piece:
                raise EOFError
            left -= len(piece)
            yield piece

    def _answer(self, code: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        body = text.encode()
        with suppress(OSError):
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name that http.server calls it by
        """Nothing: what clients send is no text for our log; /metrics counts it."""


class Server(ThreadingHTTPServer):
    """At most MOST_CONNECTIONS at once, each for at most `deadline` seconds; a further one is closed unread."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], answers: Answers, deadline: float) -> None:
        self.answers = answers
        self._deadline = deadline
        self._open: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            has_room = len(self._open) < MOST_CONNECTIONS
            if has_room:
                self._open[request] = time.monotonic()
        if has_room:
            super().process_request(request, client_address)
        else:
            super().shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Twice a second: a client that sends a byte now and then keeps no connection."""
        with self._lock:
            late = [connection for connection, began in self._open.items() if time.monotonic() - began > self._deadline]
        for connection in late:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no event."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])


def listen(address: str, answers: Answers, deadline: float = DEADLINE) -> Server:
    """A listener in a thread of its own. UsageError if it cannot listen there."""
    host, port = parse_address(address)
    try:
        server = Server((host, port), answers, deadline)
    except OSError as error:
        raise UsageError(f"cannot listen on {address}: {error.strerror or error}") from error
    threading.Thread(target=server.serve_forever, name=f"listen-{address}", daemon=True).start()
    return server


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8080`, `[::1]:8080` or `:8080`, which is every address of this machine. UsageError for anything else."""
    host, colon, port = text.rpartition(":")
    if not (colon and port.isascii() and port.isdecimal() and int(port) < 65536) or ("[" not in host and ":" in host):
        raise UsageError(f"{text} is not an address such as 127.0.0.1:8080")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  # asked for by an empty host
