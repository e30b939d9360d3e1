"""What each end of a volume over NVMe-oF lacks by itself: the host that connects and mounts it, and the one that exports it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.nvme_volumes import NvmeVolume
from dtnctl.model.permission import export_request
from dtnctl.model.plan import AGENT_NEEDED, Cause, FieldChange
from dtnctl.model.secrets import HIDDEN
from dtnctl.model.site import Document, Endpoint, Location
from dtnctl.planning.choices.volume_plans import MAKING, TAKING_DOWN, Task, VolumesAsked
from dtnctl.planning.choices.volumes import VolumeUse, address_of, volume_ids
from dtnctl.planning.refusal import Refusal

if TYPE_CHECKING:
    from dtn_agent.protocol import Host
    from dtn_agent.protocol.volumes import (
        Backing,
        ConnectVolume,
        ExportVolume,
        HeldExport,
        HeldMount,
        HeldVolume,
        MountVolume,
        Portal,
        Queues,
    )

CONNECTION = ("nqn", "uuid", "portal", "host_address", "queues", "fingerprint")  # what cannot be changed while it is connected
Texts = list[tuple[str, str, str, Location]]  # what, before, after, and where it is written
EXPORT = ("nqn", "uuid", "serial", "backing", "portal", "fingerprint")  # what cannot be changed while others have it


# --- the host that uses it ----------------------------------------------------------------------------------


def connection_of(asked: VolumesAsked, document: Document[NvmeVolume], endpoint: str, held: HeldVolume | None) -> ConnectVolume | Refusal:
    """How the host is to be connected, or why that cannot be known or be."""
    host = asked.host(endpoint)
    if host is None:
        text = f"the agent of {endpoint} does not answer, and volume {document.name} is mounted by it"
        return Refusal(AGENT_NEEDED, Cause(text, document.file, document.mark().line), "apply again when it answers")
    portal = _portal(asked, document, held)
    if isinstance(portal, Refusal):
        return portal
    target, host_address = document.value.target, None
    if target.network is not None:
        found = address_of(asked.site, asked.site.endpoints[endpoint], host, document)
        if isinstance(found, Refusal):
            return found
        host_address = found.address
    from dtn_agent.protocol.volumes import ConnectVolume

    ids = volume_ids(asked.site, document)
    return ConnectVolume(
        site=asked.site.name,
        volume=document.name,
        nqn=ids.nqn,
        uuid=ids.uuid,
        portal=portal,
        host_address=host_address,
        queues=_queues(document.value),
        fingerprint=_fingerprint(asked, document, endpoint, held),
    )


def _fingerprint(asked: VolumesAsked, document: Document[NvmeVolume], endpoint: str, held: HeldVolume | HeldExport | None) -> str:
    """Of all its keys together. Where one was not looked at they count as unchanged."""
    auth = document.value.auth
    if auth is None:
        return ""
    found = [asked.answering[endpoint].secrets.get(reference, "") for reference in auth.references.values()]
    return " ".join(found) if all(found) else held.fingerprint if held is not None else ""


def _keys_text(fingerprint: str, before: str = "") -> str:
    """Two of them that differ never look the same."""
    if not fingerprint:
        return "none"
    return HIDDEN if before in ("", fingerprint) else "(secret, changed)"


def _portal(asked: VolumesAsked, document: Document[NvmeVolume], held: HeldVolume | None) -> Portal | Refusal:
    """Where the target listens. While its endpoint does not answer, that is where it did."""
    from dtn_agent.protocol.volumes import Portal

    target, transport = document.value.target, document.value.transport
    if target.external is not None:
        return Portal(transport=transport, address=target.external.address, port=target.external.port)
    if target.address is not None:
        return Portal(transport=transport, address=target.address, port=target.port)
    endpoint = target.endpoint or ""
    host = asked.host(endpoint)
    if host is None:
        return held.portal if held is not None else refuse_unheard_target(asked, document)
    found = address_of(asked.site, asked.site.endpoints[endpoint], host, document)
    return found if isinstance(found, Refusal) else Portal(transport=transport, address=found.address, port=target.port)


def refuse_unheard_target(asked: VolumesAsked, document: Document[NvmeVolume]) -> Refusal:
    """Nothing is connected to a target of which nothing is known."""
    endpoint = document.value.target.endpoint or ""
    who = f"the agent of {endpoint}" if endpoint in asked.answering else endpoint
    text = f"{who} does not answer, so whether it exports volume {document.name} is not known"
    cause = Cause(text, document.file, document.mark(("target", "endpoint")).line, "target.endpoint")
    return Refusal("E0451", cause, f"apply again when {endpoint} answers")


def _queues(volume: NvmeVolume) -> Queues:
    from dtn_agent.protocol.volumes import Queues

    return Queues(
        io_queues=volume.queues,
        queue_size=volume.queue_size,
        keep_alive=int(volume.keep_alive),
        reconnect_delay=int(volume.reconnect_delay),
        ctrl_loss=int(volume.ctrl_loss),
        header_digest="header" in volume.digests,
        data_digest="data" in volume.digests,
    )


def mount_of(asked: VolumesAsked, document: Document[NvmeVolume], uses: tuple[VolumeUse, ...]) -> MountVolume | None:
    """How the host is to mount it; None where services get the device."""
    volume = document.value
    if volume.filesystem is None:
        return None
    from dtn_agent.protocol.volumes import MountVolume

    writes = any(use.mount.mode == "rw" for use in uses)
    return MountVolume(
        site=asked.site.name,
        volume=document.name,
        file_system=volume.filesystem,
        mode="rw" if writes else "ro",
        format=volume.format == "if-empty",
    )


def tasks_for(held: HeldVolume | None, connection: ConnectVolume, mount: MountVolume | None) -> tuple[Task, ...]:
    """The steps that make of what the host has what it should have; none if it has."""
    if held is None:
        return MAKING if mount is not None else MAKING[:1]
    if _differs(held, connection):
        return all_tasks(held, mount)
    tasks: list[Task] = []
    is_gone = held.state == "gone"
    has = held.mount
    remounts = has is not None and (mount is None or (has.file_system, has.mode) != (mount.file_system, mount.mode))
    if has is not None and (remounts or (is_gone and has.is_mounted)):
        tasks.append("unmount-volume")
    if held.state != "live":
        tasks.append("connect-volume")
    if mount is not None and (has is None or tasks[:1] == ["unmount-volume"] or not _stays_mounted(has)):
        tasks.append("mount-volume")
    return tuple(tasks)


def _stays_mounted(mount: HeldMount) -> bool:
    """Older agents count one as mounted whose unmount they have begun."""
    return mount.is_mounted and not mount.is_being_unmounted


def all_tasks(held: HeldVolume, mount: MountVolume | None) -> tuple[Task, ...]:
    """Taken down and made again."""
    return (*leaving_tasks(held), *(MAKING if mount is not None else MAKING[:1]))


def leaving_tasks(held: HeldVolume) -> tuple[Task, ...]:
    return TAKING_DOWN if held.mount is not None else TAKING_DOWN[1:]


def _differs(held: HeldVolume, connection: ConnectVolume) -> bool:
    return any(getattr(held, name) != getattr(connection, name) for name in CONNECTION)


def connection_fields(
    document: Document[NvmeVolume], held: HeldVolume, connection: ConnectVolume, mount: MountVolume | None
) -> Iterator[FieldChange]:
    """What differs, as short texts."""
    changes: Texts = [("target", portal_text(held.portal), portal_text(connection.portal), ("target",))]
    changes += [("own address", held.host_address or "any", connection.host_address or "any", ("target", "network"))]
    changes += [("nqn", held.nqn, connection.nqn, ("target",)), ("uuid", held.uuid, connection.uuid or "", ("target",))]
    for name in type(held.queues).model_fields:
        before, after = getattr(held.queues, name), getattr(connection.queues, name)
        changes.append((name.replace("_", " "), _text(before), _text(after), (WRITTEN_AS.get(name, name),)))
    changes.append(("auth", _keys_text(held.fingerprint), _keys_text(connection.fingerprint, held.fingerprint), ("auth",)))
    if held.mount is None and mount is not None:
        changes.append(("file system", "not mounted", mount.file_system, ("filesystem",)))
    if held.mount is not None and mount is not None:
        changes.append(("file system", held.mount.file_system, mount.file_system, ("filesystem",)))
        changes.append(("mode", held.mount.mode, mount.mode, ()))
        if not _stays_mounted(held.mount):
            changes.append(("mount", "not there", held.mount.path, ("filesystem",)))
    if held.state != "live":
        changes.append(("connection", held.state, "live", ("target",)))
    yield from _changed(document, changes)


WHY = {
    "connection": "its connection is {before}",
    "mount": "it is not mounted",
    "hosts": "other hosts use it",
    "kernel": "the target's kernel does not have it as dtnctl exported it: {before}",
}
WRITTEN_AS = {"io_queues": "queues", "header_digest": "digests", "data_digest": "digests"}


def _text(value: int | bool | None) -> str:
    return "the kernel's" if value is None else str(value).lower()


def portal_text(portal: Portal) -> str:
    return f"{portal.address} port {portal.port} ({portal.transport})"


def _changed(document: Document[NvmeVolume], changes: Texts) -> Iterator[FieldChange]:
    for name, before, after, location in changes:
        if before != after:
            cause = Cause(
                WHY.get(name, "{name} differs").format(name=name, before=before),
                document.file,
                document.mark(location).line,
                ".".join(map(str, location)),
            )
            yield FieldChange(name, before, after, False, cause)


# --- the host that has it -----------------------------------------------------------------------------------


def export_of(
    asked: VolumesAsked, endpoint: Document[Endpoint], document: Document[NvmeVolume], held: HeldExport | None
) -> ExportVolume | Refusal:
    """How the target is to be made, or why not; not yet for which hosts. Its agent answers."""
    host, volume = asked.host(endpoint.name), document.value
    assert host is not None
    if (refusal := _not_allowed(endpoint, document)) is not None:
        return refusal
    if (refusal := refuse_lacking(document, endpoint.name, host, f"export-{volume.transport}")) is not None:
        return refusal
    found = address_of(asked.site, endpoint, host, document)
    if isinstance(found, Refusal):
        return found
    from dtn_agent.protocol.volumes import Backing, ExportVolume, Portal

    ids, target = volume_ids(asked.site, document), volume.target
    if _is_foreign(asked, host, document, ids.nqn):
        text = f"{endpoint.name} exports {ids.nqn} already, and dtnctl did not make it"
        cause = Cause(text, document.file, document.mark(("target",)).line, "target")
        return Refusal("E0456", cause, "remove it there, or another name for the volume")
    return ExportVolume(
        site=asked.site.name,
        volume=document.name,
        nqn=ids.nqn,
        uuid=ids.uuid,
        serial=ids.serial,
        backing=Backing(device=target.device, file=target.file, size=target.size),
        portal=Portal(transport=volume.transport, address=found.address, port=target.port),
        hosts=(),
        fingerprint=_fingerprint(asked, document, endpoint.name, held),
    )


def _is_foreign(asked: VolumesAsked, host: Host, document: Document[NvmeVolume], nqn: str) -> bool:
    ours = any((item.site, item.volume) == (asked.site.name, document.name) for item in host.held.exports)
    return host.facts.nvme is not None and nqn in host.facts.nvme.exported and not ours


def _not_allowed(endpoint: Document[Endpoint], document: Document[NvmeVolume]) -> Refusal | None:
    """The owner's line that says no."""
    request = export_request(endpoint.value.allow, document.value.target)
    if request is None or request.is_allowed:
        return None
    asked_at = document.where(*request.location)
    text = f"the owner of {endpoint.name} does not allow {request.what}, asked for at {asked_at}"
    cause = Cause(text, endpoint.file, endpoint.mark(("allow", request.key)).line, f"allow.{request.key}")
    return Refusal(request.code, cause, f"ask the owner to extend allow.{request.key} in {endpoint.file}")


