"""An engine on a TCP port, with both sides' certificates."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from urllib3.connectionpool import HTTPSConnectionPool

from dtnctl.errors import UnreachableError
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.model.site import Endpoint, Tls
from dtnctl.providers.docker.reach.pool import IDLE_CONNECTIONS, DirectReads
from dtnctl.providers.docker.reach.transport import Transport
from dtnctl.providers.timeouts import Timeouts
from dtnctl.values import dataclass

# A dead peer is noticed within a minute, also by calls that may wait for hours.
KEEP_ALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
]


@dataclass(frozen=True, slots=True)
class Files:
    """Certificates and a key that were tried and are good."""

    ca: Path
    cert: Path
    key: Path


def reach_tls(endpoint: Endpoint, root: Path, timeouts: Timeouts) -> Transport:
    """Connects to nothing yet. An engine behind a web server has a folder before its paths."""
    del timeouts
    return Transport(TlsPool(endpoint.docker, _files(endpoint, root)), endpoint.docker.path)


class TlsPool(HTTPSConnectionPool, DirectReads):
    """The connections to one host."""

    def __init__(self, address: EngineAddress, files: Files) -> None:
        super().__init__(
            address.host,
            address.port,
            maxsize=IDLE_CONNECTIONS,
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(files.ca),
            cert_file=str(files.cert),
            key_file=str(files.key),
            socket_options=KEEP_ALIVE,
        )


def _files(endpoint: Endpoint, root: Path) -> Files:
    """The files are tried first, since urllib3 and requests say little when one is wrong."""
    tls, address = endpoint.tls, endpoint.docker
    assert tls is not None  # the model refuses tcp:// without it
    files = Files(root / tls.ca, root / tls.cert, root / tls.key)
    for name in Tls.model_fields:
        path = getattr(files, name)
        try:
            path.read_bytes()
        except OSError as error:
            raise UnreachableError(f"{address}: `tls: {name}`: cannot read {path}: {error.strerror}") from error
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except ssl.SSLError as error:
        raise UnreachableError(f"{address}: `tls: ca`: {files.ca} holds no certificate (PEM)") from error
    try:
        # A password would be asked for on the terminal.
        context.load_cert_chain(files.cert, files.key, password=lambda: "")
    except (ssl.SSLError, ValueError) as error:
        pair = f"{files.cert}, {files.key}"
        raise UnreachableError(
            f"{address}: `tls: cert` and `tls: key` ({pair}) are no PEM certificate and its key, without a password"
        ) from error
    return files
