"""A host that connects volumes, and the targets that it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from dtn_agent.audit import SILENT, Audit
from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.nvmeof.modules import KernelModules
from dtn_agent.nvmeof.volumes import ConnectedVolumes
from dtn_agent.protocol.volumes import ConnectVolume, DisconnectVolume, HeldVolume, MountVolume, Portal, UnmountVolume, VolumeRequest

from tests.agent.nvmeof.kernel_initiator import KernelInitiator, MountTable, RemoteTarget, places_below

NQN = "nqn.2014-08.org.nvmexpress:uuid:11111111-2222-4333-8444-555555555555"
UUID = "66666666-7777-4888-9999-000000000000"
PORTAL = Portal(transport="tcp", address="10.0.0.2", port=4420)
HOST = "nqn.2014-08.org.nvmexpress:uuid:aaaaaaaa-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class VolumeHost:
    """Everything of it is below `folder`; xfs is on the volume."""

    folder: Path
    audit: Audit = SILENT

    @property
    def kernel(self) -> KernelInitiator:
        return KernelInitiator(places_below(self.folder), device_seconds=0.05)

    @property
    def volumes(self) -> ConnectedVolumes:
        """As a newly started agent has them."""
        modules = KernelModules(self.folder / "sys", self.folder / "no-systemd")
        return ConnectedVolumes(self.ledger, self.kernel, MountTable(self.kernel.places), modules, self.audit)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder / "state/ledger.json")

    @property
    def held(self) -> HeldVolume:
        (found,) = self.volumes.held()
        return found

    @property
    def path(self) -> Path:
        return self.folder / "state/volumes/play/scratch"

    @property
    def mounted(self) -> list[tuple[str, str]]:
        """Options and device of what is mounted at the volume's place."""
        lines = [line.split(" ") for line in (self.folder / "proc/1/mountinfo").read_text().splitlines()]
        return [(words[5], words[9]) for words in lines if words[4] == str(self.path)]

    def do(self, *requests: VolumeRequest) -> list[bool]:
        return [self.volumes.perform(request).changed for request in requests]

    def options(self, name: str = "nvme1") -> str:
        """What the kernel was asked with."""
        return (self.folder / f"sys/class/nvme/{name}/options").read_text()

    def refusal(self, request: VolumeRequest) -> str:
        with pytest.raises(RefusedError) as caught:
            self.volumes.perform(request)
        return f"{caught.value.code}: {caught.value}"

    def reboot(self) -> None:
        """The kernel has nothing of it; /run is empty."""
        self.kernel.expire(NQN)
        (self.folder / "proc/1/mountinfo").write_text("21 1 8:2 / / rw - ext4 /dev/sda2 rw\n")

    def traces(self) -> list[str]:
        """What would be left of a volume."""
        folders = ("sys/class/nvme", "sys/block", "run/nvme/registry", "state/volumes")
        return sorted(str(path.relative_to(self.folder)) for name in folders for path in (self.folder / name).glob("*"))


def volume_host(folder: Path) -> VolumeHost:
    for name in ("sys/module/nvme_fabrics", "sys/module/nvme_tcp", "sys/class/nvme", "sys/block", "proc/1", "dev", "etc/nvme", "state"):
        (folder / name).mkdir(parents=True)
    (folder / "etc/nvme/hostnqn").write_text(f"{HOST}\n")
    (folder / "proc/1/mountinfo").write_text("21 1 8:2 / / rw - ext4 /dev/sda2 rw\n")
    host = VolumeHost(folder)
    host.kernel.offer(RemoteTarget(NQN, PORTAL, (UUID,), content="xfs", hosts=(HOST,)))
    return host


def connect(**other: object) -> ConnectVolume:
    return ConnectVolume.model_validate({"site": "play", "volume": "scratch", "nqn": NQN, "uuid": UUID, "portal": PORTAL, **other})


def mount(**other: object) -> MountVolume:
    return MountVolume.model_validate({"site": "play", "volume": "scratch", "file_system": "xfs", "mode": "ro", **other})


def unmount(site: str = "play") -> UnmountVolume:
    return UnmountVolume(site=site, volume="scratch")


def disconnect(site: str = "play") -> DisconnectVolume:
    return DisconnectVolume(site=site, volume="scratch")


def process(folder: Path, pid: int, *, namespace: str = "mnt:[1]", mountinfo: str = "", cgroup: str = "", **links: str) -> None:
    """Enter a process of the host, in the mount namespace `namespace`; `links` such as `fd3`: what it has open."""
    base = folder / "proc" / str(pid)
    (base / "ns").mkdir(parents=True)
    (base / "fd").mkdir()
    (base / "fdinfo").mkdir()
    (base / "ns/mnt").symlink_to(namespace)
    (base / "comm").write_text("rsync\n")
    (base / "mountinfo").write_text(mountinfo)
    (base / "cgroup").write_text(cgroup)
    for name, target in links.items():
        (base / name.replace("fd", "fd/")).symlink_to(target)
