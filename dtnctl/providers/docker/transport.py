"""How requests reaches an engine: over a unix socket, or over TCP that notices a dead peer."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from docker.tls import TLSConfig

IDLE_CONNECTIONS = 10  # kept per endpoint; more at once are allowed (a wait must not starve a lease), but not kept
# A dead peer is noticed within a minute, also by calls that may wait for hours.
KEEP_ALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
]


class UnixConnection(HTTPConnection):
    """HTTP over a unix socket. The SDK's own leaves a socket that cannot connect to the garbage collector."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self.path = path

    def connect(self) -> None:
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            unix.settimeout(self.timeout)
            unix.connect(self.path)
        except OSError:
            unix.close()
            raise
        self.sock = unix


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer to a read, whatever its status."""

    status: int
    phrase: str
    content: bytes
    headers: http.client.HTTPMessage


class DirectReads(HTTPConnectionPool):
    """A pool that also reads without requests and urllib3, which take three times as long over a call as http.client."""

    def read(self, target: str, headers: Mapping[str, str], limits: tuple[float, float]) -> Answer:
        """GET `target` on a kept connection; seconds until connected, and until something comes. OSError, HTTPException."""
        connection = cast("HTTPConnection", self._get_conn())
        try:
            if connection.sock is None:
                connection.timeout = limits[0]
                connection.connect()
            connection.sock.settimeout(limits[1])
            http.client.HTTPConnection.request(connection, "GET", target, headers=headers)
            response = http.client.HTTPConnection.getresponse(connection)
            return Answer(response.status, response.reason, response.read(), response.headers)
        except BaseException:
            connection.close()  # what is left of the answer must not be taken for the next one
            raise
        finally:
            self._put_conn(connection)


class UnixPool(DirectReads):
    """The connections to one socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", maxsize=IDLE_CONNECTIONS)
        self.path = path

    def _new_conn(self) -> Any:
        return UnixConnection(self.path)


class TlsPool(HTTPSConnectionPool, DirectReads):
    """The connections to one host, with both sides' certificates."""

    def __init__(self, address: str, tls: TLSConfig) -> None:
        parts, (cert, key) = urlsplit(address), tls.cert or (None, None)
        super().__init__(
            parts.hostname or "",
            parts.port,
            maxsize=IDLE_CONNECTIONS,
            cert_reqs="CERT_REQUIRED",
            ca_certs=tls.ca_cert,
            cert_file=cert,
            key_file=key,
            socket_options=KEEP_ALIVE,
        )


class PoolAdapter(HTTPAdapter):
    """requests' adapter over one pool of connections, whatever the URL says."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        super().__init__()
        self._pool = pool

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool

    def get_connection(self, *_: Any, **__: Any) -> HTTPConnectionPool:  # requests before 2.32
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ARG002  requests names them
        return request.path_url

    def close(self) -> None:
        super().close()
        self._pool.close()
