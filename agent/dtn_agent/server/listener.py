"""Which connections are accepted: they are counted from the first byte of their handshake on, and those that only wait make room.

asyncio itself would accept without bound, and uvicorn counts a connection only when its handshake is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from dtn_agent.log import Lines
from dtn_agent.protocol import Refused
from dtn_agent.server.access import peer_name
from dtn_agent.server.limits import ServerLimits
from dtn_agent.server.middleware import ADDRESS, PEER
from dtn_agent.server.unix_socket import peer_of


@dataclass(slots=True, eq=False)
class Connection:
    """One open connection. `peer` is its user, where the kernel reports it.

    `since` is when it began to wait for its peer; None while a request of it is worked on. `has_begun`: the peer has sent a part of
    its handshake, or is a known client that has not asked yet.
    """

    address: str
    socket: socket.socket
    cut: Callable[[], object]
    over: asyncio.Event
    since: float | None
    has_begun: bool = False
    timer: asyncio.TimerHandle | None = None
    peer: str | None = None

    def makes_room_at(self, limits: ServerLimits) -> float:
        """When it may be closed for a connection that waits, if the peer stays silent until then."""
        assert self.since is not None
        return self.since + (limits.begun if self.has_begun else limits.patience)

    @property
    def has_unread(self) -> bool:
        """Whether bytes of its peer are here that we have not read: then we are the slow ones."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return any(event & select.POLLIN for _, event in poll.poll(0))

    def waits(self, patience: float) -> None:
        """It is the peer's turn, for a limited time."""
        loop = asyncio.get_running_loop()
        self.works()
        self.since = loop.time()
        self.timer = loop.call_later(patience, self.cut)

    def works(self) -> None:
        """It is our turn."""
        self.since = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


MakeProtocol = Callable[[Connection], asyncio.Protocol]


@dataclass(slots=True)
class BoundedListener:
    """Accepts connections of one listening socket, never more at once than the limit. A unix socket has no TLS `context`."""

    context: ssl.SSLContext | None
    limits: ServerLimits
    lines: Lines
    make_protocol: MakeProtocol
    connections: dict[Connection, asyncio.Task[None]] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if self.context is not None:
            self.context.sslobject_class = TlsConnection

    async def accept(self, listening: socket.socket) -> None:
        """Until cancelled. The kernel's queue holds who comes while there is no room."""
        listening.setblocking(False)
        try:
            while True:
                await self._room()
                await self._accept_one(listening)
        finally:
            await self._dismiss()

    async def _accept_one(self, listening: socket.socket) -> None:
        try:
            accepted, address = await asyncio.get_running_loop().sock_accept(listening)
        except OSError as error:  # the peer is gone again, or we are out of descriptors for a moment
            self.lines.write("not-accepted", why=str(error))
            await asyncio.sleep(0.1)
        else:
            self._let_in(accepted, *_origin(accepted, address))

    async def _dismiss(self) -> None:
        """Cut off who only waits. What is worked on has its time, which is uvicorn's to give."""
        waiting = [(connection, task) for connection, task in self.connections.items() if connection.since is not None]
        for connection, _ in waiting:
            connection.cut()
        if waiting:
            await asyncio.wait([task for _, task in waiting], timeout=self.limits.closing)

    def _let_in(self, accepted: socket.socket, address: str, peer: str | None) -> None:
        loop = asyncio.get_running_loop()
        connection = Connection(address, accepted, accepted.close, asyncio.Event(), loop.time(), peer=peer)
        task = loop.create_task(self._receive(accepted, connection))
        connection.cut = task.cancel  # until the handshake is over
        self.connections[connection] = task
        task.add_done_callback(lambda _: self._leave(connection, accepted))

    def _leave(self, connection: Connection, accepted: socket.socket) -> None:
        accepted.close()  # here, because a task that is cancelled before its first step closes nothing
        connection.works()
        del self.connections[connection]
        self.changed.set()

    async def _receive(self, accepted: socket.socket, connection: Connection) -> None:
        """The handshake, then the protocol's life."""
        if self.context is None:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: self.make_protocol(connection), accepted.dup())
            await connection.over.wait()
        else:
            await self._receive_tls(accepted, connection, Handshake(self.context, connection))

    async def _receive_tls(self, accepted: socket.socket, connection: Connection, handshake: Handshake) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self.make_protocol(connection),
                accepted.dup(),
                ssl=handshake,  # type: ignore[arg-type]  # asyncio calls nothing of it but wrap_bio
                ssl_handshake_timeout=self.limits.handshake,
                ssl_shutdown_timeout=self.limits.closing,
            )
        except OSError as error:
            self.lines.write("no-handshake", **{"from": connection.address}, why=getattr(error, "reason", None) or str(error))
            await handshake.say_why(accepted, self.limits.closing)
        except asyncio.CancelledError:
            self.lines.write("no-handshake", **{"from": connection.address}, why="it took too long while others waited, or we end")
        else:
            await connection.over.wait()

    async def _room(self) -> None:
        """Wait until there is room; the connection that keeps us waiting for longest is closed to make some."""
        loop = asyncio.get_running_loop()
        while len(self.connections) >= self.limits.connections:
            self.changed.clear()
            waiting = [
                (connection.makes_room_at(self.limits), connection) for connection in self.connections if connection.since is not None
            ]
            first, connection = min(waiting, key=lambda item: item[0], default=(None, None))
            left = None if first is None else first - loop.time()
            if left is not None and left <= 0:
                assert connection is not None
                self._make_room(connection)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), left)

    def _make_room(self, connection: Connection) -> None:
        if connection.has_unread:
            connection.since = asyncio.get_running_loop().time()
            return
        connection.works()  # so that the next one is another
        connection.cut()


