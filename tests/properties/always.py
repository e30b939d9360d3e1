"""What always holds of the model's endpoints."""

from __future__ import annotations

from collections.abc import Iterable

from dtnctl.model.resources import (
    is_owned,
)
from tests.properties.host import Host, addresses_of, functions_of, ports_of


def check_hosts(site: str, hosts: Iterable[Host]) -> None:
    """No port twice on an endpoint, no address twice on a network name, nothing that is ours under a false name."""
    addresses: dict[tuple[str, str], str] = {}
    for host in hosts:
        _check_functions(host)
        ports: dict[tuple[int, str], str] = {}
        for item in host.active:
            assert is_owned(item.labels, site=site, endpoint=host.name, object_name=item.name)
            for port in ports_of(item.spec):
                assert port not in ports, f"{port} on {host.name}: {item.name} and {ports[port]}"
                ports[port] = item.name
            for place in dict(addresses_of(item.addresses)):
                assert place not in addresses, f"{place}: {item.name} and {addresses[place]}"
                addresses[place] = item.name


def _check_functions(host: Host) -> None:
    """Every virtual function is in one container, held for that one's session, and went in as the ledger has it."""
    used = functions_of(host)
    assert len({pci for pci, _ in used}) == len(used), f"a virtual function twice: {used}"
    if host.agent is None:
        return
    host.agent.only(used)
    held = {item.pci: item for item in host.agent.machine.held.vfs}
    assert len(held) == len(host.agent.machine.held.vfs)
    for pci, item in host.agent.inside.items():
        wanted = held[pci].wanted if pci in held else None
        assert wanted is None or wanted.mac in (None, item.mac), f"{item.container} does not have the MAC {wanted.mac}"
        assert wanted is None or wanted.mtu in (None, item.mtu), f"{item.container} does not have the MTU {wanted.mtu}"
