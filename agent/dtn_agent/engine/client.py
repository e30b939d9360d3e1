"""Asks the container engine on its socket: about one container, and for its events. Never changes anything there."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENGINE_SOCKET = Path("/run/docker.sock")
SECONDS = 10.0
WATCHED = {"type": ["container", "network"], "event": ["start", "connect"]}


@dataclass(frozen=True, slots=True)
class EngineContainer:
    """`pid` is its first process, by the engine's own numbers; None while it does not run."""

    id: str
    name: str
    network_mode: str
    pid: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """A container started, or got a network. `name` is empty where the engine reports its id alone."""

    id: str
    name: str


class EngineClient:
    """The engine on this socket. OSError or HTTPException where it does not answer."""

    def __init__(self, path: Path = ENGINE_SOCKET) -> None:
        self.path = path

    def container(self, name: str) -> EngineContainer | None:
        """The container with this name; None if there is none."""
        with self._ask(f"/containers/{urllib.parse.quote(name)}/json", SECONDS) as answer:
            if answer.status == 404:
                return None
            return _container(json.loads(_body(answer)))

    @contextmanager
    def events(self) -> Iterator[Events]:
        """What happens from now on; whoever asked is subscribed when this is entered."""
        filters = urllib.parse.quote(json.dumps(WATCHED))
        connection = _UnixConnection(self.path, SECONDS)
        try:
            connection.request("GET", f"/events?filters={filters}")
            answer = connection.getresponse()
            if answer.status != 200:
                raise http.client.HTTPException(f"the engine reports no events: {answer.status}")
            connection.wait_for_ever()
            yield Events(connection, answer)
        finally:
            connection.close()

    @contextmanager
    def _ask(self, path: str, timeout: float) -> Iterator[http.client.HTTPResponse]:
        connection = _UnixConnection(self.path, timeout)
        try:
            connection.request("GET", path)
            yield connection.getresponse()
        finally:
            connection.close()


class Events:
    """The open stream. `stop` ends it from another thread."""

    def __init__(self, connection: _UnixConnection, answer: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._answer = answer

    def __iter__(self) -> Iterator[Event]:
        """Each event as it comes, until the engine ends or `stop` is called."""
        for line in self._answer:
            if text := line.strip():
                yield _event(json.loads(text))

    def stop(self) -> None:
        self._connection.hang_up()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path
        self._socket: socket.socket | None = None

    def connect(self) -> None:
        self._socket = self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))

    def wait_for_ever(self) -> None:
        """Events may be hours apart. http.client lets go of the socket itself once an answer has no length."""
        assert self._socket is not None
        self._socket.settimeout(None)

    def hang_up(self) -> None:
        """Ends a read that waits in another thread; closing alone would leave it waiting."""
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the engine was faster


def _body(answer: http.client.HTTPResponse) -> bytes:
    if answer.status != 200:
        raise http.client.HTTPException(f"the engine answers {answer.status}")
    return answer.read()


def _container(found: dict[str, Any]) -> EngineContainer:
    state = found.get("State") or {}
    pid = state.get("Pid") if state.get("Running") else None
    mode = (found.get("HostConfig") or {}).get("NetworkMode") or ""
    return EngineContainer(id=found["Id"], name=found["Name"].removeprefix("/"), network_mode=mode, pid=pid or None)


def _event(found: dict[str, Any]) -> Event:
    """Of a network, the container is an attribute; of a container, it is the actor."""
    actor = found.get("Actor") or {}
    about = actor.get("Attributes") or {}
    if found.get("Type") == "network":
        return Event(id=about.get("container", ""), name="")
    return Event(id=actor.get("ID", ""), name=about.get("name", ""))
