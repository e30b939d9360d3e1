"""Connections to an engine that are kept, and reads on them. Where they lead is a transport's business."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from dtnctl.providers.docker.errors import LateConnectionError

IDLE_CONNECTIONS = 10  # kept per endpoint; more at once are allowed (a wait must not starve a lease), but not kept


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer to a read, whatever its status."""

    status: int
    phrase: str
    content: bytes
    headers: http.client.HTTPMessage


def open_tcp(host: str, port: int | None, seconds: float | None) -> socket.socket:
    """A connection by TCP. OSError; LateConnectionError if it takes longer."""
    try:
        return socket.create_connection((host, port or http.client.HTTP_PORT), seconds)
    except TimeoutError as error:
        raise LateConnectionError(str(error)) from error


class DirectReads:
    """Connections by TCP to one host; a kind of its own says what else `open` has to do. May be used from several threads.

    Reads need the standard library alone: the SDK and what is below it take longer to import than all reads of a plan.
    """

    def __init__(self, host: str, port: int | None = None) -> None:
        self.host, self.port = host, port
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = Lock()
        self._is_closed = False

    def open(self, seconds: float | None) -> socket.socket:
        """A new connection, made within `seconds` (None: any time). OSError."""
        return open_tcp(self.host, self.port, seconds)

    def read(self, target: str, headers: Mapping[str, str], limits: tuple[float, float]) -> Answer:
        """GET `target` on a kept connection; seconds until connected, and until something comes. OSError, HTTPException."""
        connection = self._kept() or http.client.HTTPConnection(self.host, self.port)
        try:
            if connection.sock is None:
                connection.sock = self.open(limits[0])
            connection.sock.settimeout(limits[1])
            connection.request("GET", target, headers=dict(headers))
            response = connection.getresponse()
            answer = Answer(response.status, response.reason, response.read(), response.headers)
        except BaseException:
            connection.close()  # what is left of the answer must not be taken for the next one
            raise
        self._keep(connection)
        return answer

    def _kept(self) -> http.client.HTTPConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if not self._is_closed and len(self._idle) < IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close what is kept; a read that is under way closes its own."""
        with self._lock:
            self._is_closed, idle, self._idle = True, self._idle, []
        for connection in idle:
            connection.close()
