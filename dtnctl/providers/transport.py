"""How requests reaches an engine: over a unix socket, or over TCP that notices a dead peer."""

from __future__ import annotations

import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

IDLE_CONNECTIONS = 10  # kept per endpoint; more at once are allowed (a wait must not starve a lease), but not kept
# A dead peer is noticed within a minute, also by calls that may wait for hours.
KEEP_ALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
]


class KeepAliveAdapter(HTTPAdapter):
    """requests' adapter over TCP connections with keep-alive."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, socket_options=KEEP_ALIVE, **kwargs)


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


class UnixPool(HTTPConnectionPool):
    """The connections to one socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", maxsize=IDLE_CONNECTIONS)
        self.path = path

    def _new_conn(self) -> Any:
        return UnixConnection(self.path)


class UnixAdapter(HTTPAdapter):
    """requests' adapter over one unix socket, whatever the URL says."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._pool = UnixPool(path)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> UnixPool:
        return self._pool

    def get_connection(self, *_: Any, **__: Any) -> UnixPool:  # requests before 2.32
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ARG002  requests names them
        return request.path_url

    def close(self) -> None:
        super().close()
        self._pool.close()
