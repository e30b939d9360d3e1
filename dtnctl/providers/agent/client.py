"""The agent of one endpoint: an observer that cannot change anything and a client that can.

Nothing is read or connected before the first question. Connections are kept, and may be used from several threads.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar, overload
from urllib.parse import quote

from dtn_agent.protocol import PROTOCOL_VERSION, Done, Host, Refused, Request
from pydantic import BaseModel, ValidationError

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.site import Endpoint
from dtnctl.providers.agent.errors import refusal
from dtnctl.providers.agent.reach import Reach, reach_of
from dtnctl.providers.base import ReadOnlyError
from dtnctl.providers.records import recorded
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.timeouts import Timeouts

M = TypeVar("M", bound=BaseModel)
READS = frozenset({"GET"})
WRITES = frozenset({"GET", "POST"})
LARGEST_ANSWER = 64 * 1024 * 1024
BUSY = 503
TRIES = 5  # of a request that the agent is too busy for; nothing was done then
KEPT = 8  # connections


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


@dataclass(slots=True)
class Lines:
    """Requests to one agent, by the methods that are allowed and no others."""

    reach: Reach
    methods: frozenset[str]
    idle: list[http.client.HTTPConnection] = field(default_factory=list)

    def send(self, method: str, path: str, body: bytes | None = None, *, patience: float) -> Answer:
        """One request and its whole answer, or UnreachableError. `patience`: seconds that nothing may come for.

        Requests are idempotent, so one that got no answer on a kept connection, which the other side may have closed meanwhile,
        is sent once more.
        """
        if method not in self.methods:
            raise ReadOnlyError(f"this client only reads; {method} {path} was not sent")
        with recorded(self.reach.name, method, path), translated(self.reach):
            kept = self._kept()
            if kept is None:
                return self._exchange(self.reach.connect(), method, path, body, patience)
            try:
                return self._exchange(kept, method, path, body, patience)
            except OSError as error:
                if isinstance(error, TimeoutError):
                    raise
                return self._exchange(self.reach.connect(), method, path, body, patience)

    def close(self) -> None:
        while self.idle:
            self.idle.pop().close()
        self.reach.close()

    def _kept(self) -> http.client.HTTPConnection | None:
        try:
            return self.idle.pop()
        except IndexError:
            return None

    def _exchange(self, line: http.client.HTTPConnection, method: str, path: str, body: bytes | None, patience: float) -> Answer:
        try:
            line.sock.settimeout(patience)
            line.request(method, path, body, self._headers(body))
            response = line.getresponse()
            answer = Answer(response.status, response.read(LARGEST_ANSWER))
        except BaseException:
            line.close()
            raise
        if response.will_close or not response.isclosed() or len(self.idle) >= KEPT:
            line.close()
        else:
            self.idle.append(line)
        return answer

    def _headers(self, body: bytes | None) -> Mapping[str, str]:
        content = {} if body is None else {"Content-Type": "application/json"}
        return {"Accept": "application/json", **content, **self.reach.headers()}


@contextmanager
def translated(reach: Reach) -> Iterator[None]:
    """Whatever the block raises below us comes out as an UnreachableError with the agent's name."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnreachableError(f"{reach.name}: {reach.explain(error)}") from error


class AgentObserver:
    """Asks one agent, and cannot change anything: its lines send nothing but GET."""

    methods = READS

    def __init__(self, endpoint: str, reach: Reach, timeouts: Timeouts) -> None:
        self.endpoint = endpoint
        self._timeouts = timeouts
        self._lines = Lines(reach, self.methods)
        self._name = reach.name

    def host(self, readings: frozenset[str] = frozenset(), *, inside: bool = False) -> Host:
        """Facts, what is held, abilities and these tuning keys' values. UnreachableError without an answer, EngineError if it refuses.

        It is the first question, so a silent agent is known to be one as soon as a silent engine; looking inside containers takes longer.
        """
        query = "&".join([*(f"readings={quote(key)}" for key in sorted(readings)), *["inside=true"] * inside])
        patience = self._timeouts.read if inside else self._timeouts.answer
        host = self._read(Host, self._ask("GET", f"/v1/host{'?' if query else ''}{query}", patience=patience))
        if host.version < PROTOCOL_VERSION:
            raise EngineError(f"{self._name}: the agent is older than this dtnctl; run dtnctl endpoints add {self.endpoint} again")
        return host

    def close(self) -> None:
        self._lines.close()

    def _ask(self, method: str, path: str, body: bytes | None = None, *, patience: float) -> bytes:
        answer = self._lines.send(method, path, body, patience=patience)
        for attempt in range(1, TRIES):
            if answer.status != BUSY:
                break
            time.sleep(0.2 * attempt)
            answer = self._lines.send(method, path, body, patience=patience)
        if answer.status == 200:
            return answer.body
        raise refusal(self._name, answer.status, self._read(Refused, answer.body))

    def _read(self, kind: type[M], body: bytes) -> M:
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            raise UnreachableError(f"{self._name}: what answers there is not an agent of dtnctl, or a much newer one") from error


class AgentClient(AgentObserver):
    """Asks one agent, and has it change its host."""

    methods = WRITES

    def perform(self, request: Request) -> Done:
        """Carry out one request; what is so already is success. ConflictError, NotFoundError or EngineError if it is refused."""
        body = request.model_dump_json(exclude_none=True).encode()
        return self._read(Done, self._ask("POST", "/v1/perform", body, patience=self._timeouts.write))


@overload
def connect_agent(
    name: str, endpoint: Endpoint, *, read_only: Literal[True], root: Path, timeouts: Timeouts, secrets: SecretSource | None = None
) -> AgentObserver: ...
@overload
def connect_agent(
    name: str, endpoint: Endpoint, *, read_only: Literal[False], root: Path, timeouts: Timeouts, secrets: SecretSource | None = None
) -> AgentClient: ...
def connect_agent(
    name: str, endpoint: Endpoint, *, read_only: bool, root: Path, timeouts: Timeouts, secrets: SecretSource | None = None
) -> AgentObserver:
    """The agent of an endpoint that has one. Paths of certificates and tokens start at `root`; `secrets` looks up its token."""
    if endpoint.agent is None:
        raise ValueError(f"{name} has no agent")
    kind = AgentObserver if read_only else AgentClient
    return kind(name, reach_of(endpoint, endpoint.agent, root, timeouts, secrets), timeouts)
