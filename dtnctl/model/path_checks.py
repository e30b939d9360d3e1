"""What `dtnctl paths check` asks and finds of a path: frozen values that planning makes and renderers show. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# session: a service is on the path. answer: it hears from the far side. packets: as large as declared. rate, loss: on request
Aspect = Literal["state", "interface", "vlan", "session", "answer", "packets", "rate", "loss"]
PathVerdict = Literal["ok", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class PathFinding:
    """One aspect of a path at one place, which is a provider, an end, or a direction. `fix` is what to do next; empty if nothing is."""

    aspect: Aspect
    where: str
    verdict: PathVerdict
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class PathProbe:
    """One direction of a path: what the service at `endpoint` is to send from its own `address` there to the far side's.

    `size` is the largest packet in bytes that must pass whole. `session` is whose services they are, `vlan` the path's (0: not known),
    `bandwidth` in kbit what is promised (0: nothing). `maker` is who knows the path between both ends, as a text for the reader.
    """

    endpoint: str
    far_endpoint: str
    session: str
    container: str
    address: str
    far_address: str
    size: int
    vlan: int
    maker: str
    far_container: str = ""
    bandwidth: int = 0

    @property
    def where(self) -> str:
        return f"{self.endpoint} → {self.far_endpoint}"
