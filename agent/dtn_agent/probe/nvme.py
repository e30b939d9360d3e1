"""What the host is for NVMe over fabrics: its name, what its kernel can do, what is connected and what is exported."""

from __future__ import annotations

import re
import uuid

from dtn_agent.probe.files import Files
from dtn_agent.protocol.volumes import NvmeController, NvmeFacts

TRANSPORTS = ("rdma", "tcp")
FILE_SYSTEMS = ("ext4", "xfs")
CONTROLLER = re.compile(r"nvme\d+")


def nvme(files: Files) -> NvmeFacts:
    """Names are empty where the host has none yet."""
    modules = Modules(files)
    name, number = host_names(files)
    return NvmeFacts(
        host_nqn=name,
        host_id=number,
        initiator=tuple(kind for kind in TRANSPORTS if f"nvme-{kind}" in modules),
        target=tuple(kind for kind in TRANSPORTS if f"nvmet-{kind}" in modules),
        file_systems=tuple(kind for kind in FILE_SYSTEMS if kind in modules),
        controllers=controllers(files),
        exported=tuple(files.names(f"{files.sys}/kernel/config/nvmet/subsystems")),
    )


def host_names(files: Files) -> tuple[str, str]:
    """Host NQN and host id: those of nvme-cli, else those that the agent made; empty where there are none.

    Of nvme-cli's there may be the NQN alone: its UUID is the id then, else one that is always the same for this NQN.
    """
    for folder in (f"{files.etc}/nvme", files.state):
        if name := files.value(f"{folder}/hostnqn"):
            return name, files.value(f"{folder}/hostid") or _id_of(name)
    return "", ""


def _id_of(name: str) -> str:
    try:
        return str(uuid.UUID(name.rpartition(":")[2]))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


class Modules:
    """What the kernel has: built in, loaded, or there to be loaded."""

    def __init__(self, files: Files) -> None:
        folder = f"{files.modules}/{files.value(f'{files.proc}/sys/kernel/osrelease')}"
        self._listed = files.value(f"{folder}/modules.dep") + files.value(f"{folder}/modules.builtin")
        self._loaded = files.names(f"{files.sys}/module")

    def __contains__(self, name: str) -> bool:
        """`name` as its file has it: nvme-tcp."""
        return name.replace("-", "_") in self._loaded or f"/{name}.ko" in self._listed


def controllers(files: Files) -> tuple[NvmeController, ...]:
    """Those over a fabric, whoever made them."""
    names = [name for name in files.names(f"{files.sys}/class/nvme") if CONTROLLER.fullmatch(name)]
    found = (_controller(files, name) for name in sorted(names, key=lambda name: int(name[4:])))
    return tuple(controller for controller in found if controller.transport not in ("", "pcie"))


def _controller(files: Files, name: str) -> NvmeController:
    folder = f"{files.sys}/class/nvme/{name}"
    return NvmeController(
        name=name,
        nqn=files.value(f"{folder}/subsysnqn"),
        transport=files.value(f"{folder}/transport"),
        address=files.value(f"{folder}/address"),
        state=files.value(f"{folder}/state"),
        owner=files.value(f"{files.run}/nvme/registry/{name}/owner"),
    )
