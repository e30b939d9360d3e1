"""Address pools: which subnet a network gets, and which address a container gets in it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from tests.fakes.core import Engine
from tests.fakes.errors import forbidden, server_error
from tests.fakes.state import Json, Network, Pool

Subnet: TypeAlias = IPv4Network | IPv6Network

DEFAULT_POOLS = [f"172.{number}.0.0/16" for number in range(17, 32)] + [f"192.168.{third}.0/20" for third in range(0, 256, 16)]
"""What the engine hands out when no subnet is given; docker0 holds the first."""


def make_pools(engine: Engine, declared: list[Json]) -> list[Pool]:
    """The pools of a new network: the declared ones, or the next free default one."""
    subnets = [_read_subnet(entry) for entry in declared]
    _refuse_overlap(engine, subnets)
    pools = [_declared_pool(entry, subnet) for entry, subnet in zip(declared, subnets, strict=True)]
    if not any(subnet.version == 4 for subnet in subnets):
        pools.insert(0, _next_default_pool(engine))
    return pools


def _read_subnet(entry: Json) -> Subnet:
    return ip_network(entry["Subnet"], strict=False)


def _refuse_overlap(engine: Engine, subnets: list[Subnet]) -> None:
    for subnet in subnets:
        for taken in _taken_subnets(engine):
            if taken.version == subnet.version and taken.overlaps(subnet):
                raise forbidden("Pool overlaps with other one on this address space")


def _taken_subnets(engine: Engine) -> Iterator[Subnet]:
    for network in engine.state.networks.values():
        yield from (ip_network(pool.subnet) for pool in network.pools)


def _declared_pool(entry: Json, subnet: Subnet) -> Pool:
    pool = Pool(
        subnet=str(subnet),
        gateway="",
        address_range=entry.get("IPRange") or "",
        reserved=dict(entry.get("AuxiliaryAddresses") or {}),
        declared=dict(entry),
    )
    # The engine takes an address for the gateway even where nobody will use it (internal networks too).
    pool.gateway = entry.get("Gateway") or _lowest_free(pool, set(pool.reserved.values()))
    return pool


def _next_default_pool(engine: Engine) -> Pool:
    taken = list(_taken_subnets(engine))
    state = engine.state
    for step in range(len(DEFAULT_POOLS)):
        index = (state.next_pool + step) % len(DEFAULT_POOLS)
        subnet = ip_network(DEFAULT_POOLS[index])
        if not any(other.version == 4 and other.overlaps(subnet) for other in taken):
            # The engine goes on from here next time: a subnet that was just freed does not come back at once.
            state.next_pool = index + 1
            return Pool(subnet=str(subnet), gateway=str(subnet[1]))
    raise server_error("could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network")


def held_addresses(engine: Engine, network: Network) -> set[str]:
    """Every address of `network` that somebody has: gateways, reserved ones, attached containers."""
    held = {pool.gateway for pool in network.pools}
    for pool in network.pools:
        held.update(pool.reserved.values())
    for container in engine.state.containers.values():
        for endpoint in container.endpoints.values():
            if endpoint.endpoint_id and endpoint.network_id == network.id:
                held.update((endpoint.address, endpoint.address6))
    return held


def allocate(engine: Engine, network: Network, wanted: str, version: int) -> tuple[str, int, str]:
    """(address, prefix length, gateway) of the given IP version; empty when the network has no such pool."""
    pools = [pool for pool in network.pools if ip_network(pool.subnet).version == version]
    if not pools:
        return "", 0, ""
    held = held_addresses(engine, network)
    if not wanted:
        return _describe(pools[0], _lowest_free(pools[0], held))
    for pool in pools:
        if ip_address(wanted) in ip_network(pool.subnet):
            address = str(ip_address(wanted))
            if address in held | _edges(pool):
                raise forbidden("Address already in use")
            return _describe(pool, address)
    raise server_error(f"Invalid address {wanted}: It does not belong to any of this network's subnets")


def _describe(pool: Pool, address: str) -> tuple[str, int, str]:
    return address, ip_network(pool.subnet).prefixlen, pool.gateway


def _lowest_free(pool: Pool, held: set[str]) -> str:
    usable = ip_network(pool.address_range or pool.subnet, strict=False)
    kept = held | _edges(pool)
    for candidate in usable:
        if str(candidate) not in kept:
            return str(candidate)
    raise server_error("no available IPv4 addresses on this network's address pools")


def _edges(pool: Pool) -> set[str]:
    subnet = ip_network(pool.subnet)
    return {str(subnet.network_address), str(subnet.broadcast_address)}


def mac_of(address: str, unique: str) -> str:
    """The hardware address the engine makes from an IPv4 address; from `unique` digits where there is none."""
    if address:
        return "02:42:" + ":".join(f"{int(part):02x}" for part in address.split("."))
    return "02:42:" + ":".join(unique[index : index + 2] for index in range(0, 8, 2))
