"""An engine on a unix socket of another host, through a login by ssh."""

from __future__ import annotations

from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.reach.transport import Transport
from dtnctl.providers.docker.reach.unix import UnixPool
from dtnctl.providers.ssh import FarSocket, open_tunnel

WHEN_MISSING, WHEN_DENIED = "is the engine running", "the group `docker` usually may"


def reach_ssh(access: EndpointAccess, *, read_only: bool) -> Transport:
    """Logs in."""
    del read_only
    docker = access.endpoint.address
    tunnel = open_tunnel(docker, FarSocket(docker.path, WHEN_MISSING, WHEN_DENIED), access.timeouts)
    return Transport(UnixPool(str(tunnel.socket)), tunnel=tunnel)
