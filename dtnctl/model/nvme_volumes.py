"""What people write of a volume over NVMe-oF: state/volumes/NAME.yaml. Checks between files are in validation/volumes.py."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from dtnctl.model.address_fields import IP
from dtnctl.model.engine_fields import HostPath, SomeSize
from dtnctl.model.fields import Duration, Port, described, shown
from dtnctl.model.nvme_keys import VolumeAuth
from dtnctl.model.written import Written

NVME_PORT = 4420  # IANA's for NVMe over TCP and over RDMA
LONGEST_TIME = 3600
_NQN = re.compile(r"nqn\.[0-9]{4}-(0[1-9]|1[0-2])\.[!-+\--~]{1,210}")  # no comma: the kernel's options end there
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Transport = Literal["tcp", "rdma"]
FileSystem = Literal["ext4", "xfs"]


def _check_nqn(value: str) -> str:
    if not _NQN.fullmatch(value) or len(value) > 223:
        raise ValueError(f"{shown(value)} is not an NVMe qualified name; write for example nqn.2014-08.org.nvmexpress:uuid:…")
    return value


def _check_uuid(value: str) -> str:
    if not _UUID.fullmatch(value.lower()):
        raise ValueError(f"{shown(value)} is not a UUID; write it as `nvme id-ns` shows it, 8-4-4-4-12 digits")
    return value.lower()


def _check_time(value: float) -> float:
    if not 1 <= value <= LONGEST_TIME or value != int(value):
        raise ValueError(f"{value:g} s: the kernel counts whole seconds, and nothing waits for ever; write 1s to 1h")
    return value


Nqn = Annotated[str, AfterValidator(_check_nqn), described("NVMe qualified name", {"type": "string", "pattern": r"^nqn\."})]
Uuid = Annotated[str, AfterValidator(_check_uuid), described("UUID", {"type": "string"})]
WholeSeconds = Annotated[Duration, AfterValidator(_check_time)]


class ExternalTarget(Written):
    """A target that somebody else made: dtnctl connects to it and changes nothing there."""

    address: IP = Field(description="Where it listens.")
    port: Port = Field(NVME_PORT, description="The port there.")
    nqn: Nqn = Field(description="NVMe qualified name (NQN) of the subsystem.")
    uuid: Uuid = Field(description="UUID of the namespace: only this one is used, whatever name it gets on a host.")


class VolumeTarget(Written):
    """Where the volume is. A block device or a file of an endpoint, which dtnctl exports, or an `external` target."""

    endpoint: str | None = Field(None, description="Endpoint whose agent exports it.")
    device: HostPath | None = Field(
        None, description="Block device that nothing else uses, by a lasting name: `/dev/disk/by-id/nvme-…`, `/dev/VG/LV`."
    )
    file: HostPath | None = Field(None, description="In place of `device`, a file; made with `size` (sparse) if it is not there.")
    size: SomeSize | None = Field(None, description="Size of a `file` that is made. Missing: the file must be there.")
    network: str | None = Field(
        None,
        description="Network that carries it: both hosts use the address that they have on the interface which carries the network there.",
    )
    address: IP | None = Field(None, description="In place of `network`, the host's own address where it listens.")
    port: Port = Field(NVME_PORT, description="Where it listens.")
    external: ExternalTarget | None = Field(None, description="In place of `endpoint`, a target that is there.")

    @model_validator(mode="after")
    def _is_whole(self) -> VolumeTarget:
        ours = [name for name in ("endpoint", "device", "file", "size", "network", "address", "port") if name in self.model_fields_set]
        if self.external is not None:
            if ours:
                raise ValueError(f"`{ours[0]}` belongs to a target that dtnctl exports; `external` names one that is there")
            return self
        if self.endpoint is None:
            raise ValueError("write `endpoint` for a target that dtnctl exports, or `external` for one that is there")
        if (self.device is None) == (self.file is None):
            raise ValueError("write one of device and file: what is exported")
        if (self.network is None) == (self.address is None):
            raise ValueError("write one of network and address: where the target listens")
        if self.size is not None and self.file is None:
            raise ValueError("`size` belongs to a `file`; a device has its own")
        return self


class NvmeVolume(Written):
    """A volume over NVMe-oF, which `source: nvme:NAME` in `volumes:` of a profile or session mounts. Needs the agent at both ends."""

    target: VolumeTarget = Field(description="Where it is.")
    transport: Transport = Field("tcp", description="`rdma` is RoCE v2: it needs RDMA devices at both ends.")
    filesystem: FileSystem | None = Field(
        None, description="Mounted by each host that uses it. Missing: services get the block device. dtnctl repairs no file system."
    )
    format: Literal["never", "if-empty"] = Field(
        "never",
        description="`if-empty`: the file system is made when the first 16 MiB and the end hold nothing but zeros, and never otherwise.",
    )
    queues: int | None = Field(None, ge=1, le=1024, description="I/O queues of a connection. Missing: one for each CPU.")
    queue_size: int | None = Field(None, ge=16, le=1024, description="Requests in one queue. Missing: the kernel's 128.")
    keep_alive: WholeSeconds = Field(5.0, description="How often a connection is checked.")
    reconnect_delay: WholeSeconds = Field(2.0, description="Time between tries after a connection is lost.")
    ctrl_loss: WholeSeconds = Field(60.0, description="How long it is tried again; then reads and writes fail and nothing hangs.")
    digests: Annotated[tuple[Literal["header", "data"], ...], Field(strict=False)] = Field(
        (), description="Checksums on the wire, TCP only. They cost CPU time."
    )
    auth: VolumeAuth | None = Field(
        None, description="In-band authentication by keys. Missing: whoever has an allowed host's name may connect."
    )

    @model_validator(mode="after")
    def _fields_fit(self) -> NvmeVolume:
        if self.digests and self.transport != "tcp":
            raise ValueError("`digests` belong to transport tcp; RDMA has checksums of its own")
        if self.format != "never" and self.filesystem is None:
            raise ValueError("`format` makes a file system, and `filesystem` names none")
        if self.reconnect_delay > self.ctrl_loss:
            raise ValueError("`reconnect_delay` is above `ctrl_loss`: it would never be tried again")
        return self
