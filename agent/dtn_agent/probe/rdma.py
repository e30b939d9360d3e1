"""RDMA devices: which interface and device file each has, its ports and their GIDs."""

from __future__ import annotations

from collections.abc import Container, Mapping

from dtn_agent.probe.files import Files, PciFunction
from dtn_agent.protocol import Gid, RdmaDevice, RdmaPort

NO_GID = "0000:0000:0000:0000:0000:0000:0000:0000"
EMPTY_IN_A_ROW = 16  # the kernel takes the lowest free place of a table of up to 256, each of which is a file


def rdma_devices(files: Files, given: Container[str] | None = None) -> tuple[RdmaDevice, ...]:
    """The RDMA devices as they are in the network namespace of the calling thread; `given`: those with these device files only."""
    names = files.names(f"{files.sys}/class/infiniband")
    device_files = _device_files(files) if names else {}
    return tuple(_device(files, name, device_files) for name in names if given is None or device_files.get(name, "") in given)


def _device_files(files: Files) -> dict[str, str]:
    """Which `uverbs` is which device's. From here, since a device of software (rxe) has no `device` link to find it by."""
    folder = f"{files.sys}/class/infiniband_verbs"
    names = (name for name in files.names(folder) if name.startswith("uverbs"))
    return {files.value(f"{folder}/{name}/ibdev"): name for name in names}


def _device(files: Files, name: str, device_files: Mapping[str, str]) -> RdmaDevice:
    folder = f"{files.sys}/class/infiniband/{name}"
    function = files.function(folder)
    numbers = sorted(int(number) for number in files.names(f"{folder}/ports") if number.isdecimal())
    ports = tuple(_port(files, f"{folder}/ports/{number}", number) for number in numbers)
    return RdmaDevice(
        name=name,
        uverbs=device_files.get(name, ""),
        netdev=_netdev(files, folder, function, ports),
        pci=function.address if function else "",
        node_guid=files.value(f"{folder}/node_guid"),
        ports=ports,
    )


def _netdev(files: Files, folder: str, function: PciFunction | None, ports: tuple[RdmaPort, ...]) -> str:
    """Software devices name their interface; of the others it is that of the first GID, else the only one of their function."""
    if named := files.text(f"{folder}/parent"):
        return named
    if found := next((gid.netdev for port in ports for gid in port.gids if gid.netdev), ""):
        return found
    names = files.names(f"{function.path}/net") if function else []
    return names[0] if len(names) == 1 else ""


def _port(files: Files, folder: str, number: int) -> RdmaPort:
    return RdmaPort(
        port=number,
        state=files.value(f"{folder}/state").partition(": ")[2],
        link_layer=files.value(f"{folder}/link_layer"),
        rate=_rate(files.value(f"{folder}/rate")),
        gids=_gids(files, folder),
    )


def _rate(text: str) -> float | None:
    """`100 Gb/sec (4X EDR)`."""
    number = text.partition(" ")[0]
    return float(number) if number.replace(".", "", 1).isdecimal() else None


def _gids(files: Files, folder: str) -> tuple[Gid, ...]:
    """The GIDs that are set; type or interface are empty where the kernel does not report them."""
    gids: list[Gid] = []
    empty = 0
    for index in sorted(int(name) for name in files.names(f"{folder}/gids") if name.isdecimal()):
        gid = files.value(f"{folder}/gids/{index}")
        empty = empty + 1 if gid in ("", NO_GID) else 0
        if empty == EMPTY_IN_A_ROW:
            break
        if not empty:
            kind, netdev = files.value(f"{folder}/gid_attrs/types/{index}"), files.value(f"{folder}/gid_attrs/ndevs/{index}")
            gids.append(Gid(index=index, gid=gid, type=kind, netdev=netdev))
    return tuple(gids)
