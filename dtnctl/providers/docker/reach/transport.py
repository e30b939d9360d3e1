"""A transport: how connections to an engine are opened, and what each request gets on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from dtnctl.model.site import Endpoint
from dtnctl.providers.docker.reach.pool import DirectReads
from dtnctl.providers.ssh import Tunnel
from dtnctl.providers.timeouts import Timeouts


@dataclass(frozen=True, slots=True)
class Transport:
    """Connections of `pool`; `prefix` stands before each path of the engine's API, `headers` are sent with each request.

    `tunnel` is a program that the connections go through: it may end, and it is closed with them.
    """

    pool: DirectReads
    prefix: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    tunnel: Tunnel | None = None

    @property
    def is_alive(self) -> bool:
        """False once a program below has ended: then a new transport is needed."""
        return self.tunnel is None or self.tunnel.is_alive

    def complaint(self) -> str:
        """What the program below reports that explains a failed call; empty if there is nothing of use."""
        return "" if self.tunnel is None else self.tunnel.complaint()

    def close(self) -> None:
        self.pool.close()
        if self.tunnel is not None:
            self.tunnel.close()


Reach: TypeAlias = Callable[[Endpoint, Path, Timeouts], Transport]
"""The way to an endpoint's engine; paths of its file start at the folder. UnreachableError says what to check."""
