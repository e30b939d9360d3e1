"""A web server in front of an engine, as Portainer is: the engine's API below a folder, for whoever shows a key in a header."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.reach.pool import DirectReads
from dtnctl.providers.docker.reach.transport import Transport
from tests.providers.relay import Relay

PREFIX = "/api/endpoints/3/docker"
KEY = "ptr_canary-8c21"
REQUEST = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.1\r\n")
FORBIDDEN = b'HTTP/1.1 401 Unauthorized\r\nContent-Length: 26\r\nConnection: close\r\n\r\n{"message": "no such key"}'


def reach_gateway(access: EndpointAccess, *, read_only: bool) -> Transport:
    """The transport: all that a fourth way to an engine needs beside its row."""
    del read_only
    docker = access.endpoint.address
    return Transport(DirectReads(docker.host, docker.port), PREFIX, {"X-API-Key": KEY})


class Gateway(Relay):
    """Listens on a port of loopback; takes the folder from each request, and answers 401 to one without the key."""

    def __init__(self, engine: Path) -> None:
        super().__init__(Path(), engine)
        self._listener.close()
        self._listener = socket.socket()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def _bind(self) -> None:
        self._listener.bind(("127.0.0.1", 0))

    def _forwarded(self, client: socket.socket, data: bytes) -> bytes:
        match = REQUEST.match(data)
        if match is None:
            return data
        head = data.partition(b"\r\n\r\n")[0]
        path = match[2].decode()
        if f"\r\nX-API-Key: {KEY}".encode() not in head or not path.startswith(PREFIX):
            client.sendall(FORBIDDEN)
            raise ConnectionAbortedError(f"{match[1].decode()} {path}: without the key, or beside the folder")
        return data.replace(match[2], path.removeprefix(PREFIX).encode(), 1)
