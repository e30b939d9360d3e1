"""Connections to an engine that are kept, and reads on them without requests. Where they lead is a transport's business."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool

from dtnctl.values import dataclass

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

IDLE_CONNECTIONS = 10  # kept per endpoint; more at once are allowed (a wait must not starve a lease), but not kept


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


class PoolAdapter(HTTPAdapter):
    """requests' adapter over one pool of connections, whatever the URL says."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        super().__init__()
        self._pool = pool

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool

    def get_connection(self, *_: Any, **__: Any) -> HTTPConnectionPool:  # requests before 2.32
        return self._pool

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """The pool knows its certificates; requests would take them from the URL, which says nothing here."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ARG002  requests names them
        return request.path_url

    def close(self) -> None:
        super().close()
        self._pool.close()
