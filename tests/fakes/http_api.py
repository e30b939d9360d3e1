"""Serves a double of somebody's API: a real HTTP server on the loopback address, until a block ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, TypeAlias, TypeVar

Headers: TypeAlias = Message
Answer: TypeAlias = tuple[int, dict[str, str], Any]
"""The status, headers, and the body: bytes as they are, None for none, everything else as JSON."""


class Api(Protocol):
    """What answers calls behind `url`."""

    url: str

    def answer(self, method: str, target: str, headers: Headers, content: bytes) -> Answer | None:
        """One call; None: the connection ends without an answer."""
        ...


A = TypeVar("A", bound=Api)


@contextmanager
def serve(api: A) -> Iterator[A]:
    """The API behind an address."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = api.answer(self.command, self.path, self.headers, content)
            if answer is None:
                self.close_connection = True
                return
            code, headers, value = answer
            data = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(code)
            for name, text in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815  # the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="http-api")
    thread.start()
    try:
        api.url = f"http://127.0.0.1:{server.server_port}"
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
