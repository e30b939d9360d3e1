"""What a translation must know of the place that it is for: the node, its namespace, and the networks that are there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Link:
    """A network as far as pods that are attached to it need it: how long its subnets' prefixes are, and what its functions come from."""

    prefix4: int = 0
    prefix6: int = 0
    resource: str = ""
    pf: str = ""


@dataclass(frozen=True, slots=True, order=True)
class DeviceClass:
    """A class of devices that a DRA driver gives out; `selectors` are expressions (CEL) that the device must fulfil."""

    name: str
    selectors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """`endpoint` is its name in the state, `node` the cluster's.

    `resources`: which of the node's extended resources stands for an interface's functions, or for a device file;
    `claims`: which class of devices does.
    `links`: the networks that are there, by name. `host_networked`: ids of services whose network is the host's.
    `node_ports`: whether ports are published by Services, and not by pods.
    """

    endpoint: str
    node: str
    namespace: str
    resources: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, DeviceClass] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    host_networked: frozenset[str] = frozenset()
    node_ports: bool = False
