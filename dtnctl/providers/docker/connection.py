"""One endpoint's connection: the Docker SDK's low-level client over a unix socket, mutual TLS, or ssh.

This module and sdk_errors are the only ones that import the SDK; they are imported when a connection is opened.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import requests
import urllib3
from docker import APIClient
from docker.constants import DEFAULT_USER_AGENT as USER_AGENT
from docker.tls import TLSConfig

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.site import Endpoint, Tls
from dtnctl.providers.docker.sdk_errors import causes, refusal, telling
from dtnctl.providers.docker.ssh import Tunnel, open_tunnel
from dtnctl.providers.docker.transport import Answer, PoolAdapter, TlsPool, UnixPool
from dtnctl.providers.docker.versions import OLDEST_API, common_api, version_of_ping
from dtnctl.providers.records import recorded
from dtnctl.providers.timeouts import Timeouts

CHUNK = 64 * 1024
FIRST_ERROR = 400
NOTHING: Mapping[str, str] = MappingProxyType({})
READS = frozenset({"GET", "HEAD"})

T = TypeVar("T")


class ReadOnlyError(EngineError):
    """A client that may only read was asked to write. Nothing was sent."""


class Client(APIClient):
    """The SDK's client, with timeouts for connecting, reading and writing at hand.

    It does not look at the environment: REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE would replace the endpoint's CA, and proxies
    are for the web. A read whose kept connection turns out to be dropped is sent once more. A write never is: the engine
    may have carried it out.

    `read` takes the same connections without requests, which spends on every call as much time as all else together.
    """

    def __init__(self, base_url: str, version: str, timeouts: Timeouts, tls: TLSConfig | None = None) -> None:
        self.timeouts = timeouts
        self.clock_ahead: int | None = None
        super().__init__(base_url, version=version, timeout=int(timeouts.read), tls=tls or False)
        self.trust_env = False
        self._pool = TlsPool(self.base_url, tls) if tls is not None else UnixPool(base_url.removeprefix("unix://"))
        scheme, _, self._folder, *_ = urlsplit(self.base_url)  # an engine behind a web server may have a folder
        self.mount(f"{scheme}://", PoolAdapter(self._pool))

    def speak(self, api_version: str) -> None:
        """Speak this version of the API from now on."""
        self._version = api_version

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        send = partial(super().send, request, **kwargs)
        return _once_more(send) if request.method in READS else send()

    def read(self, target: str, *, limits: tuple[float, float], headers: Mapping[str, str] = NOTHING) -> Answer:
        """GET `target`; seconds until connected, and until something comes. The first answer also shows the engine's clock."""
        answer = _once_more(partial(self._pool.read, f"{self._folder}{target}", {"User-Agent": USER_AGENT, **headers}, limits))
        if self.clock_ahead is None:
            self.clock_ahead = _clock_ahead(answer.headers.get("Date", ""), time.time())
        return answer


def _clock_ahead(date: str, now: float) -> int | None:
    """Seconds from our time to the one that an answer was made at; None if its `Date` is none."""
    try:
        return round(parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError):
        return None


