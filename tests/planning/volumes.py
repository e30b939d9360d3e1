"""What agents have of volumes over NVMe-oF, as the state declares it, for planning tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from dtn_agent.protocol.volumes import Backing, HeldExport, HeldMount, HeldVolume, NvmeFacts, Portal, Queues

from dtnctl.model.nvme_volumes import NvmeVolume
from dtnctl.model.site import Document, Mark, Site
from dtnctl.planning.choices.volumes import mount_folder, volume_ids

GONE = NvmeVolume.model_validate({"target": {"endpoint": "dtn2", "device": "/dev/nvme1n1", "network": "data"}, "filesystem": "xfs"})


def host_nqn(endpoint: str) -> str:
    return f"nqn.2014-08.org.nvmexpress:uuid:{endpoint}"


def nvme_facts(endpoint: str) -> NvmeFacts:
    """A host whose kernel has all of it."""
    return NvmeFacts(
        host_nqn=host_nqn(endpoint), host_id=endpoint, initiator=("tcp", "rdma"), target=("tcp", "rdma"), file_systems=("ext4", "xfs")
    )


def declared_volume(site: Site, name: str) -> Document[NvmeVolume]:
    """The volume's file; one that no file declares any more was on a device of dtn2."""
    return site.volumes[name] if name in site.volumes else Document(name, f"state/volumes/{name}.yaml", GONE, {(): Mark(1, 1)})


def held_export(
    site: Site,
    name: str,
    address: str,
    endpoints: Iterable[str],
    fault: str = "",
    change: Mapping[str, Any] = {},
) -> HeldExport:
    """As the file has it, to the hosts of these endpoints."""
    document = declared_volume(site, name)
    ids, target = volume_ids(site, document), document.value.target
    held = HeldExport(
        site=site.name,
        volume=name,
        nqn=ids.nqn,
        uuid=ids.uuid,
        serial=ids.serial,
        backing=Backing(device=target.device, file=target.file, size=target.size),
        portal=Portal(transport=document.value.transport, address=address, port=target.port),
        hosts=tuple(sorted(map(host_nqn, endpoints))),
        fault=fault,
    )
    return HeldExport.model_validate(held.model_dump() | dict(change))


def held_volume(
    site: Site,
    name: str,
    address: str,
    own: str = "",
    *,
    state: str = "live",
    mounted: bool = True,
    mode: Literal["ro", "rw"] = "ro",
    change: Mapping[str, Any] = {},
) -> HeldVolume:
    """Connected to the target at this address, and mounted if the file names a file system."""
    document = declared_volume(site, name)
    volume, ids = document.value, volume_ids(site, document)
    target = volume.target
    mount = None
    if volume.filesystem is not None:
        mount = HeldMount(path=mount_folder(site, name), file_system=volume.filesystem, mode=mode, is_mounted=mounted)
    held = HeldVolume(
        site=site.name,
        volume=name,
        nqn=ids.nqn,
        uuid=ids.uuid,
        portal=Portal(transport=volume.transport, address=address, port=target.external.port if target.external else target.port),
        host_address=own or None,
        queues=Queues(io_queues=volume.queues, queue_size=volume.queue_size),
        state=state,
        device="/dev/nvme1n1" if state == "live" else "",
        mount=mount,
    )
    return HeldVolume.model_validate(held.model_dump() | dict(change))