def refuse_lacking(document: Document[NvmeVolume], endpoint: str, host: Host, ability: str) -> Refusal | None:
    """Why the host's kernel, or its agent, cannot do its part; abilities are `export-tcp`, `connect-rdma`, `mount-xfs` …"""
    if not (reason := host.lacks(ability)):
        return None
    verb, _, kind = ability.partition("-")
    field = "filesystem" if verb == "mount" else "transport"
    cause = Cause(f"{endpoint} cannot {verb} volumes by {kind}: {reason}", document.file, document.mark((field,)).line, field)
    return Refusal("E0450", cause, f"what it lacks there, or another `{field}`")


def export_fields(document: Document[NvmeVolume], held: HeldExport, request: ExportVolume, names: dict[str, str]) -> Iterator[FieldChange]:
    """What differs, as short texts; `names` are endpoints by their NQN."""
    changes: Texts = [
        ("backing", backing_text(held.backing), backing_text(request.backing), ("target",)),
        ("listens at", portal_text(held.portal), portal_text(request.portal), ("target",)),
        ("hosts", hosts_text(held.hosts, names), hosts_text(request.hosts, names), ()),
        ("identity", f"{held.nqn} {held.uuid} {held.serial}", f"{request.nqn} {request.uuid} {request.serial}", ("target",)),
        ("auth", _keys_text(held.fingerprint), _keys_text(request.fingerprint, held.fingerprint), ("auth",)),
        ("kernel", held.fault or "as asked for", "as asked for", ("target",)),
    ]
    yield from _changed(document, changes)


def cuts_others(held: HeldExport, request: ExportVolume) -> bool:
    """Whether who is connected loses it."""
    return any(getattr(held, name) != getattr(request, name) for name in EXPORT)


def backing_text(backing: Backing) -> str:
    return backing.device or backing.file or ""


def hosts_text(hosts: tuple[str, ...], names: dict[str, str]) -> str:
    return ", ".join(sorted(names.get(nqn, nqn) for nqn in hosts)) or "none"