class ReadOnlyClient(Client):
    """A client through which nothing but GET and HEAD passes: `read` only gets, all else of the SDK and requests ends in `send`."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if request.method not in READS:
            raise ReadOnlyError(f"this client only reads; {request.method} was not sent")
        return super().send(request, **kwargs)


def _once_more(ask: Callable[[], T]) -> T:
    """What a read asks for; it is asked again if a kept connection turns out to be dropped."""
    try:
        return ask()
    except (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:  # those of requests are OSErrors
        if isinstance(error, (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)) or not _was_dropped(error):
            raise
        return ask()


def _was_dropped(error: BaseException) -> bool:
    return any(isinstance(cause, (ConnectionResetError, BrokenPipeError, http.client.IncompleteRead)) for cause in causes(error))


def _decoded(answer: Answer) -> Any:
    """The JSON of an answer; an EngineError if it is a refusal."""
    if answer.status >= FIRST_ERROR:
        raise refusal(answer.status, answer.phrase, answer.content)
    return json.loads(answer.content)


# --- opening ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connection:
    """An open client. `address` is the endpoint's, as people wrote it; the versions are the engine's."""

    client: Client
    address: str
    engine_version: str
    api_version: str
    tunnel: Tunnel | None = None

    @property
    def clock_ahead(self) -> int | None:
        """How many seconds the engine's clock is ahead of ours; None if it did not say."""
        return self.client.clock_ahead

    @property
    def is_alive(self) -> bool:
        """False once the ssh client below has ended: then a new connection is needed."""
        return self.tunnel is None or self.tunnel.is_alive

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Errors of the SDK as ours."""
        with telling(self.address, self.tunnel):
            yield

    def call(self, method: str, path: str, *names: str, **kwargs: Any) -> requests.Response:
        """One request with a raw body and a raw answer, so that no helper hides a field; `names` fill the `{}` of the path.

        Errors, timeouts and refusals are told; the answer is a success.
        """
        limits = self.client.timeouts
        kwargs.setdefault("timeout", (limits.connect, limits.read if method in READS else limits.write))
        with recorded(self.address, method, self._target(path, names)), self.telling():
            response = self.client.request(method, f"{self.client.base_url}{self._target(path, names)}", **kwargs)
            if response.status_code >= FIRST_ERROR:
                raise refusal(response.status_code, response.reason, response.content)
        return response

    def get(self, path: str, *names: str, headers: Mapping[str, str] = NOTHING) -> Any:
        """The decoded answer to a read: the fast way for what is asked hundreds of times."""
        limits = self.client.timeouts
        target = self._target(path, names)
        with recorded(self.address, "GET", target), self.telling():
            return _decoded(self.client.read(target, headers=headers, limits=(limits.connect, limits.read)))

    def _target(self, path: str, names: Iterable[str]) -> str:
        return f"/v{self.client.api_version}{path.format(*(quote(name, safe='/:@') for name in names))}"

    def post(self, path: str, *names: str, wait: float | None = 0.0, **kwargs: Any) -> requests.Response:
        """A write that may take `wait` seconds longer than others; None: as long as it takes."""
        limits = self.client.timeouts
        return self.call("POST", path, *names, timeout=(limits.connect, None if wait is None else limits.write + wait), **kwargs)

    def call_in_time(self, method: str, path: str, *names: str, **kwargs: Any) -> requests.Response | None:
        """The same call, or None if no answer came in time. The head of an answer may come long before its body."""
        try:
            return self.call(method, path, *names, **kwargs)
        except UnreachableError as error:
            if any(isinstance(cause, (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError)) for cause in causes(error)):
                return None
            raise

    def chunks(self, response: requests.Response) -> Iterator[bytes]:
        """The body of a streamed answer as it arrives; the connection is given back at its end, or when the reader stops."""
        try:
            with self.telling():
                yield from response.raw.stream(CHUNK, decode_content=True)
        finally:
            response.close()

    def close(self) -> None:
        self.client.close()
        if self.tunnel is not None:
            self.tunnel.close()


def open_connection(endpoint: Endpoint, *, read_only: bool, root: Path, timeouts: Timeouts) -> Connection:
    """Connect and ask for the version, in one call. UnreachableError says what to check."""
    kind = ReadOnlyClient if read_only else Client
    address = endpoint.docker
    match urlsplit(address).scheme:
        case "ssh":
            tunnel = open_tunnel(address, timeouts)
            with _closed_on_failure(tunnel):
                return _greet(kind, _Way(address, f"unix://{tunnel.socket}", timeouts, tunnel=tunnel))
        case "tcp":
            return _greet(kind, _Way(address, address, timeouts, tls=_tls_config(endpoint, root)))
        case _:
            return _greet(kind, _Way(address, address, timeouts))


@dataclass(frozen=True, slots=True)
class _Way:
    """How an engine is reached: its address as people wrote it, and what the client is told."""

    address: str
    base_url: str
    timeouts: Timeouts
    tls: TLSConfig | None = None
    tunnel: Tunnel | None = None


@contextmanager
def _closed_on_failure(thing: Client | Tunnel) -> Iterator[None]:
    try:
        yield
    except BaseException:
        thing.close()
        raise


def _greet(kind: type[Client], way: _Way) -> Connection:
    """Ask for the version, and speak the newest API that both sides know: some safeguards come only with newer ones.

    A ping tells it at no cost; asked for its version, an engine starts runc and containerd to ask them for theirs.
    """
    with telling(way.address, way.tunnel):
        client = kind(way.base_url, OLDEST_API, way.timeouts, way.tls)
    with _closed_on_failure(client):
        version = _ping(client, way) or _ask_version(client, way)
        client.speak(common_api(version, way.address))
    return Connection(client, way.address, str(version.get("Version", "")), str(version["ApiVersion"]), way.tunnel)


def _ping(client: Client, way: _Way) -> Mapping[str, Any] | None:
    with recorded(way.address, "GET", "/_ping"), telling(way.address, way.tunnel):
        answer = client.read("/_ping", limits=(way.timeouts.connect, way.timeouts.answer))
    headers = answer.headers
    return version_of_ping(headers.get("Api-Version", ""), headers.get("Server", "")) if answer.status < FIRST_ERROR else None


def _ask_version(client: Client, way: _Way) -> Mapping[str, Any]:
    with recorded(way.address, "GET", "/version"), telling(way.address, way.tunnel):
        version = _decoded(client.read("/version", limits=(way.timeouts.connect, way.timeouts.answer)))
    if not isinstance(version, Mapping) or "ApiVersion" not in version:
        raise UnreachableError(f"{way.address}: what answers there is not a Docker engine")
    return version


def _tls_config(endpoint: Endpoint, root: Path) -> TLSConfig:
    """The SDK's settings; the files are tried first, since the SDK and requests say little when one is wrong."""
    tls, address = endpoint.tls, endpoint.docker
    if tls is None:
        raise UnreachableError(f"{address}: there is no `tls:`; dtnctl speaks to tcp:// engines with client certificates only")
    paths = {name: root / getattr(tls, name) for name in Tls.model_fields}
    for name, path in paths.items():
        try:
            path.read_bytes()
        except OSError as error:
            raise UnreachableError(f"{address}: `tls: {name}`: cannot read {path}: {error.strerror}") from error
    try:
        context = ssl.create_default_context(cafile=str(paths["ca"]))
    except ssl.SSLError as error:
        raise UnreachableError(f"{address}: `tls: ca`: {paths['ca']} holds no certificate (PEM)") from error
    try:
        # A password would be asked for on the terminal.
        context.load_cert_chain(paths["cert"], paths["key"], password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        pair = f"{paths['cert']}, {paths['key']}"
        raise UnreachableError(
            f"{address}: `tls: cert` and `tls: key` ({pair}) are no PEM certificate and its key, without a password"
        ) from error
    return TLSConfig(client_cert=(str(paths["cert"]), str(paths["key"])), ca_cert=str(paths["ca"]), verify=True)
