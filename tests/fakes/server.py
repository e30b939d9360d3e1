"""A listening unix socket: one thread for each connection, keep-alive, chunked and upgraded streams."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from tests.fakes.errors import Dropped
from tests.fakes.faults import Peer, peer_of
from tests.fakes.messages import Request, Response, head_of, read_request

Handle: TypeAlias = Callable[[Request, Peer], Response]
"""Answers a request of this process, or raises Dropped."""

READ_BUFFER = 65536
BACKLOG = 128
DRAIN_SECONDS = 2.0
DRAIN_STEP = 0.0002


class SocketServer:
    """Serves one socket path until closed. Closing removes the path, like an engine that is not there."""

    def __init__(self, path: Path, handle: Handle, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._handle = handle
        self._now = now
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._guard = threading.Lock()
        self._open = True
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(BACKLOG)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Stop listening, cut every connection, wait for their threads."""
        with self._guard:
            self._open = False
            connections, threads = list(self._connections), list(self._threads)
        self._path.unlink(missing_ok=True)
        for one in [self._listener, *connections]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._guard:
                if not self._open:
                    connection.close()
                    return
                self._connections.add(connection)
                self._threads.add(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb", READ_BUFFER) as stream:
                peer = peer_of(peer_pid(connection))
                while (request := read_request(cast(BinaryIO, stream))) is not None:
                    response = self._handle(request, peer)
                    response.headers.setdefault("Date", formatdate(self._now(), usegmt=True))
                    if not _send(connection, request, response):
                        return
        except (Dropped, OSError):
            return
        finally:
            with self._guard:
                self._connections.discard(connection)
                self._threads.discard(threading.current_thread())


def peer_pid(connection: socket.socket) -> int:
    """The process that connected."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid


def _send(connection: socket.socket, request: Request, response: Response) -> bool:
    """Send one answer; returns whether the connection can be used again."""
    keeps = request.headers.get("connection", "").lower() != "close"
    if response.stream is None:
        body = b"" if request.method == "HEAD" else response.body
        connection.sendall(head_of(response, upgraded=False) + body)
        return keeps
    if not response.upgrades:
        connection.sendall(head_of(response, upgraded=False))
        _send_chunks(connection, response.stream)
        return keeps
    connection.sendall(head_of(response, upgraded=request.wants_upgrade))
    # docker-py reads an upgraded connection below its buffer: what comes together with the headers would be lost.
    _wait_until_read(connection)
    for part in response.stream:
        connection.sendall(part)
    return False


def _send_chunks(connection: socket.socket, stream: Iterator[bytes]) -> None:
    for part in stream:
        if part:
            connection.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        elif _is_gone(connection):
            raise Dropped
    connection.sendall(b"0\r\n\r\n")


def _is_gone(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def _wait_until_read(connection: socket.socket) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        unread = fcntl.ioctl(connection, termios.TIOCOUTQ, struct.pack("i", 0))
        if struct.unpack("i", unread)[0] == 0:
            return
        time.sleep(DRAIN_STEP)
