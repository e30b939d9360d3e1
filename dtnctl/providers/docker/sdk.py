"""The Docker SDK's client over an endpoint's transport, for writes and for answers that come in parts.

The only module that imports the SDK. It is imported with the first such request: most runs look at an endpoint and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from docker import APIClient
from docker.errors import DockerException
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from dtnctl.providers.base import ReadOnlyError
from dtnctl.providers.docker.errors import causes
from dtnctl.providers.docker.once_more import once_more
from dtnctl.providers.docker.reach.pool import IDLE_CONNECTIONS, DirectReads
from dtnctl.providers.docker.reach.transport import Transport
from dtnctl.providers.timeouts import Timeouts

ANY_HOST = "http://localhost:1"  # for the SDK; connections lead where the transport's do
CHUNK = 64 * 1024
READS = frozenset({"GET", "HEAD"})


class SdkClient(APIClient):
    """The SDK's client. All of it and of requests ends in `send`, where a client that only reads lets nothing but GET and HEAD pass.

    It does not look at the environment: REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE would replace the endpoint's CA, and proxies
    are for the web. A redirection is an answer as any other: to follow it would send our headers, a key among them, to another host,
    and could make a read of a write. A read whose kept connection turns out to be dropped is sent once more. A write never is: the engine
    may have carried it out.
    """

    def __init__(self, transport: Transport, version: str, timeouts: Timeouts, *, reads_only: bool) -> None:
        super().__init__(ANY_HOST, version=version, timeout=int(timeouts.read))
        self.trust_env = False
        self.headers.update(transport.headers)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # with its cookie a Portainer asks for a CSRF token, too
        self._reads_only = reads_only
        self.mount("http://", PoolAdapter(ConnectionPool(transport.pool)))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """OSError for whatever fails below."""
        if self._reads_only and request.method not in READS:
            raise ReadOnlyError(f"this client only reads; {request.method} was not sent")
        send = partial(super().send, request, **{**kwargs, "allow_redirects": False})
        try:
            return once_more(send) if request.method in READS else send()
        except (DockerException, urllib3.exceptions.HTTPError) as error:
            raise OSError(str(error)) from error


class Line(HTTPConnection):
    """A connection of urllib3 that is opened as those for reads are."""

    def __init__(self, opener: DirectReads) -> None:
        super().__init__(opener.host, opener.port)
        self._opener = opener

    def connect(self) -> None:
        self.sock = self._opener.open(self.timeout)


class ConnectionPool(HTTPConnectionPool):
    """The kept connections to one engine."""

    def __init__(self, opener: DirectReads) -> None:
        super().__init__(opener.host, opener.port, maxsize=IDLE_CONNECTIONS)
        self._opener = opener

    def _new_conn(self) -> Any:
        return Line(self._opener)


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
        """The transport knows its certificates; requests would take them from the URL, which says nothing here."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ARG002  requests names them
        return request.path_url

    def close(self) -> None:
        super().close()
        self._pool.close()


def chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it arrives. OSError where it breaks off."""
    try:
        yield from response.raw.stream(CHUNK, decode_content=True)
    except urllib3.exceptions.HTTPError as error:
        raise OSError(str(error)) from error


def is_late(error: BaseException) -> bool:
    """Whether a connected engine gave no answer in time."""
    return any(isinstance(cause, (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError)) for cause in causes(error))
