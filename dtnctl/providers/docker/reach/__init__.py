"""How engines are reached: one module, and one row, for each scheme of an address, whose form is a row of `model/engine_addresses.py`."""

from __future__ import annotations

from dtnctl.providers.docker.reach.portainer import reach_portainer
from dtnctl.providers.docker.reach.ssh import reach_ssh
from dtnctl.providers.docker.reach.tls import reach_tls
from dtnctl.providers.docker.reach.transport import Reach
from dtnctl.providers.docker.reach.unix import reach_unix

TRANSPORTS: dict[str, Reach] = {
    "unix": reach_unix,
    "tcp": reach_tls,
    "ssh": reach_ssh,
    "portainer+https": reach_portainer,
    "portainer+http": reach_portainer,
}
