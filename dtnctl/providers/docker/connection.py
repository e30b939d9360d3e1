"""One endpoint's connection: calls to an engine's API over a transport (reach/), and its answers and refusals as ours."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dtnctl import __version__
from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.dialect import Dialect, DockerDialect
from dtnctl.providers.docker.errors import refusal, translated
from dtnctl.providers.docker.once_more import once_more
from dtnctl.providers.docker.reach import TRANSPORTS
from dtnctl.providers.docker.reach.pool import Answer
from dtnctl.providers.docker.reach.transport import Transport
from dtnctl.providers.docker.versions import OLDEST_API, common_api, is_podman, version_of_ping
from dtnctl.providers.records import recorded
from dtnctl.providers.shared import asked_meanwhile
from dtnctl.providers.timeouts import Timeouts

if TYPE_CHECKING:
    import requests

    from dtnctl.providers.docker.sdk import SdkClient

FIRST_REDIRECTION, FIRST_ERROR, AS_IT_WAS = 300, 400, 304
NOTHING: Mapping[str, str] = MappingProxyType({})
READS = frozenset({"GET", "HEAD"})
CREATIONS = frozenset({"/containers/create", "/networks/create", "/volumes/create"})
USER_AGENT = f"dtnctl/{__version__}"


class Client:
    """Reads by the standard library; for all else the SDK's client over the same transport, made when it is first asked for."""

    def __init__(self, transport: Transport, timeouts: Timeouts, *, reads_only: bool) -> None:
        self.timeouts = timeouts
        self.clock_ahead: int | None = None
        self.api_version = OLDEST_API
        self._transport = transport
        self._reads_only = reads_only
        self._sdk: SdkClient | None = None
        self._lock = Lock()

    def read(self, target: str, *, limits: tuple[float, float], headers: Mapping[str, str] = NOTHING) -> Answer:
        """GET `target`; seconds until connected, and until something comes. The first answer also shows the engine's clock."""
        sent = {"User-Agent": USER_AGENT, **self._transport.headers, **headers}
        answer = once_more(partial(self._transport.pool.read, f"{self._transport.prefix}{target}", sent, limits))
        if self.clock_ahead is None:
            self.clock_ahead = _clock_ahead(answer.headers.get("Date", ""), time.time())
        return answer

    def sdk(self) -> SdkClient:
        """The SDK's client. May be asked for by several threads."""
        with self._lock:
            if self._sdk is None:
                from dtnctl.providers.docker.sdk import SdkClient

                self._sdk = SdkClient(self._transport, self.api_version, self.timeouts, reads_only=self._reads_only)
            return self._sdk

    def close(self) -> None:
        if self._sdk is not None:
            self._sdk.close()


def _clock_ahead(date: str, now: float) -> int | None:
    """Seconds from our time to the one that an answer was made at; None if its `Date` is none."""
    try:
        return round(parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError):
        return None


