"""Block devices: where each sits, how it is set, and what is mounted from it or from what is built on it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dtn_agent.probe.files import Files, PciFunction
from dtn_agent.probe.mounts import Mount, mounts
from dtn_agent.probe.pci import numa_node, pcie_link
from dtn_agent.protocol import BlockDevice, Mounted

SECTOR = 512  # what `size` counts, whatever the device's own sectors are
# loop, memory and removable ones; nvme2c2n1 is one path to nvme2n1 and no device to open
NO_DISK = re.compile(r"(loop|ram|zram|sr|fd)\d+|nvme\d+c\d+n\d+")
CONTROLLER = re.compile(r"nvme\d+")
TRANSPORTS = (
    ("sata", re.compile(r"/ata\d+/")),
    ("sas", re.compile(r"/end_device-")),
    ("usb", re.compile(r"/usb\d+/")),
    ("virtio", re.compile(r"/virtio\d+/")),
    ("mmc", re.compile(r"/mmc\d+/")),
)
SETTINGS = (
    "io_poll",
    "max_hw_sectors_kb",
    "max_sectors_kb",
    "nomerges",
    "nr_requests",
    "read_ahead_kb",
    "rq_affinity",
    "wbt_lat_usec",
    "write_cache",
)
ARRAY_SETTINGS = ("chunk_size", "degraded", "level", "stripe_cache_size", "sync_action")


@dataclass(frozen=True, slots=True)
class Disk:
    """What mounts are found by: names and numbers of the device and its partitions, and what is built on any of them."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    holders: tuple[str, ...]


def block_devices(files: Files) -> tuple[BlockDevice, ...]:
    """Every disk, array and logical volume that has a size."""
    folder = f"{files.sys}/block"
    sizes = {name: files.number(f"{folder}/{name}/size") or 0 for name in files.names(folder) if not NO_DISK.fullmatch(name)}
    names = [name for name, size in sizes.items() if size]
    if not names:
        return ()
    disks = {name: _disk(files, f"{folder}/{name}", name) for name in names}
    mounted = mounts(files)
    return tuple(_device(files, name, sizes[name] * SECTOR, disks, mounted) for name in names)


def _device(files: Files, name: str, size: int, disks: Mapping[str, Disk], mounted: Sequence[Mount]) -> BlockDevice:
    folder = f"{files.sys}/block/{name}"
    controller = _controller(files, folder, name)
    scheduler, schedulers = files.choice(f"{folder}/queue/scheduler")
    return BlockDevice(
        name=name,
        size=size,
        model=files.value(f"{folder}/device/model"),
        numa_node=numa_node(files, controller.function),
        rotational=files.flag(f"{folder}/queue/rotational"),
        scheduler=scheduler,
        schedulers=schedulers,
        transport=controller.transport,
        mounts=_mounts_of(name, disks, mounted),
        holders=disks[name].holders,
        pcie=pcie_link(files, controller.function),
        settings=_settings(files, folder),
    )


# --- where it is ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Controller:
    """The function of the disk's controller, if it has just one, and how it is reached."""

    function: PciFunction | None
    transport: str


def _controller(files: Files, folder: str, name: str) -> Controller:
    if name.startswith("nvme"):
        return _nvme_controller(files, folder)
    target = files.target(folder)
    transport = next((word for word, pattern in TRANSPORTS if pattern.search(target)), "")
    return Controller(files.function_in(target), transport)


def _nvme_controller(files: Files, folder: str) -> Controller:
    """By its controllers: with multipath the disk belongs to a subsystem, which has no place itself.

    What is reached over a network, or by two functions, has none here.
    """
    controllers = [entry for entry in files.names(f"{folder}/device") if CONTROLLER.fullmatch(entry)]
    paths = [f"{files.sys}/class/nvme/{entry}" for entry in controllers or [files.link(f"{folder}/device")]]
    transports = {files.value(f"{path}/transport") for path in paths}
    functions = {files.function(path) for path in paths}
    return Controller(functions.pop() if len(functions) == 1 else None, transports.pop() if len(transports) == 1 else "")


# --- how it is set --------------------------------------------------------------------------------------------------


def _settings(files: Files, folder: str) -> dict[str, str]:
    queue = {name: files.text(f"{folder}/queue/{name}") for name in SETTINGS}
    array = {f"md/{name}": files.text(f"{folder}/md/{name}") for name in ARRAY_SETTINGS} if "/md" in folder else {}
    return {name: value for name, value in (queue | array).items() if value is not None}


# --- what is mounted from it ----------------------------------------------------------------------------------------


def _disk(files: Files, folder: str, name: str) -> Disk:
    parts = [entry for entry in files.names(folder) if entry.startswith(name)]  # sda1, nvme0n1p1
    folders = [folder, *(f"{folder}/{part}" for part in parts)]
    mapped = files.text(f"{folder}/dm/name") if name.startswith("dm-") else None
    return Disk(
        names=(name, *parts, *filter(None, [mapped])),
        numbers=tuple(files.value(f"{item}/dev") for item in folders),
        holders=tuple(sorted({holder for item in folders for holder in files.names(f"{item}/holders")})),
    )


def _mounts_of(name: str, disks: Mapping[str, Disk], mounted: Sequence[Mount]) -> tuple[Mounted, ...]:
    """Of the disk, its partitions, and all that is built on them."""
    numbers, sources = set[str](), set[str]()
    waiting = [name]
    while waiting:
        disk = disks.get(waiting.pop())
        if disk is None or disk.numbers[0] in numbers:
            continue
        numbers.update(disk.numbers)
        sources.update(disk.names)
        waiting += disk.holders
    found = {mount.target: mount.mounted for mount in mounted if mount.number in numbers or mount.device in sources}
    return tuple(found[target] for target in sorted(found))
