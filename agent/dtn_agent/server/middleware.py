"""What every request passes before it reaches the application: who asks, how much, how many at once; and its line in the log."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dtn_agent.log import Lines
from dtn_agent.protocol import Refused
from dtn_agent.server.access import Access
from dtn_agent.server.limits import ServerLimits

CALLER = "caller"  # in the scope's state: who asks
PEER = "peer"  # in the scope's state: the name of the verified client certificate, or the user at the other end of a unix socket
ADDRESS = "address"  # in the scope's state: where it comes from
LONGEST_LOGGED = 200  # characters of a path
LINGER = 1024 * 1024  # bytes that are still read of a body that was refused, so that its sender gets to read why
Headers: TypeAlias = list[tuple[bytes, bytes]]


class RefusedAnswer(Exception):  # noqa: N818  # an answer more than an error; it never leaves this package
    """The answer to a request that goes no further. `lingers`: its sender may still be sending."""

    def __init__(self, status: int, refused: Refused, headers: Headers | None = None, *, lingers: bool = False) -> None:
        super().__init__(refused.error)
        self.status = status
        self.refused = refused
        self.headers = headers or []
        self.lingers = lingers


@dataclass(slots=True)
class Exchange:
    """One request and how far its answer has come."""

    scope: Scope
    receive: Receive
    forward: Send
    status: int = 0
    started: float = field(default_factory=time.perf_counter)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self.forward(message)

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.scope["headers"] if key == name), None)


class Middleware:
    """The outermost ASGI application. Everything that is not 200 comes out as a Refused, whatever happens inside."""

    def __init__(self, app: ASGIApp, access: Access, limits: ServerLimits, lines: Lines) -> None:
        self._app = app
        self._access = access
        self._limits = limits
        self._lines = lines
        self._turns = asyncio.Semaphore(limits.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the agent speaks HTTP only, not {scope['type']}")
        exchange = Exchange(scope, receive, send)
        state = scope["state"]
        state[CALLER] = self._access.recognise(state.get(PEER), exchange.header(b"authorization"))
        try:
            await self._answer(exchange)
        finally:
            self._log(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await self._pass_on(exchange)
        except RefusedAnswer as answer:
            await _refuse(exchange, answer)
        except Exception:  # noqa: BLE001  # the edge: whatever it is goes into the log, and a sentence to who asked
            self._lines.exception(f"{exchange.scope['method']} {exchange.scope['path'][:LONGEST_LOGGED]}")
            if not exchange.status:
                await _refuse(exchange, RefusedAnswer(500, failed()))

    async def _pass_on(self, exchange: Exchange) -> None:
        _check_headers(exchange, self._limits)
        if exchange.scope["state"][CALLER] is None:
            raise unauthorized(has_token=self._access.token is not None)
        async with self._turn():
            body = await _read_body(exchange, self._limits)
            await self._app(exchange.scope, _again(body, exchange.receive), exchange.send)

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One of the requests that are worked on at once; the others wait, each connection with one at most."""
        try:
            await asyncio.wait_for(self._turns.acquire(), self._limits.turn)
        except TimeoutError:
            raise busy(self._limits) from None
        try:
            yield
        finally:
            self._turns.release()

    def _log(self, exchange: Exchange) -> None:
        state = exchange.scope["state"]
        self._lines.write(
            "request",
            who=state[CALLER],
            **{"from": state[ADDRESS]},
            method=exchange.scope["method"],
            path=exchange.scope["path"][:LONGEST_LOGGED],
            status=exchange.status,
            ms=round((time.perf_counter() - exchange.started) * 1000, 1),
        )


# --- refusals -------------------------------------------------------------------------------------------------------


def failed() -> Refused:
    """What a caller learns of a defect of ours: nothing but where its cause is logged."""
    return Refused(code="failed", error="the agent failed over this request; its log on the host has the reason (journalctl -u dtn-agent)")


def unauthorized(*, has_token: bool) -> RefusedAnswer:
    """An unknown caller."""
    ways = "a client certificate that the agent's client CA signed"
    text = f"the agent answers to {ways}, or to its bearer token" if has_token else f"the agent answers to {ways}"
    return RefusedAnswer(401, Refused(code="unauthorized", error=text), [(b"www-authenticate", b'Bearer realm="dtn-agent"')], lingers=True)


def busy(limits: ServerLimits) -> RefusedAnswer:
    """Too many at once, for too long."""
    text = f"the agent works on {limits.requests} requests at once, and no turn came within {limits.turn:g} s; nothing was done, ask again"
    return RefusedAnswer(503, Refused(code="busy", error=text), [(b"retry-after", b"1")], lingers=True)


def headers_too_large(limit: int) -> RefusedAnswer:
    """More than any request needs, also where all of it came at once."""
    text = f"the request's line and headers have more than {limit} bytes, which no request needs; nothing was done"
    return RefusedAnswer(431, Refused(code="too-large", error=text), lingers=True)


def two_lengths() -> RefusedAnswer:
    """RFC 9112, 6.3: it may be an attempt to smuggle a request past a proxy. The connection is closed, as after every refusal."""
    text = "the request has both Content-Length and Transfer-Encoding, so where it ends is in doubt; nothing was done"
    return RefusedAnswer(400, Refused(code="bad-request", error=text))


def too_large(limit: int) -> RefusedAnswer:
    """A body that no request needs."""
    text = f"the request is larger than {limit} bytes, which no request needs; nothing was done"
    return RefusedAnswer(413, Refused(code="too-large", error=text), lingers=True)


def too_slow(seconds: float) -> RefusedAnswer:
    """A body that does not come."""
    text = f"the request's body was not there within {seconds:g} s; nothing was done"
    return RefusedAnswer(408, Refused(code="bad-request", error=text))


def bad_length(text: str) -> RefusedAnswer:
    return RefusedAnswer(400, Refused(code="bad-request", error=f"Content-Length {text!r} is no number of bytes"))


async def _refuse(exchange: Exchange, answer: RefusedAnswer) -> None:
    """The whole answer first; then, for a second or so, what is still being sent is read, or closing would cut the answer off."""
    body = answer.refused.model_dump_json().encode()
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"connection", b"close"), *answer.headers]
    await exchange.send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": body, "more_body": True})
    if answer.lingers:
        await _discard(exchange.receive)
    await exchange.send({"type": "http.response.body", "body": b"", "more_body": False})


def _check_headers(exchange: Exchange, limits: ServerLimits) -> None:
    """h11 bounds headers only as long as they are incomplete."""
    scope = exchange.scope
    size = len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    if size > limits.headers:
        raise headers_too_large(limits.headers)
    if exchange.header(b"content-length") is not None and exchange.header(b"transfer-encoding") is not None:
        raise two_lengths()


# --- bodies ---------------------------------------------------------------------------------------------------------


async def _read_body(exchange: Exchange, limits: ServerLimits) -> bytes:
    """The whole body, in time and within its bound; one that is announced as larger is refused before it is read."""
    length = exchange.header(b"content-length")
    if length is not None and not length.isdigit():
        raise bad_length(length.decode("latin-1")[:40])
    if length is not None and int(length) > limits.body:
        raise too_large(limits.body)
    try:
        async with asyncio.timeout(limits.receiving):
            return await _collect(exchange.receive, limits.body)
    except TimeoutError:
        raise too_slow(limits.receiving) from None


async def _collect(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit:
            raise too_large(limit)
        if not message.get("more_body", False):
            return bytes(body)


async def _discard(receive: Receive) -> None:
    left = LINGER
    try:
        async with asyncio.timeout(1.0):
            while left > 0:
                message = await receive()
                if not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already."""
    messages: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again