# --- opening ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connection:
    """An open client. `address` is the endpoint's, as people wrote it; the versions are the engine's."""

    client: Client
    address: EngineAddress
    engine_version: str
    api_version: str
    transport: Transport
    dialect: Dialect

    @property
    def clock_ahead(self) -> int | None:
        """How many seconds the engine's clock is ahead of ours; None if it did not say."""
        return self.client.clock_ahead

    @property
    def is_alive(self) -> bool:
        """False once the ssh client below has ended: then a new connection is needed."""
        return self.transport.is_alive

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of the SDK as ours."""
        with translated(self.address, self.transport):
            yield

    def call(self, method: str, path: str, *names: str, **kwargs: Any) -> requests.Response:
        """One request with a raw body and a raw answer, so that no helper hides a field; `names` fill the `{}` of the path.

        Errors, timeouts and refusals are raised; the answer is a success.
        """
        limits = self.client.timeouts
        kwargs.setdefault("timeout", (limits.connect, limits.read if method in READS else limits.write))
        target = self._target(method, path, names)
        if method not in READS:
            self.dialect.admit()
        if "json" in kwargs:
            kwargs["json"] = self.dialect.body(path, kwargs["json"])
        if "params" in kwargs:
            kwargs["params"] = self.dialect.params(method, kwargs["params"])
        with recorded(self.address.text, method, target), self.translated():
            client = self.client.sdk()
            response = client.request(method, f"{client.base_url}{self.transport.prefix}{target}", **kwargs)
            if not _is_success(response.status_code):
                raise _refused(self, response.status_code, response.reason, response.content)
            self._follow_up(method, path, response)
        return response

    def _follow_up(self, method: str, path: str, response: requests.Response) -> None:
        """The request that belongs to a creation, where the transport knows one."""
        if method != "POST" or path not in CREATIONS or (more := self.transport.made(response.json())) is None:
            return
        client = self.client.sdk()
        limits = (self.client.timeouts.connect, self.client.timeouts.write)
        with recorded(self.address.text, more.method, more.path):
            answer = client.request(more.method, f"{client.base_url}{more.path}", json=more.body, timeout=limits)
        if not _is_success(answer.status_code):
            raise _refused(self, answer.status_code, answer.reason, answer.content)

    def get(self, path: str, *names: str, headers: Mapping[str, str] = NOTHING) -> Any:
        """The decoded answer to a read: the fast way for what is asked hundreds of times."""
        if (known := self.dialect.known(path)) is not None:
            return known
        limits = self.client.timeouts
        target = self._target("GET", path, names)
        with recorded(self.address.text, "GET", target), self.translated():
            answer = self.client.read(target, headers=headers, limits=(limits.connect, limits.read))
            if not _is_success(answer.status):
                self.dialect.admit()
            raw = _decoded(self, answer)
        return self.dialect.answer(path, self.transport.sifted(path, raw) if isinstance(raw, list) else raw)

    def _target(self, method: str, path: str, names: Iterable[str]) -> str:
        quoted = (quote(name, safe="/:@") for name in self.dialect.names(path, names))
        return self.dialect.path(method, path, self.client.api_version).format(*quoted)

    def post(self, path: str, *names: str, wait: float | None = 0.0, **kwargs: Any) -> requests.Response:
        """A write that may take `wait` seconds longer than others; None: as long as it takes."""
        limits = self.client.timeouts
        return self.call("POST", path, *names, timeout=(limits.connect, None if wait is None else limits.write + wait), **kwargs)

    def call_in_time(self, method: str, path: str, *names: str, **kwargs: Any) -> requests.Response | None:
        """The same call, or None if no answer came in time. The head of an answer may come long before its body."""
        try:
            return self.call(method, path, *names, **kwargs)
        except UnreachableError as error:
            from dtnctl.providers.docker.sdk import is_late

            if is_late(error):
                return None
            raise

    def chunks(self, response: requests.Response) -> Iterator[bytes]:
        """The body of a streamed answer as it arrives; the connection is released at its end, or when the reader stops."""
        from dtnctl.providers.docker.sdk import chunks

        try:
            with self.translated():
                yield from chunks(response)
        finally:
            response.close()

    def close(self) -> None:
        self.client.close()
        self.transport.close()


def _decoded(connection: Connection, answer: Answer) -> Any:
    """The JSON of an answer; an EngineError if it is a refusal."""
    if not _is_success(answer.status):
        raise _refused(connection, answer.status, answer.phrase, answer.content)
    return json.loads(answer.content)


def _is_success(status: int) -> bool:
    return status < FIRST_REDIRECTION or status == AS_IT_WAS


def _refused(connection: Connection, status: int, phrase: str, content: bytes) -> EngineError | UnreachableError:
    """What was refused, or that the engine behind what answers is not reached."""
    if status < FIRST_ERROR:
        return EngineError(f"what answers at {connection.address} points to another address ({status}), which is not followed", status)
    silence = connection.transport.silent(status, content)
    return UnreachableError(f"{connection.address}: {silence}") if silence else refusal(status, phrase, content)


def open_connection(access: EndpointAccess, *, read_only: bool) -> Connection:
    """Connect and ask for the version, in one call. UnreachableError says what to check."""
    docker = access.endpoint.address
    transport = TRANSPORTS[docker.scheme](access, read_only=read_only)
    with _closed_on_failure(transport):
        return _greet(Client(transport, access.timeouts, reads_only=read_only), docker, transport)


@contextmanager
def _closed_on_failure(thing: Transport) -> Iterator[None]:
    try:
        yield
    except BaseException:
        thing.close()
        raise


def _greet(client: Client, address: EngineAddress, transport: Transport) -> Connection:
    """Ask for the version, and speak the newest API that both sides know: some safeguards come only with newer ones.

    A ping reports it at no cost; asked for its version, an engine starts runc and containerd to ask them for theirs.
    """
    connection = Connection(client, address, "", OLDEST_API, transport, DockerDialect())
    version = _ping(connection) or _ask_version(connection)
    client.api_version = common_api(version, address.text)
    dialect = _podmans(connection, version) if is_podman(version) else connection.dialect
    return replace(connection, engine_version=_number(version), api_version=str(version["ApiVersion"]), dialect=dialect)


def _number(version: Mapping[str, Any]) -> str:
    return str(version.get("Version", ""))


def _podmans(connection: Connection, version: Mapping[str, Any]) -> Dialect:
    """That of a Podman that is new enough; UnreachableError, in one sentence, for any other. Imported where there is one.

    Whether root runs it is asked while the first reads are under way: the answer takes longer than all of them.
    """
    from dtnctl.providers.podman.dialect import PodmanDialect, why_rootless_is_refused, why_too_old

    address = connection.address.text
    if reason := why_too_old(_number(version)):
        raise UnreachableError(f"{address}: {reason}")

    def ask() -> Mapping[str, Any]:
        host: Mapping[str, Any] = connection.get("/info")
        if reason := why_rootless_is_refused(host):
            raise UnreachableError(f"{address}: {reason}")
        return host

    return PodmanDialect(asked_meanwhile(ask), lambda: datetime.now(UTC) + timedelta(seconds=connection.clock_ahead or 0))


def _ping(connection: Connection) -> Mapping[str, Any] | None:
    answer = _first_answer(connection, "/_ping")
    headers = answer.headers
    return version_of_ping(headers.get("Api-Version", ""), headers.get("Server", "")) if answer.status < FIRST_ERROR else None


def _ask_version(connection: Connection) -> Mapping[str, Any]:
    answer = _first_answer(connection, "/version")
    with connection.translated():
        version = _decoded(connection, answer)
    if not isinstance(version, Mapping) or "ApiVersion" not in version:
        raise UnreachableError(f"{connection.address}: what answers there is not a Docker engine")
    return version


def _first_answer(connection: Connection, target: str) -> Answer:
    limits = connection.client.timeouts
    with recorded(connection.address.text, "GET", target), connection.translated():
        return connection.client.read(target, limits=(limits.connect, limits.answer))
