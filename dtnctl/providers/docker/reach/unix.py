"""An engine on a unix socket of this machine."""

from __future__ import annotations

import socket

from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.reach.pool import DirectReads
from dtnctl.providers.docker.reach.transport import Transport


def reach_unix(access: EndpointAccess, *, read_only: bool) -> Transport:
    """Connects to nothing yet."""
    del read_only
    return Transport(UnixPool(access.endpoint.address.path))


class UnixPool(DirectReads):
    """The connections to one socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self.path = path

    def open(self, seconds: float | None) -> socket.socket:
        unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            unix.settimeout(seconds)
            unix.connect(self.path)
        except OSError:
            unix.close()
            raise
        return unix
