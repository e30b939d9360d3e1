"""How an agent is reached: over TLS, on a unix socket of this machine, or on one of its host through the endpoint's login by ssh."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dtnctl.model.agent_addresses import AgentAddress
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.model.site import Endpoint
from dtnctl.providers.agent.errors import MAY_OPEN, RUNS, reason
from dtnctl.providers.agent.trust import Trust, trust_of
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.ssh import FarSocket, Tunnel, open_tunnel
from dtnctl.providers.timeouts import Timeouts

if TYPE_CHECKING:
    import ssl


class Reach(Protocol):
    """The way to one agent."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def connect(self) -> http.client.HTTPConnection:
        """A new connection, open. OSError or UnreachableError if there is none to be had."""

    def headers(self) -> Mapping[str, str]:
        """What each request has to show."""

    def explain(self, error: BaseException) -> str:
        """Why a call failed, and what to check."""

    def close(self) -> None:
        """End what was started for the connections."""


def reach_of(endpoint: Endpoint, address: AgentAddress, root: Path, timeouts: Timeouts, secrets: SecretSource | None = None) -> Reach:
    """By the address of the agent. Connects to nothing yet."""
    match address.scheme:
        case "ssh":
            return SshReach(endpoint.address, address.path, timeouts)
        case "unix":
            return SocketReach(address.path, timeouts)
        case _:
            return TlsReach(address, trust_of(endpoint, root, secrets), timeouts)


# --- TLS --------------------------------------------------------------------------------------------------------------


class TlsConnection(http.client.HTTPConnection):
    """A slow host may take longer for its handshake than for its first packet."""

    def __init__(self, address: AgentAddress, timeouts: Timeouts, context: ssl.SSLContext) -> None:
        super().__init__(address.host, address.port, timeout=timeouts.connect)
        self._timeouts = timeouts
        self._tls = context

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(self._timeouts.answer)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


@dataclass(slots=True)
class TlsReach:
    """Certificates and token are read when they are needed. Neither proxies nor the environment's CAs are asked."""

    address: AgentAddress
    trust: Trust
    timeouts: Timeouts
    context: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        return self.address.text.rstrip("/")

    def connect(self) -> http.client.HTTPConnection:
        if self.context is None:
            self.context = self.trust.context()
        return _opened(TlsConnection(self.address, self.timeouts, self.context))

    def headers(self) -> Mapping[str, str]:
        token = self.trust.token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def explain(self, error: BaseException) -> str:
        return reason(error, host=self.address.host)

    def close(self) -> None:
        pass


# --- sockets ----------------------------------------------------------------------------------------------------------


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeouts: Timeouts) -> None:
        super().__init__("localhost", timeout=timeouts.connect)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(slots=True)
class SocketReach:
    """Whoever may open the socket may ask."""

    path: str
    timeouts: Timeouts

    @property
    def name(self) -> str:
        return f"unix://{self.path}"

    def connect(self) -> http.client.HTTPConnection:
        return _opened(SocketConnection(self.path, self.timeouts))

    def headers(self) -> Mapping[str, str]:
        return {}

    def explain(self, error: BaseException) -> str:
        return reason(error, path=self.path)

    def close(self) -> None:
        pass


@dataclass(slots=True)
class SshReach:
    """One ssh client for all connections; another one when it has ended."""

    login: EngineAddress
    path: str
    timeouts: Timeouts
    tunnel: Tunnel | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        return f"{self.login.text}, agent at {self.path}"

    def connect(self) -> http.client.HTTPConnection:
        with self.lock:
            if self.tunnel is not None and self.tunnel.is_alive:
                with contextlib.suppress(OSError):  # its ssh has just ended
                    return self._connected(self.tunnel)
            self._end()
            self.tunnel = open_tunnel(self.login, FarSocket(self.path, RUNS, MAY_OPEN), self.timeouts)
            return self._connected(self.tunnel)

    def _connected(self, tunnel: Tunnel) -> http.client.HTTPConnection:
        return _opened(SocketConnection(str(tunnel.socket), self.timeouts))

    def headers(self) -> Mapping[str, str]:
        return {}

    def explain(self, error: BaseException) -> str:
        return (self.tunnel.complaint() if self.tunnel is not None else "") or reason(error, path=self.path)

    def close(self) -> None:
        with self.lock:
            self._end()

    def _end(self) -> None:
        if self.tunnel is not None:
            self.tunnel.close()
            self.tunnel = None


def _opened(connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
    try:
        connection.connect()
    except BaseException:
        connection.close()
        raise
    return connection
