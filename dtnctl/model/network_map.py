"""The networks between endpoints as a map: which interface is in which network, and what runs across. Frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from dtnctl.model.report import SessionState


@dataclass(frozen=True, slots=True)
class EndpointPlace:
    """An endpoint. `unknown` says why nothing is known of it but what is declared; empty: it answered.

    `agent_silence`: why its agent, which has its interfaces, did not answer.
    """

    name: str
    unknown: str = ""
    agent_silence: str = ""


@dataclass(frozen=True, slots=True)
class NetworkPlace:
    """A network that is declared, or one that every engine has. `mtu` in bytes; 0 and None: not declared."""

    name: str
    driver: str
    vlan: int | None = None
    mtu: int = 0
    subnets: tuple[str, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where an endpoint is in a network: by which interface, empty where the host makes the network itself. `speed` in Mb/s.

    `is_up` None: not known. `is_missing`: the host is known, and has no such interface.
    """

    endpoint: str
    network: str
    interface: str = ""
    speed: int | None = None
    is_up: bool | None = None
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class PathPlace:
    """A path between sites. `endpoints` are those of its ends, `others` ends that are none of ours. `bandwidth` in kbit/s; 0: none."""

    name: str
    state: str
    provider: str
    endpoints: tuple[str, ...]
    others: tuple[str, ...] = ()
    vlan: int = 0
    mtu: int = 0
    bandwidth: int = 0


@dataclass(frozen=True, slots=True)
class SessionPlace:
    """A session across its endpoints. `networks` are those that its data goes over."""

    name: str
    state: SessionState
    endpoints: tuple[str, ...]
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkMap:
    """All of a site, each in name order."""

    site: str
    endpoints: tuple[EndpointPlace, ...]
    networks: tuple[NetworkPlace, ...]
    crossings: tuple[Crossing, ...]
    paths: tuple[PathPlace, ...]
    sessions: tuple[SessionPlace, ...]
