"""The host as a whole: its kernel, where it runs, its clock, and switches that act on everything."""

from __future__ import annotations

import re
from typing import Literal

from dtn_agent.probe.answers import Answers
from dtn_agent.probe.files import Files
from dtn_agent.protocol import System

Iommu = Literal["off", "translated", "passthrough"]
# what the firmware calls itself -> systemd's name for the hypervisor
VENDORS = (
    ("vmware", "vmware"),
    ("innotek", "oracle"),
    ("virtualbox", "oracle"),
    ("microsoft corporation virtual machine", "microsoft"),
    ("xen", "xen"),
    ("amazon ec2", "amazon"),
    ("google compute engine", "google"),
    ("parallels", "parallels"),
    ("kvm", "kvm"),
    ("bochs", "bochs"),
    ("qemu", "qemu"),
)
BALANCER_UNITS = ("system.slice/irqbalance.service", "systemd/system.slice/irqbalance.service")
BALANCER_SOCKET = re.compile(r"irqbalance(\d+)\.sock")


def system(files: Files, answers: Answers) -> System:
    """What is known of it; what this kind of host does not report is None or empty."""
    kernel = f"{files.proc}/sys/kernel"
    command_line = files.value(f"{files.proc}/cmdline")
    return System(
        hostname=files.value(f"{kernel}/hostname"),
        kernel=files.value(f"{kernel}/osrelease"),
        boot_id=files.value(f"{kernel}/random/boot_id"),
        machine=answers.machine or files.value(f"{kernel}/arch"),
        virtualization=_virtualization(files),
        command_line=command_line,
        iommu=_iommu(files, command_line.split()),
        irqbalance=_irqbalance(files),
        clock_synchronized=answers.clock_synchronized,
        huge_pages=files.choice(f"{files.sys}/kernel/mm/transparent_hugepage/enabled")[0],
        aspm=files.choice(f"{files.sys}/module/pcie_aspm/parameters/policy")[0],
        rdma_netns=_rdma_netns(files),
        uptime=float(files.value(f"{files.proc}/uptime").partition(" ")[0] or 0),
    )


# --- what it runs in ------------------------------------------------------------------------------------------------


def _virtualization(files: Files) -> str:
    """A container before the machine that it runs on, as systemd answers."""
    return _container(files) or _machine(files)


def _container(files: Files) -> str:
    """By what the container engines leave for their containers; the first process is ours there, so its root is, too."""
    if found := files.text(f"{files.run}/systemd/container"):
        return found
    if files.exists(f"{files.run}/.containerenv"):
        return "podman"
    return "docker" if files.exists(f"{files.proc}/1/root/.dockerenv") else ""


def _machine(files: Files) -> str:
    if found := files.text(f"{files.sys}/hypervisor/type"):
        return found
    clocks = files.value(f"{files.sys}/devices/system/clocksource/clocksource0/available_clocksource").split()
    if "kvm-clock" in clocks:
        return "kvm"
    firmware = " ".join(files.value(f"{files.sys}/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")).lower()
    return next((name for word, name in VENDORS if word in firmware), "")


# --- switches -------------------------------------------------------------------------------------------------------


def _iommu(files: Files, words: list[str]) -> Iommu | None:
    """How most groups of devices are translated; kernels before 5.11 report no group's type; their command line may say it."""
    folder = f"{files.sys}/kernel/iommu_groups"
    groups = files.names(folder)
    if not groups:
        return "off" if files.exists(folder) else None
    types = [files.text(f"{folder}/{group}/type") for group in groups]
    passed, translated = types.count("identity"), sum(kind in ("DMA", "DMA-FQ") for kind in types)
    if passed or translated:
        return "passthrough" if passed > translated else "translated"
    return "passthrough" if {"iommu=pt", "iommu.passthrough=1"} & set(words) else None


def _irqbalance(files: Files) -> bool | None:
    """By its systemd unit's control group, or its socket with its process; None where there is no systemd to ask."""
    if any(files.exists(f"{files.sys}/fs/cgroup/{unit}") for unit in BALANCER_UNITS):
        return True
    sockets = [BALANCER_SOCKET.fullmatch(name) for name in files.names(f"{files.run}/irqbalance")]
    if any(files.value(f"{files.proc}/{found[1]}/comm") == "irqbalance" for found in sockets if found):
        return True
    return False if files.exists(f"{files.run}/systemd/system") else None


def _rdma_netns(files: Files) -> Literal["shared", "exclusive"] | None:
    shared = files.flag(f"{files.sys}/module/ib_core/parameters/netns_mode")
    return None if shared is None else "shared" if shared else "exclusive"
