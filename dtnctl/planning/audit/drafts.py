"""Decides which files would declare what was found on hosts: an endpoint each, and the networks that they are in. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from dtnctl.model.audit import FAULTS, Carried, Draft, HostRead
from dtnctl.model.drivers import DRIVERS
from dtnctl.model.findings import Examination, Finding

OVER_A_NIC = next(name for name, row in DRIVERS.items() if row.tags_vlan == "parent")  # the first row whose containers share a NIC
USUAL_MTU = 1500
GROUPS = {"sysctl": "sysctls", "interface": "interfaces", "block": "block"}  # first word of a key, where it stands in the file
PAUSES = ("pause_rx", "pause_tx")
AGENT = "`dtnctl endpoints add {name} --ssh {address}` installs the agent that `agent:` and `tuning:` need; or remove both."
FREE = "Say with `addresses:` which of the subnet are free for containers; without it all of them are."


def drafts_of(
    reads: Sequence[HostRead], carried: Mapping[str, Sequence[Carried]], examinations: Sequence[Examination]
) -> tuple[Draft, ...]:
    """Endpoints in the order of the hosts, then networks by name; what several hosts carry is one network."""
    networks: dict[str, Carried] = {}
    for read in reads:
        for item in carried[read.name]:
            if item.subnet:
                known = networks.get(item.network, item)
                networks[item.network] = min(known, item, key=lambda each: each.mtu)
    endpoints = [_endpoint(read, carried[read.name], found) for read, found in zip(reads, examinations, strict=True)]
    return (*endpoints, *(_network(networks[name]) for name in sorted(networks)))


def _endpoint(read: HostRead, carried: Sequence[Carried], found: Examination) -> Draft:
    fields: dict[str, Any] = {"docker": read.address, "agent": "ssh"}
    fields["interfaces"] = {item.network: item.parent for item in carried if item.subnet}
    fields["tuning"] = _tuning(finding for finding in found.findings if finding.severity in FAULTS)
    notes = (AGENT.format(name=read.name, address=read.address),)
    return Draft("endpoints", read.name, {key: value for key, value in fields.items() if value}, notes)


def _network(item: Carried) -> Draft:
    version = ip_network(item.subnet).version
    fields: dict[str, Any] = {"driver": OVER_A_NIC, "subnet" if version == 4 else "subnet6": item.subnet}
    if item.vlan is not None:
        fields["vlan"] = item.vlan
    if item.mtu != USUAL_MTU:
        fields["mtu"] = item.mtu
    return Draft("networks", item.network, fields, (FREE,))


def _tuning(faults: Iterator[Finding]) -> dict[str, Any]:
    """All settings that the findings ask for, as `tuning:` writes them."""
    found: dict[str, Any] = {}
    for finding in faults:
        if finding.setting is None:
            continue
        group, *path = finding.setting.key.split("/")
        inner = found.setdefault(GROUPS[group], {}) if path else found
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner.update(_written((path or [group])[-1], finding.setting.value))
    return found


def _written(key: str, value: str) -> dict[str, Any]:
    if value in ("on", "off"):
        return {"pause" if key in PAUSES else key: value == "on"}
    return {key: int(value) if value.isdecimal() else value}
