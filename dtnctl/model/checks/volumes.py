"""Checks of volumes over NVMe-oF, at the host that mounts one and at its target."""

from __future__ import annotations

from dtnctl.model.checks.check import DTN, KERNEL, MTU_ISSUES, Check

NVME_CLI = "https://github.com/linux-nvme/nvme-cli"
MULTIPATH = f"{KERNEL}/admin-guide/nvme-multipath.html"

VOLUMES = (
    Check(
        "nvme.export",
        "volume",
        "error",
        "the kernel exports it as the agent was asked to",
        "Hosts that have it connected read and write something else, or nothing.",
        NVME_CLI,
    ),
    Check(
        "nvme.connection",
        "volume",
        "error",
        "its connection is live, and it is mounted if it has a file system",
        "Reads and writes wait while the kernel tries again, and fail once it has given up.",
        NVME_CLI,
    ),
    Check(
        "nvme.paths",
        "volume",
        "warning",
        "one connection to its subsystem",
        "With a second one the kernel's multipath chooses the way, which may be another network than the declared one.",
        MULTIPATH,
    ),
    Check(
        "nvme.queues",
        "volume",
        "info",
        "as many I/O queues as the interface's NUMA node has CPUs, or the kernel's own number",
        "CPUs that share a queue wait for each other.",
        NVME_CLI,
    ),
    Check(
        "nvme.mtu",
        "volume",
        "info",
        "an MTU of at least 9000 on the interface that carries it",
        "Small packets cost both hosts more interrupts and CPU time for the same bytes.",
        MTU_ISSUES,
    ),
    Check(
        "nvme.scheduler",
        "volume",
        "warning",
        "scheduler `none` of its block device",
        "The target orders requests itself; sorting before them costs CPU.",
        DTN,
    ),
)
