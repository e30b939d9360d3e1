"""What a container holds exclusively while it runs: ports of its endpoint, addresses of its networks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dtnctl.model.drivers import HOST_NETWORK
from dtnctl.model.resources import Attachment, ContainerSeen, ContainerSpec
from dtnctl.model.site import BUILT_IN_NETWORKS
from dtnctl.planning.choices.pools import HostPort

ACTIVE_STATES = frozenset({"running", "restarting", "paused"})  # has processes, and holds its ports and addresses


@dataclass(frozen=True, slots=True)
class Holdings:
    """`addresses` as (network, address); those of the engine's own networks are left out, the engine minds them itself."""

    ports: tuple[HostPort, ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()


def holdings(spec: ContainerSpec, live: tuple[Attachment, ...] = ()) -> Holdings:
    """Of a container with that spec. `live` are addresses that the engine chose."""
    ports = {(binding.host, binding.protocol) for binding in spec.ports}
    if spec.network == HOST_NETWORK:
        ports |= set(_host_ports(spec))
    return Holdings(tuple(sorted(ports)), tuple(sorted(set(addresses((*spec.attachments, *live))))))


def live_holdings(seen: ContainerSeen) -> Holdings:
    return holdings(seen.spec, seen.addresses)


def lets_go(seen: ContainerSeen, spec: ContainerSpec) -> bool:
    """Whether a container that runs would hold less with that spec: others may wait for the rest."""
    held, kept = live_holdings(seen), holdings(spec)
    is_less = not (set(held.ports) <= set(kept.ports) and set(held.addresses) <= set(kept.addresses))
    return is_less and seen.state in ACTIVE_STATES


def addresses(attachments: tuple[Attachment, ...]) -> Iterator[tuple[str, str]]:
    """Every (network, address) that is said."""
    for item in attachments:
        if item.network not in BUILT_IN_NETWORKS:
            yield from ((item.network, address) for address in (item.ipv4, item.ipv6) if address)


def _host_ports(spec: ContainerSpec) -> Iterator[HostPort]:
    """On the host's network nothing is published: the environment shows which ports were given."""
    env = dict(spec.env)
    for text in (env.get("CTRL_PORT", ""), env.get("SERV_PORT", "")):
        if port := port_number(text):
            yield port, "tcp"
    low, _, high = env.get("DATA_PORTS", "").partition(",")
    yield from ((port, "tcp") for port in range(port_number(low), port_number(high) + 1) if port)


def port_number(text: str) -> int:
    """The port that a variable of a live container names; 0 if it names none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0
