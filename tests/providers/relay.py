"""Stands between a client and an engine's socket: notes every request, and lets a test act just before one is passed on."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

REQUEST = re.compile(rb"(GET|HEAD|POST|PUT|DELETE|PATCH) (\S+) HTTP/1\.1\r\n")


class Relay:
    """Listens at `path` while it is open. Requests come one after another on a connection, each at the start of a packet."""

    def __init__(self, path: Path, engine: Path, before: Callable[[str], None] = lambda request: None) -> None:
        self.path = path
        self.requests: list[str] = []
        self._engine = engine
        self._before = before
        self._listener = socket.socket(socket.AF_UNIX)
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._bind()
        self._listener.listen()
        self._spawn(self._accept)
        return self

    def _bind(self) -> None:
        self._listener.bind(str(self.path))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for one in list(self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()
        for one in (self._listener, *self._sockets):
            one.close()

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                engine = socket.socket(socket.AF_UNIX)
                self._sockets += [client, engine]
                engine.connect(str(self._engine))
                self._spawn(self._pass_on, client, engine, True)
                self._spawn(self._pass_on, engine, client, False)

    def _forwarded(self, client: socket.socket, data: bytes) -> bytes:
        """What the engine gets of what a client sent."""
        del client
        return data

    def _pass_on(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                match = REQUEST.match(data) if is_client else None
                if match is not None:
                    request = f"{match[1].decode()} {match[2].decode()}"
                    self.requests.append(request)
                    self._before(request)
                target.sendall(self._forwarded(source, data) if is_client else data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
