"""Volumes over NVMe-oF: what an agent is asked to export, to connect and to mount, and what its ledger has of that."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from dtn_agent.protocol.base import ONE_LINE, HeldEntry, Name, Reported, Requested

# no comma, which separates what the kernel is asked with to connect; no slash where the kernel's entry is a folder of this name
Nqn: TypeAlias = Annotated[str, Field(pattern=r"^nqn\.[0-9]{4}-(0[1-9]|1[0-2])\.[!-+\--~]+$", max_length=223)]
FolderNqn: TypeAlias = Annotated[str, Field(pattern=r"^nqn\.[0-9]{4}-(0[1-9]|1[0-2])\.[!-+\-.0-~]+$", max_length=223)]
Uuid: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Address: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f.:]{2,39}$")]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
Path: TypeAlias = Annotated[str, Field(pattern=r"^/[^\x00-\x1f]*$", max_length=4095)]
Key: TypeAlias = Annotated[str, Field(pattern=r"^DHHC-1:0[0-3]:[A-Za-z0-9+/=]+:$", max_length=200)]
SecretKey: TypeAlias = Annotated[Key | None, Field(repr=False)]
Fingerprint: TypeAlias = Annotated[str, Field(pattern=ONE_LINE, max_length=200)]
Transport: TypeAlias = Literal["tcp", "rdma"]
FileSystem: TypeAlias = Literal["ext4", "xfs"]
VOLUMES = "/var/lib/dtn-agent/volumes"
KEYS = frozenset({"host_key", "controller_key"})


def key_print(host_key: str | None, controller_key: str | None) -> str:
    """A fingerprint of the keys that shows whether they are the same and nothing of them; empty without keys."""
    if host_key is None and controller_key is None:
        return ""
    secret = f"{host_key or ''} {controller_key or ''}".encode()
    return hmac.new(secret, b"keys of a volume over NVMe-oF", hashlib.sha256).hexdigest()[:16]


def mount_point(site: str, volume: str) -> str:
    """The folder at which an agent mounts a volume. `site` as in the requests."""
    return f"{VOLUMES}/{site}/{volume}"


class Backing(Reported):
    """What is exported: a block device that is there, or a file, which is made with `size` bytes (sparse) if it is not there."""

    device: Path | None = None
    file: Path | None = None
    size: Annotated[int, Field(ge=1)] | None = None


class Portal(Reported):
    """Where a target listens: an address of the host itself, not of a container."""

    transport: Transport
    address: Address
    port: Port


class Queues(Reported):
    """How an initiator talks to a target; times in seconds. None: the kernel's default. `ctrl_loss`: how long it tries again."""

    io_queues: Annotated[int, Field(ge=1, le=1024)] | None = None
    queue_size: Annotated[int, Field(ge=16, le=1024)] | None = None
    keep_alive: Annotated[int, Field(ge=1, le=600)] = 5
    reconnect_delay: Annotated[int, Field(ge=1, le=600)] = 2
    ctrl_loss: Annotated[int, Field(ge=1, le=3600)] = 60
    header_digest: bool = False
    data_digest: bool = False


class ExportVolume(Requested):
    """Export the backing as namespace 1 of a subsystem of its own, to exactly these hosts; what it was for other hosts ends.

    Refused where the backing is in use by anything, or where the subsystem or the port is there and not ours. `fingerprint` is the asking
    side's own of the keys, and comes back in what is held. A host has one pair of keys here: its other volumes have these, too,
    and it is refused where one of another site has others. After a refusal all is as it was.
    """

    do: Literal["export-volume"] = "export-volume"
    site: Name
    volume: Name
    nqn: FolderNqn
    uuid: Uuid
    serial: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,20}$")]
    backing: Backing
    portal: Portal
    hosts: Annotated[tuple[FolderNqn, ...], Field(strict=False, max_length=256)]
    host_key: SecretKey = None
    controller_key: SecretKey = None
    fingerprint: Fingerprint = ""
    secrets = KEYS


class WithdrawVolume(Requested):
    """Export it no more. A file that is its backing stays. Not ours (any more) is success."""

    do: Literal["withdraw-volume"] = "withdraw-volume"
    site: Name
    volume: Name


