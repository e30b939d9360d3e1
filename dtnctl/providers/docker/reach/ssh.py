"""An engine on a unix socket of another host, through a login by ssh."""

from __future__ import annotations

from pathlib import Path

from dtnctl.model.site import Endpoint
from dtnctl.providers.docker.reach.transport import Transport
from dtnctl.providers.docker.reach.unix import UnixPool
from dtnctl.providers.ssh import FarSocket, open_tunnel
from dtnctl.providers.timeouts import Timeouts

WHEN_MISSING, WHEN_DENIED = "is the engine running", "the group `docker` usually may"


def reach_ssh(endpoint: Endpoint, root: Path, timeouts: Timeouts) -> Transport:
    """Logs in."""
    del root
    tunnel = open_tunnel(endpoint.address, FarSocket(endpoint.address.path, WHEN_MISSING, WHEN_DENIED), timeouts)
    return Transport(UnixPool(str(tunnel.socket)), tunnel=tunnel)
