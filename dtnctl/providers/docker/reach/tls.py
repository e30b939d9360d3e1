"""An engine on a TCP port, with both sides' certificates."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from dtnctl.errors import UnreachableError
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.reach.pool import DirectReads, open_tcp
from dtnctl.providers.docker.reach.transport import Transport

# A dead peer is noticed within a minute, also by calls that may wait for hours.
KEEP_ALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
]


def reach_tls(access: EndpointAccess, *, read_only: bool) -> Transport:
    """Connects to nothing yet. An engine behind a web server has a folder before its paths."""
    del read_only
    docker = access.endpoint.address
    return Transport(TlsPool(docker, _context(access.endpoint, access.root)), docker.path)


class TlsPool(DirectReads):
    """The connections to one host."""

    def __init__(self, address: EngineAddress, context: ssl.SSLContext) -> None:
        super().__init__(address.host, address.port)
        self._context = context

    def open(self, seconds: float | None) -> socket.socket:
        plain = open_tcp(self.host, self.port, seconds)
        try:
            for option in KEEP_ALIVE:
                plain.setsockopt(*option)
            return self._context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def _context(endpoint: Endpoint, root: Path) -> ssl.SSLContext:
    """The endpoint's CA and our certificate, and nothing of the environment. UnreachableError names the file that is wrong."""
    tls, address = endpoint.tls, endpoint.address
    assert tls is not None  # the model refuses tcp:// without it
    ca, cert, key = root / tls.ca, root / tls.cert, root / tls.key
    for name, path in (("ca", ca), ("cert", cert), ("key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise UnreachableError(f"{address}: `tls: {name}`: cannot read {path}: {error.strerror}") from error
    try:
        context = ssl.create_default_context(cafile=ca)
    except ssl.SSLError as error:
        raise UnreachableError(f"{address}: `tls: ca`: {ca} holds no certificate (PEM)") from error
    try:
        # A password would be asked for on the terminal.
        context.load_cert_chain(cert, key, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        raise UnreachableError(
            f"{address}: `tls: cert` and `tls: key` ({cert}, {key}) are no PEM certificate and its key, without a password"
        ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context