class ConnectVolume(Requested):
    """Connect to this subsystem at this portal and no other, and wait (within limits) for the namespace with this UUID.

    Refused where somebody else has connected it.
    """

    do: Literal["connect-volume"] = "connect-volume"
    site: Name
    volume: Name
    nqn: Nqn
    uuid: Uuid | None = None
    portal: Portal
    host_address: Address | None = None
    queues: Queues = Queues()
    host_key: SecretKey = None
    controller_key: SecretKey = None
    fingerprint: Fingerprint = ""
    secrets = KEYS


class MountVolume(Requested):
    """Mount it at the folder that the ledger then names. `format`: make the file system if the namespace is provably empty."""

    do: Literal["mount-volume"] = "mount-volume"
    site: Name
    volume: Name
    file_system: FileSystem
    mode: Literal["ro", "rw"]
    format: bool = False


class UnmountVolume(Requested):
    """Unmount it. Refused, with who holds it, while a program uses it; a dead target does not hold it up."""

    do: Literal["unmount-volume"] = "unmount-volume"
    site: Name
    volume: Name


class DisconnectVolume(Requested):
    """End the connection, also to a target that is gone. Refused while it is mounted or open. Not ours (any more) is success."""

    do: Literal["disconnect-volume"] = "disconnect-volume"
    site: Name
    volume: Name


class HeldExport(HeldEntry):
    """A volume that this host exports. `fault`: why the kernel has it otherwise now; empty: it is as it was asked for.

    `kernel_port` is the number of the kernel's port, which volumes of the same portal share. `former_hosts` may connect no more.
    `key_print`: see `key_print()`.
    """

    site: str
    volume: str
    nqn: str
    uuid: str
    serial: str
    backing: Backing
    portal: Portal
    hosts: tuple[str, ...]
    kernel_port: int = 0
    former_hosts: tuple[str, ...] = ()
    key_print: Annotated[str, Field(pattern=ONE_LINE)] = ""
    fingerprint: str = ""
    fault: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.site, self.volume)

    @property
    def rank(self) -> tuple[str | int, ...]:
        return self.identity


class HeldMount(Reported):
    """`path`: where it is mounted, or will be. `is_mounted`: it is now and stays, and nothing still has the remains of an earlier one.

    Such remains are left in a container when the kernel gives up a target: they fail until the container starts again. `numbers` are the
    device numbers that it was mounted with. `is_being_made`: the file system was begun and is not complete. `is_being_unmounted`: its end
    was begun: it goes, or is gone while the kernel still writes what it held.
    """

    path: str
    file_system: FileSystem
    mode: Literal["ro", "rw"]
    is_mounted: bool = False
    is_being_made: bool = False
    is_being_unmounted: bool = False
    numbers: tuple[str, ...] = ()


class HeldVolume(HeldEntry):
    """A volume of a target that this host has connected. `state` is the kernel's word now (live, connecting, …), `gone` if it has none.

    `uuid` is empty if none was asked for. `device` is its block device now (/dev/nvme1n1; empty: none). `mount` is None where it is used
    as a device.
    """

    site: str
    volume: str
    nqn: str
    uuid: str
    portal: Portal
    host_address: str | None = None
    queues: Queues = Queues()
    key_print: str = ""
    fingerprint: str = ""
    state: str = "gone"
    device: str = ""
    mount: HeldMount | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.site, self.volume)

    @property
    def rank(self) -> tuple[str | int, ...]:
        return self.identity


class NvmeController(Reported):
    """A controller over a fabric that the kernel has, whoever made it. `owner`: who, by nvme-cli's registry."""

    name: str
    nqn: str
    transport: str
    address: str
    state: str
    owner: str = ""


class NvmeFacts(Reported):
    """What a host is for NVMe-oF. The transports are those that its kernel has or can load; `exported` are NQNs that it exports."""

    host_nqn: str = ""
    host_id: str = ""
    initiator: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    file_systems: tuple[str, ...] = ()
    controllers: tuple[NvmeController, ...] = ()
    exported: tuple[str, ...] = ()


ExportRequest: TypeAlias = ExportVolume | WithdrawVolume
VolumeRequest: TypeAlias = ConnectVolume | MountVolume | UnmountVolume | DisconnectVolume
