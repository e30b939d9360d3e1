"""Serves the pages on one address until the program ends."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Iterable, Iterator

import uvicorn

from dtnctl.errors import UsageError
from dtnctl.runtime.clock import Clock
from dtnctl.web.access import LOOPBACK_NAMES, Access, is_loopback
from dtnctl.web.app import application
from dtnctl.web.watch import Watch

MOST_CONNECTIONS = 128
ENDING = 2  # seconds that open streams have when it ends


def access_of(host: str, port: int, names: Iterable[str], token: str) -> Access:
    """Who may read what is served there. Every machine that listens is reached by its own name as well."""
    hosts = {*LOOPBACK_NAMES, host.casefold(), *(name.casefold() for name in names)}
    if not is_loopback(host):
        hosts |= {socket.gethostname().casefold(), socket.getfqdn().casefold()}
    return Access(frozenset(hosts), f"dtnctl-{port}", token, secrets.token_urlsafe(32) if token else "")


class Server(uvicorn.Server):
    """Leaves signals to the program that it is a part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None are."""
        yield


def listening(host: str, port: int) -> socket.socket:
    """The socket that it listens on. UsageError if that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise UsageError(f"cannot listen on {host} port {port}: {error.strerror or error}; --port PORT is another one") from error
    return listener


def make_server(watch: Watch, access: Access, clock: Clock) -> Server:
    """The server; `run(sockets=[…])` serves."""
    config = uvicorn.Config(
        application(watch, access, clock),
        interface="asgi3",
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=ENDING,
    )
    return Server(config)


def serve(watch: Watch, listener: socket.socket, access: Access, clock: Clock) -> None:
    """Serve the pages of what is watched until the process ends."""
    with listener, contextlib.closing(watch):
        make_server(watch, access, clock).run(sockets=[listener])
