"""A host that exports volumes: the kernel's targets as a folder, files as backings, and one disk that may be in use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from dtn_agent.audit import SILENT, Audit
from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.nvmeof.backing import Backings
from dtn_agent.nvmeof.exports import VolumeExports
from dtn_agent.nvmeof.modules import KernelModules
from dtn_agent.nvmeof.places import HostPlaces
from dtn_agent.nvmeof.target import Target
from dtn_agent.protocol.volumes import Backing, ExportVolume, HeldExport, Portal, WithdrawVolume

from tests.agent.nvmeof.kernel_targets import KernelTargets

NQN = "nqn.2014-08.org.nvmexpress:uuid:11111111-2222-4333-8444-555555555555"
UUID = "66666666-7777-4888-9999-000000000000"
HOST = "nqn.2014-08.org.nvmexpress:uuid:aaaaaaaa-0000-4000-8000-000000000001"
OTHER_HOST = "nqn.2014-08.org.nvmexpress:uuid:aaaaaaaa-0000-4000-8000-000000000002"
KEY, OTHER_KEY = "DHHC-1:00:a2V5:", "DHHC-1:00:b3RoZXI=:"
PORTAL = Portal(transport="tcp", address="10.0.0.1", port=4420)


@dataclass(frozen=True)
class TargetHost:
    """Everything of it is below `folder`."""

    folder: Path
    kernel: KernelTargets
    audit: Audit = SILENT

    @property
    def exports(self) -> VolumeExports:
        """As a newly started agent has them."""
        places = HostPlaces(**{name: self.folder / name for name in ("sys", "proc", "dev", "run", "etc")})
        modules = KernelModules(self.folder / "sys", self.folder / "no-systemd")
        return VolumeExports(self.ledger, Target(self.kernel), Backings(places), modules, self.audit)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder / "ledger.json")

    @property
    def held(self) -> tuple[HeldExport, ...]:
        return self.exports.held()

    def reboot(self) -> None:
        """Whatever the kernel had is gone."""
        for name in ("hosts", "ports", "subsystems"):
            for path in (self.kernel.root / name).iterdir():
                path.rename(self.folder / f"before-{name}-{path.name}")


def target_host(folder: Path, *, has_keys: bool = True) -> TargetHost:
    for name in ("nvmet", "nvmet_tcp", "nvmet_rdma"):
        (folder / "sys/module" / name).mkdir(parents=True)
    (folder / "proc/1").mkdir(parents=True)
    (folder / "proc/1/mountinfo").write_text("21 1 8:2 / / rw - ext4 /dev/sda2 rw\n")
    (folder / "proc/swaps").write_text("Filename Type Size Used Priority\n")
    return TargetHost(folder, KernelTargets(folder / "sys/kernel/config/nvmet", has_keys=has_keys))


def export(host: TargetHost, volume: str = "scratch", **other: object) -> ExportVolume:
    """A request for a file of 1 MiB, for one host."""
    backing = Backing(file=str(host.folder / f"{volume}.img"), size=1 << 20)
    nqn = NQN if volume == "scratch" else f"{NQN}-{volume}"
    usual = {"site": "play", "volume": volume, "nqn": nqn, "uuid": UUID, "serial": "SN1", "backing": backing, "portal": PORTAL}
    return ExportVolume.model_validate({**usual, "hosts": (HOST,), **other})


def withdraw(volume: str = "scratch", site: str = "play") -> WithdrawVolume:
    return WithdrawVolume(site=site, volume=volume)


def refusal(host: TargetHost, request: ExportVolume | WithdrawVolume) -> str:
    with pytest.raises(RefusedError) as caught:
        host.exports.perform(request)
    return f"{caught.value.code}: {caught.value}"
