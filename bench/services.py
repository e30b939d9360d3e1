"""Sessions of real DTN images on two endpoints, declared and applied, for the figures that move data between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from bench.place import Place

DATA_INTERFACE = "eth1"


def declare_data_network(here: Place) -> None:
    """A macvlan network `data` on the data interface of every endpoint."""
    network = {"driver": "macvlan", "subnet": "10.20.0.0/24", "addresses": "10.20.0.100-10.20.0.199", "mtu": 9000}
    here.write("networks/data", network)
    for name in here.names:
        value = yaml.safe_load(here.lab.endpoint_yaml(name, "unix"))
        here.write(f"endpoints/{name}", {**value, "interfaces": {"data": DATA_INTERFACE}})


def declare_service(here: Place, name: str, **fields: Any) -> None:
    """A session of that name on all endpoints with a profile of its own. Memory is not limited: files in a tmpfs would count."""
    here.write(f"profiles/{name}", {"memory": None, "init": True, "tty": False, **fields})
    here.write(f"sessions/{name}", {"endpoints": list(here.names), "image": "dtn:1", "profile": name})


def inspect(here: Place, endpoint: str, session: str) -> Mapping[str, Any]:
    """The inspection of the session's container."""
    with here.raw(endpoint) as raw:
        return raw.inspect(f"bench.{session}")


def in_service(here: Place, endpoint: str, session: str, *command: str, user: str = "") -> list[str]:
    """The command line that runs a command in the session's container, as people do it by hand."""
    account = ["--user", user] if user else []
    return ["docker", "--host", here.lab.endpoint(endpoint).unix_url, "exec", *account, f"bench.{session}", *command]
