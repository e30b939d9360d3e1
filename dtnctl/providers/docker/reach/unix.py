"""An engine on a unix socket of this machine."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from urllib3.connection import HTTPConnection

from dtnctl.model.site import Endpoint
from dtnctl.providers.docker.reach.pool import IDLE_CONNECTIONS, DirectReads
from dtnctl.providers.docker.reach.transport import Transport
from dtnctl.providers.timeouts import Timeouts


def reach_unix(endpoint: Endpoint, root: Path, timeouts: Timeouts) -> Transport:
    """Connects to nothing yet."""
    del root, timeouts
    return Transport(UnixPool(endpoint.docker.path))


class UnixConnection(HTTPConnection):
    """HTTP over a unix socket. The SDK's own leaves a socket that cannot connect to the garbage collector."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self.path = path

    def connect(self) -> None:
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            unix.settimeout(self.timeout)
            unix.connect(self.path)
        except OSError:
            unix.close()
            raise
        self.sock = unix


class UnixPool(DirectReads):
    """The connections to one socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", maxsize=IDLE_CONNECTIONS)
        self.path = path

    def _new_conn(self) -> Any:
        return UnixConnection(self.path)
