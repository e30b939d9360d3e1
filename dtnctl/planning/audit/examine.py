"""Decides what is wrong on an undeclared host, by the doctor's rules. Pure.

It is examined as if it were declared: its data NICs as `interfaces:`, its data file systems as volumes. Where the rules would say what
to declare, the command is said instead: nothing is declared here yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dtnctl.model.audit import Carried, HostRead
from dtnctl.model.findings import Examination, Finding
from dtnctl.model.resources import EndpointSeen
from dtnctl.model.site import Document, Endpoint, Site
from dtnctl.model.site_settings import SiteSettings
from dtnctl.planning.audit.commands import command_of
from dtnctl.planning.doctor import examination_of
from dtnctl.planning.doctor.examined import DeclaredVolume, Examined

if TYPE_CHECKING:
    from dtn_agent.protocol import Facts, Host, Mounted

SYSTEM = tuple(f"/{name}" for name in ("", "boot", "efi", "etc", "home", "nix", "opt", "root", "run", "snap", "tmp", "usr", "var"))
BEST_MTU = 9000


@dataclass(frozen=True)
class ExaminedHost(Examined):
    """A host without a declaration: its data file systems are those beside the system's."""

    @cached_property
    def volumes(self) -> tuple[DeclaredVolume, ...]:
        return tuple(DeclaredVolume(mounted, self._behind(mounted), self.devices, "") for mounted in data_mounts(self.facts))


def data_mounts(facts: Facts) -> tuple[Mounted, ...]:
    """Mounts of block devices outside the system's folders, by target."""
    found = {mounted.target: mounted for disk in facts.block_devices for mounted in disk.mounts if not _is_system(mounted.target)}
    return tuple(found[target] for target in sorted(found))


def _is_system(target: str) -> bool:
    return any(target == folder or (folder != "/" and target.startswith(f"{folder}/")) for folder in SYSTEM)


def examine_hosts(reads: Sequence[HostRead], carried: Mapping[str, Sequence[Carried]]) -> tuple[Examination, ...]:
    """Each host's findings, compared with the others on the networks that they share. `carried` by the hosts' names."""
    endpoints = {read.name: Document(read.name, "", _endpoint(carried[read.name]), {}) for read in reads}
    site = Site(settings=Document("site", "", SiteSettings(name="audit"), {}), endpoints=endpoints)
    hosts = {read.name: _host(read.facts) for read in reads}
    return tuple(_examine(site, read, hosts, carried[read.name]) for read in reads)


def _endpoint(carried: Sequence[Carried]) -> Endpoint:
    return Endpoint.model_validate({"docker": "ssh://host", "interfaces": {item.network: item.interface for item in carried}})


def _host(facts: Facts) -> Host:
    from dtn_agent.protocol import PROTOCOL_VERSION, Host

    return Host(version=PROTOCOL_VERSION, agent="", facts=facts)


def _examine(site: Site, read: HostRead, hosts: Mapping[str, Host], carried: Sequence[Carried]) -> Examination:
    peers = {name: host for name, host in hosts.items() if name != read.name}
    examined = ExaminedHost(site, site.endpoints[read.name], EndpointSeen(read.name), hosts[read.name], (), (), peers)
    examination = examination_of(examined)
    return replace(examination, findings=tuple(_as_command(finding, carried) for finding in examination.findings))


def _as_command(finding: Finding, carried: Sequence[Carried]) -> Finding:
    if finding.setting is not None:
        return replace(finding, fix=command_of(finding.setting), place="")
    if finding.fix and finding.about.about == "network":
        return replace(finding, fix=_larger_frames(finding, carried), place="")
    return replace(finding, place="")


def _larger_frames(finding: Finding, carried: Sequence[Carried]) -> str:
    """The rules of networks name the network's file, which is not there."""
    item = next(item for item in carried if item.network == finding.subject)
    others = f"every other host of {item.subnet}" if item.subnet else "every host that it leads to"
    return f"ip link set {item.interface} mtu {BEST_MTU}, if every switch on the way and {others} can"
