"""HTTP requests and answers on a stream socket: just what an engine's clients need, kept small for speed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, unquote

from tests.fakes.errors import EngineError
from tests.fakes.state import Json

API_VERSION = "1.41"
COMMON_HEADERS = f"Api-Version: {API_VERSION}\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Docker/20.10.24+dfsg1 (linux)\r\n"
RAW_STREAM = "application/vnd.docker.raw-stream"
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """One request. `target` is filled by the router with the object's name or id."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    target: str = ""

    def json(self) -> Json:
        """The body as an object; an empty body is an empty object."""
        given: Json | None = json.loads(self.body or b"{}")
        return given or {}

    def flag(self, name: str) -> bool:
        """A query parameter as the engine reads booleans: anything but these words is true."""
        return self.query.get(name, "").strip().lower() not in ("", "0", "no", "false", "none")

    @property
    def wants_upgrade(self) -> bool:
        return "upgrade" in self.headers.get("connection", "").lower()


@dataclass(slots=True)
class Response:
    """One answer: a body at once, or a `stream` sent in chunks (raw on an upgraded connection)."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    stream: Iterator[bytes] | None = None
    upgrades: bool = False


def answer(value: Any, status: int = 200) -> Response:
    """`value` as JSON with the newline that Go's encoder leaves."""
    return Response(status, json.dumps(value).encode() + b"\n", "application/json")


def refusal(error: EngineError) -> Response:
    if error.status == 304:
        return Response(304)
    return answer({"message": error.message}, error.status)


def read_request(stream: BinaryIO) -> Request | None:
    """The next request on a connection; None at its end."""
    line = stream.readline(65536)
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers = _read_headers(stream)
    path, _, query = target.partition("?")
    values = dict(parse_qsl(query, keep_blank_values=True))
    return Request(method, unquote(path), values, headers, _read_body(stream, headers))


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while (line := stream.readline(65536)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _read_body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    return stream.read(int(headers.get("content-length") or 0))


def head_of(response: Response, *, upgraded: bool) -> bytes:
    """Status line and headers, the empty line included."""
    status = 101 if upgraded else response.status
    lines = [f"HTTP/1.1 {status} {'UPGRADED' if upgraded else REASONS.get(status, 'Unknown')}\r\n"]
    if upgraded:
        lines.append(f"Content-Type: {RAW_STREAM}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n")
    else:
        lines.append(COMMON_HEADERS)
        if response.content_type:
            lines.append(f"Content-Type: {response.content_type}\r\n")
        if response.stream is not None and not response.upgrades:
            lines.append("Transfer-Encoding: chunked\r\n")
        elif response.stream is None and status not in (204, 304):
            lines.append(f"Content-Length: {len(response.body)}\r\n")
    lines += [f"{name}: {value}\r\n" for name, value in response.headers.items()]
    lines.append("\r\n")
    return "".join(lines).encode("latin-1")


def frame(stream: int, text: bytes) -> bytes:
    """One frame of the multiplexed format: stream number, length, text."""
    return bytes((stream, 0, 0, 0)) + len(text).to_bytes(4, "big") + text
