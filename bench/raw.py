"""The floor: raw calls to an engine's unix socket by the standard library, with as little around them as Python allows."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

API = "/v1.41"
TIMEOUT = 120.0

T = TypeVar("T")
R = TypeVar("R")


class RefusedError(Exception):
    """The engine said no to a raw call."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("engine", timeout=TIMEOUT)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self.path))


class Raw:
    """One engine; each thread has a kept connection of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.prefix = ""
        self.headers: Mapping[str, str] = {}
        self._local = threading.local()
        self._opened: list[http.client.HTTPConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for connection in self._opened:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connected()
            self._opened.append(self._local.connection)
        connection: http.client.HTTPConnection = self._local.connection
        return connection

    def _connected(self) -> http.client.HTTPConnection:
        return _UnixConnection(self.path)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The decoded answer; RefusedError for anything but a success."""
        connection = self._connection()
        content = None if body is None else json.dumps(body)
        connection.request(method, f"{self.prefix}{API}{path}", content, {"Content-Type": "application/json", **self.headers})
        response = connection.getresponse()
        answer = response.read()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise RefusedError(f"{method} {path}: {response.status} {answer.decode(errors='replace')[:300]}")
        return json.loads(answer) if answer else None

    def containers(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.call("GET", "/containers/json?all=1")
        return listed

    def inspect(self, container: str) -> dict[str, Any]:
        inspected: dict[str, Any] = self.call("GET", f"/containers/{container}/json")
        return inspected

    def create(self, name: str, body: Mapping[str, Any]) -> str:
        return str(self.call("POST", f"/containers/create?name={name}", body)["Id"])

    def start(self, container: str) -> None:
        self.call("POST", f"/containers/{container}/start")

    def remove(self, container: str) -> None:
        self.call("DELETE", f"/containers/{container}?force=1&v=1")


class RawLibpod(Raw):
    """A Podman, whose own API shows what dtnctl compares."""

    def inspect(self, container: str) -> dict[str, Any]:
        inspected: dict[str, Any] = self.call("GET", f"/libpod/containers/{container}/json")
        return inspected


class RawOverTcp(Raw):
    """An engine behind an HTTP server of this machine: `prefix` stands before each path, `headers` are sent with each request."""

    def __init__(self, port: int, prefix: str, headers: Mapping[str, str]) -> None:
        super().__init__(Path())
        self.port, self.prefix, self.headers = port, prefix, headers

    def _connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)


class RawNamespace(Raw):
    """A namespace of a cluster, whose lists show all that inspections of an engine's containers do."""

    LISTS = ("apis/apps/v1/{}/deployments", "apis/batch/v1/{}/jobs", "api/v1/{}/secrets", "api/v1/{}/pods")

    def __init__(self, port: int, certificate: Path, token: str, namespace: str) -> None:
        super().__init__(Path())
        self.port, self.namespace, self.headers = port, namespace, {"Authorization": f"Bearer {token}"}
        self._trusted = ssl.create_default_context(cafile=str(certificate))

    def _connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=TIMEOUT, context=self._trusted)

    def containers(self) -> list[dict[str, Any]]:
        """Reads all lists. Nothing is left to inspect."""
        for path in self.LISTS:
            connection = self._connection()
            connection.request("GET", f"/{path.format(f'namespaces/{self.namespace}')}", headers=dict(self.headers))
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status >= http.HTTPStatus.BAD_REQUEST:
                raise RefusedError(f"{path}: {response.status} {answer}")
        return []


def at_once(workers: int, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The function of every item, so many at a time."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))