def _origin(accepted: socket.socket, address: Any) -> tuple[str, str | None]:
    """Where a connection comes from, for the log, and its user if the kernel reports it."""
    if accepted.family == socket.AF_UNIX:
        return str(accepted.getsockname()), peer_of(accepted)
    return f"{address[0]}:{address[1]}", None


class TlsConnection(ssl.SSLObject):
    """TLS of one connection that keeps what it has to say of a handshake that failed."""

    outgoing: ssl.MemoryBIO
    connection: Connection
    alert = b""
    calls = 0

    def do_handshake(self) -> None:
        self.calls += 1  # the first one is ours; each further one follows bytes of the peer
        self.connection.has_begun = self.calls > 1
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            self.alert = self.outgoing.read()
            raise


@dataclass(slots=True)
class Handshake:
    """The TLS context of one connection. asyncio drops the alert of a handshake that failed; this sends it.

    Without it a client whose certificate has expired would see a connection that is cut, and no reason.
    """

    context: ssl.SSLContext
    connection: Connection
    tls: TlsConnection | None = None

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, **options: Any) -> ssl.SSLObject:
        """As the context's own."""
        tls = self.context.wrap_bio(incoming, outgoing, **options)
        assert isinstance(tls, TlsConnection)
        tls.outgoing = outgoing
        tls.connection = self.connection
        self.tls = tls
        return tls

    async def say_why(self, accepted: socket.socket, patience: float) -> None:
        """Send the alert, and wait until the peer has closed, too: what it still sends would make the kernel take the alert back."""
        if self.tls is None or not self.tls.alert:
            return
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(patience):
                await loop.sock_sendall(accepted, self.tls.alert)
                accepted.shutdown(socket.SHUT_WR)
                while await loop.sock_recv(accepted, 65536):
                    pass


class HttpConnection(H11Protocol):
    """HTTP on one connection: uvicorn's, with a deadline on everything that the peer may be slow with, and the peer's name."""

    def __init__(self, connection: Connection, limits: ServerLimits, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._connection = connection
        self._limits = limits

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        peer = self._connection.peer or peer_name(transport.get_extra_info("peercert"))
        self.app_state = {PEER: peer, ADDRESS: self._connection.address}
        self._connection.has_begun = peer is not None
        self._connection.cut = self._cut
        self._connection.waits(self._limits.waiting)

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._connection.works()

    def on_response_complete(self) -> None:
        self._connection.has_begun = False
        self._connection.waits(self._limits.waiting)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._connection.over.set()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, f"this is no HTTP request that the agent reads: {msg}")

    def _cut(self) -> None:
        """The peer was too slow. It gets an answer if it had begun to ask."""
        if self.conn.trailing_data[0] and self.conn.our_state is h11.IDLE:
            self._refuse(408, "the request was not there in time; nothing was done")
        self.transport.abort()

    def _refuse(self, status: int, text: str) -> None:
        body = Refused(code="bad-request", error=text).model_dump_json().encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(body))), ("connection", "close")]
        events = (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage())
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
