"""How engines are reached: one module, and one row, for each scheme of an address, whose form is a row of `model/engine_addresses.py`."""

from __future__ import annotations

from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.reach.ssh import reach_ssh
from dtnctl.providers.docker.reach.tls import reach_tls
from dtnctl.providers.docker.reach.transport import Reach, Transport
from dtnctl.providers.docker.reach.unix import reach_unix


def reach_portainer(access: EndpointAccess, *, read_only: bool) -> Transport:
    """As `portainer.reach_portainer`; few sites have one, so the others do not import it."""
    from dtnctl.providers.docker.reach import portainer

    return portainer.reach_portainer(access, read_only=read_only)


TRANSPORTS: dict[str, Reach] = {
    "unix": reach_unix,
    "tcp": reach_tls,
    "ssh": reach_ssh,
    "portainer+https": reach_portainer,
    "portainer+http": reach_portainer,
}
