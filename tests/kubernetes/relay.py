"""Stands between dtnctl and a cluster's API server: notes each call, and lets a test act before it is passed on and before its answer is.

A client speaks plain HTTP to it, on loopback, and its token is passed on, so that what the server refuses it is refused here.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qs, urlsplit

REQUEST = re.compile(rb"(GET|POST|PUT|DELETE|PATCH) (\S+) HTTP/1\.1\r\n")
# /api/v1/… or /apis/GROUP/VERSION/…, maybe of a namespace
RESOURCE = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/v[^/]+/(?P<namespace>namespaces/[^/]+/)?(?P<rest>[a-z].*)")
APPLY = b"application/apply-patch+yaml"  # of what may not be there yet: whoever may not create is refused
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
Moment = Literal["before", "after"]


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """What is asked of RBAC: a verb, of a kind of objects. `resource` has its subresource (`pods/log`); empty for what is no resource."""

    group: str
    resource: str
    verb: str
    namespaced: bool = True

    @property
    def writes(self) -> bool:
        return self.verb not in ("get", "list", "watch")


def call_of(method: str, target: str) -> Call:
    """The verb that an API server makes of a request."""
    parts = urlsplit(target)
    match = RESOURCE.fullmatch(parts.path)
    if match is None:
        return Call("", "", method.lower(), namespaced=False)
    kind, *name = match["rest"].rstrip("/").split("/")
    group, resource, namespaced = match["group"] or "", "/".join((kind, *name[1:])), match["namespace"] is not None or kind == "namespaces"
    if method != "GET":
        verb = "deletecollection" if method == "DELETE" and not name else VERBS[method]
        return Call(group, resource, verb, namespaced)
    watches = parse_qs(parts.query).get("watch", ["false"])[0] in ("1", "true")
    return Call(group, resource, "get" if name else "watch" if watches else "list", namespaced)


class ApiRelay:
    """Listens while it is open. `act` runs with each call, at both moments; an error that it raises cuts the connection."""

    def __init__(self, host: str, port: int, trusted: ssl.SSLContext) -> None:
        self.calls: list[Call] = []
        self.act: Callable[[int, Call, Moment], None] = lambda number, call, moment: None
        self._server = (host, port)
        self._trusted = trusted
        # what 1.3 sends after the handshake makes a socket readable that has no data yet
        trusted.maximum_version = ssl.TLSVersion.TLSv1_2
        self._listener = socket.socket()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._spawn(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        _cut(self._listener, *self._sockets)
        for thread in list(self._threads):
            thread.join()
        self._listener.close()

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._trusted.wrap_socket(socket.create_connection(self._server), server_hostname=self._server[0])
                self._sockets |= {client, server}
                self._spawn(self._pass_on, client, server)

    def _pass_on(self, client: socket.socket, server: ssl.SSLSocket) -> None:
        """One thread for both directions: a TLS connection is not for two."""
        waiting: list[tuple[int, Call]] = []
        with contextlib.suppress(OSError):
            while True:
                ready = [server] if server.pending() else select.select([client, server], [], [])[0]
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        raise ConnectionAbortedError
                    if source is client:
                        self._note(data, waiting)
                        server.sendall(data)
                    else:
                        while waiting:
                            self.act(*waiting.pop(0), "after")
                        client.sendall(data)
        _cut(client, server)
        self._sockets -= {client, server}
        client.close()
        server.close()

    def _note(self, data: bytes, waiting: list[tuple[int, Call]]) -> None:
        match = REQUEST.match(data)
        if match is None:
            return
        call = call_of(match[1].decode(), match[2].decode())
        if APPLY in data.partition(b"\r\n\r\n")[0]:
            self.calls.append(replace(call, verb="create"))
        self.calls.append(call)
        waiting.append((len(self.calls), call))
        self.act(len(self.calls), call, "before")


def _cut(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
