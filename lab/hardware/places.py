"""What is where with the virtual hardware: guests, their ports on this machine, their files. Nothing here touches the machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.layout import CLONE, Endpoint, Layout, TlsFiles

COUNT = 2
ADDRESS = "127.0.0.1"
# inside of each guest, by the place of the card: PCI bus 0x41 is on NUMA node 1, 0x21 on node 0
NEAR_NIC = "enp65s0"
FAR_NIC = "enp33s0"
SSH, ENGINE, AGENT = 22, 2376, 5050


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a guest's services are reached on this machine's loopback address."""

    ssh: int
    engine: int
    agent: int


@dataclass(frozen=True, slots=True)
class Guest:
    """One emulated machine."""

    endpoint: Endpoint
    ports: Ports

    @property
    def name(self) -> str:
        return self.endpoint.name

    @property
    def number(self) -> int:
        return self.endpoint.number

    @property
    def folder(self) -> Path:
        return self.endpoint.folder

    @property
    def tls(self) -> TlsFiles:
        """The client's certificate, for the engine and for the agent."""
        return self.endpoint.tls

    @property
    def engine_url(self) -> str:
        return f"tcp://{ADDRESS}:{self.ports.engine}"

    @property
    def agent_url(self) -> str:
        return f"https://{ADDRESS}:{self.ports.agent}"

    @property
    def host(self) -> str:
        """A name for where control ports are: the guest's own ports are forwarded to this machine, and those are not."""
        return f"{self.name}.example.net"

    @property
    def state(self) -> dict[str, Any]:
        """The fields of its file in state/endpoints that say how engine and agent are reached."""
        tls = {"ca": str(self.tls.ca), "cert": str(self.tls.cert), "key": str(self.tls.key)}
        return {"docker": self.engine_url, "tls": tls, "agent": self.agent_url, "agent_tls": dict(tls), "host": self.host}

    @property
    def ssh_state(self) -> dict[str, Any]:
        """The same with nothing but a login: engine and agent are behind it."""
        return {"docker": f"ssh://root@{ADDRESS}:{self.ports.ssh}", "agent": "ssh", "host": self.host}


def default_folder() -> Path:
    return Path(os.environ.get("DTN_HARDWARE_DIR") or CLONE / "build" / "hardware")


def guest_of(layout: Layout, number: int, ports: Ports) -> Guest:
    """The guest of this number in a lab's folder."""
    return Guest(layout.endpoint(number), ports)
