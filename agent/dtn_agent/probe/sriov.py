"""The virtual functions of a physical one: where each is, what it is set to, and who has it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dtn_agent.probe.answers import VfEntry
from dtn_agent.probe.files import Files, PciFunction
from dtn_agent.protocol import Held, Sriov, Vf

VF_LINK = re.compile(r"virtfn(\d+)")
USER_SPACE_DRIVERS = ("vfio-pci", "uio_pci_generic", "igb_uio", "pci-stub", "pciback")  # they give the function to a VM or a program


def holders_of(held: Held) -> dict[str, str]:
    """Who has which virtual function by the ledger, by PCI address."""
    return {vf.pci: f"{vf.owner.site}/{vf.owner.session}" for vf in held.vfs}


def sriov(files: Files, function: PciFunction | None, table: Sequence[VfEntry], holders: Mapping[str, str]) -> Sriov | None:
    """None for what is no physical function."""
    total = files.number(f"{function.path}/sriov_totalvfs") if function else None
    if function is None or not total:
        return None
    entries = {entry.index: entry for entry in table}
    found = sorted(int(match[1]) for match in map(VF_LINK.fullmatch, files.names(function.path)) if match)
    return Sriov(
        total=total,
        current=files.number(f"{function.path}/sriov_numvfs") or 0,
        offset=files.number(f"{function.path}/sriov_offset"),
        stride=files.number(f"{function.path}/sriov_stride"),
        autoprobe=files.flag(f"{function.path}/sriov_drivers_autoprobe"),
        vfs=tuple(_vf(files, f"{function.path}/virtfn{index}", entries.get(index, VfEntry(index)), holders) for index in found),
    )


def _vf(files: Files, path: str, entry: VfEntry, holders: Mapping[str, str]) -> Vf:
    pci = files.link(path)
    driver = files.link(f"{path}/driver")
    netdev = _first(files.names(f"{path}/net"))
    return Vf(
        index=entry.index,
        pci=pci,
        netdev=netdev,
        driver=driver,
        mac=entry.mac,
        vlan=entry.vlan,
        vlan_priority=entry.vlan_priority,
        spoofchk=entry.spoofchk,
        trust=entry.trust,
        min_rate=entry.min_rate,
        max_rate=entry.max_rate,
        link_state=entry.link_state,
        iommu_group=_group(files.link(f"{path}/iommu_group")),
        rdma=_first(files.names(f"{path}/infiniband")),
        holder=holders.get(pci) or _unnamed_holder(files, path, driver, netdev),
    )


def _unnamed_holder(files: Files, path: str, driver: str, netdev: str) -> str:
    """The folder of a function's interfaces is there, but shows none, when they are in another network namespace.

    Without the folder the driver has not made one (yet).
    """
    if driver in USER_SPACE_DRIVERS:
        return driver
    return "another namespace" if driver and not netdev and files.exists(f"{path}/net") else ""


def _first(names: Sequence[str]) -> str:
    return names[0] if names else ""


def _group(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
