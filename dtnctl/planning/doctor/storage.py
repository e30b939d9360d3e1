"""Rules of the disks and mounts behind declared volumes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.findings import Finding, speed_text
from dtnctl.planning.doctor.examined import DeclaredVolume, Examined
from dtnctl.planning.doctor.hardware import judge_link
from dtnctl.planning.doctor.judging import judge, tuning
from dtnctl.planning.doctor.numbers import last_number, pcie_goodput

if TYPE_CHECKING:
    from dtn_agent.protocol import BlockDevice

LEAST_REQUESTS = 1023
LEAST_READ_AHEAD = 4096  # KiB
FAST_LEVELS = ("raid0", "raid10")
QUIET = ("idle", "frozen")


def judge_storage(examined: Examined) -> Iterator[Finding]:
    """Every disk behind a volume, then every mount, in name order."""
    for disk, volume in examined.disks:
        if _is_nvme(disk):
            yield from _nvme(disk, volume.place)
            if examined.has_several_nodes and volume.devices:
                yield _node(disk, volume)
        if "md/level" in disk.settings:
            yield from _raid(disk, volume.place)
        if not disk.holders:  # reading ahead is done by what is on top
            yield _read_ahead(disk, volume.place)
    for volume in examined.volumes:
        yield from _mount(volume)
        yield from _rate(volume)


def _is_nvme(disk: BlockDevice) -> bool:
    return disk.name.startswith("nvme")


def _nvme(disk: BlockDevice, place: str) -> Iterator[Finding]:
    yield judge(
        "disk.scheduler",
        disk.name,
        disk.scheduler == "none" if disk.scheduler else None,
        expected="none",
        actual=disk.scheduler,
        fix=tuning(f"block/{disk.name}/scheduler", "none"),
        place=place,
    )
    yield from _nvme_queue(disk, place)
    if disk.pcie is not None:
        yield judge_link("disk.pcie_link", disk.name, disk.pcie, place)


def _nvme_queue(disk: BlockDevice, place: str) -> Iterator[Finding]:
    requests, latency = last_number(disk.settings.get("nr_requests", "")), last_number(disk.settings.get("wbt_lat_usec", ""))
    affinity = disk.settings.get("rq_affinity", "")
    yield judge(
        "disk.nr_requests",
        disk.name,
        None if requests is None else requests >= LEAST_REQUESTS,
        expected=f"at least {LEAST_REQUESTS}",
        actual=requests,
        fix=tuning(f"block/{disk.name}/nr_requests", LEAST_REQUESTS),
        place=place,
    )
    yield judge(
        "disk.rq_affinity",
        disk.name,
        affinity == "2" if affinity else None,
        expected="2",
        actual=affinity,
        fix=tuning(f"block/{disk.name}/rq_affinity", 2),
        place=place,
    )
    yield judge(
        "disk.wbt",
        disk.name,
        None if latency is None else latency == 0,
        expected="0",
        actual=f"{latency} µs",
        fix=f"0 into /sys/block/{disk.name}/queue/wbt_lat_usec, by a udev rule",
        place=place,
    )


def _node(disk: BlockDevice, volume: DeclaredVolume) -> Finding:
    nodes = {item.interface.numa_node for item in volume.devices}
    names = " and ".join(sorted(item.interface.name for item in volume.devices))
    return judge(
        "disk.node",
        disk.name,
        None if disk.numa_node is None or None in nodes else disk.numa_node in nodes,
        expected=f"the node of {names}",
        actual=f"node {disk.numa_node}",
        fix="a slot of that node, or a NIC on the disk's",
        place=volume.place,
    )


def _read_ahead(disk: BlockDevice, place: str) -> Finding:
    size = last_number(disk.settings.get("read_ahead_kb", ""))
    return judge(
        "disk.read_ahead",
        disk.name,
        None if size is None else size >= LEAST_READ_AHEAD,
        expected=f"at least {LEAST_READ_AHEAD} KiB",
        actual=f"{size} KiB",
        fix=tuning(f"block/{disk.name}/read_ahead_kb", LEAST_READ_AHEAD),
        place=place,
    )


def _raid(disk: BlockDevice, place: str) -> Iterator[Finding]:
    level, action = disk.settings["md/level"], disk.settings.get("md/sync_action", "")
    missing = last_number(disk.settings.get("md/degraded", ""))
    yield judge(
        "raid.level",
        disk.name,
        level in FAST_LEVELS,
        expected=" or ".join(FAST_LEVELS),
        actual=level,
        fix="another level, if there is another copy of the data",
        place=place,
    )
    yield judge(
        "raid.degraded",
        disk.name,
        None if missing is None else missing == 0,
        expected="all members",
        actual=f"{missing} missing",
        fix=f"mdadm --detail /dev/{disk.name} shows which; replace it",
        place=place,
    )
    yield judge(
        "raid.action",
        disk.name,
        action in QUIET if action else None,
        expected="idle",
        actual=action,
        fix=f"let it end before measuring; idle into /sys/block/{disk.name}/md/sync_action stops a check",
        place=place,
    )


def _mount(volume: DeclaredVolume) -> Iterator[Finding]:
    mounted = volume.mounted
    yield judge(
        "disk.filesystem",
        mounted.target,
        mounted.filesystem == "xfs" if mounted.filesystem else None,
        expected="xfs",
        actual=mounted.filesystem,
        fix="XFS when the file system is created again",
        place=volume.place,
    )
    yield judge(
        "disk.atime",
        mounted.target,
        "noatime" in mounted.options or "ro" in mounted.options if mounted.options else None,
        expected="noatime",
        actual=", ".join(item for item in mounted.options if "atime" in item) or "the kernel's default",
        fix=f"noatime for {mounted.target} in /etc/fstab, and `mount -o remount,noatime {mounted.target}`",
        place=volume.place,
    )


def _rate(volume: DeclaredVolume) -> Iterator[Finding]:
    """Of drives with a PCIe link of their own; others (SATA, remote) have no figure that says as much."""
    drives = [disk for disk in volume.disks if _is_nvme(disk)]
    if not drives or not volume.devices:
        return
    rates = [pcie_goodput(disk.pcie) if disk.pcie is not None else None for disk in drives]
    speeds = [item.interface.speed for item in volume.devices]
    total, speed = sum(filter(None, rates)), max(filter(None, speeds), default=0)
    yield judge(
        "disk.rate",
        volume.mounted.target,
        None if None in rates or None in speeds else total * 1000 >= speed,
        expected=f"at least {speed_text(speed)}, as the NIC",
        actual=f"{total:.4g} Gb/s by {len(drives)} drive{'s' if len(drives) > 1 else ''}",
        fix="more drives in the array, or drives with a faster link",
        place=volume.place,
    )
