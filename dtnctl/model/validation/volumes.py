"""Checks volumes over NVMe-oF: what their files name, who uses them, and that one host writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from dtnctl.model.effective import winner_at
from dtnctl.model.nvme_volumes import NvmeVolume, VolumeTarget
from dtnctl.model.profile import Volume
from dtnctl.model.site import Document, Endpoint, Location
from dtnctl.model.validation.known import DeclaredService, Known, Place


@dataclass(frozen=True, slots=True)
class Use:
    """A service that mounts a volume. `index` is the mount's among its volumes."""

    service: DeclaredService
    index: int
    mount: Volume

    @property
    def place(self) -> Place:
        return winner_at(self.service.layers, ("volumes", self.index)) or self.service.fallback

    @property
    def where(self) -> str:
        document, location = self.place
        return document.where(*location)

    def __str__(self) -> str:
        return f"session {self.service.session.name} on {self.service.endpoint}"


def check_volumes(known: Known) -> None:
    """Reports what is wrong with volumes, and with who mounts them."""
    for document in known.site.volumes.values():
        _check_target(known, document)
    _check_backings(known)
    found: dict[str, list[Use]] = defaultdict(list)
    for use in _uses(known):
        document = known.site.volumes[use.mount.nvme]
        _check_use(known, use, document)
        found[document.name].append(use)
    for name, users in found.items():
        _check_writers(known, known.site.volumes[name], users)
    _check_keys(known, {name: {use.service.endpoint for use in users} for name, users in found.items()})


def _uses(known: Known) -> Iterator[Use]:
    for service in known.services:
        for index, mount in enumerate(service.profile.volumes):
            if mount.nvme in known.site.volumes:
                yield Use(service, index, mount)


# --- the target ---------------------------------------------------------------------------------------------


def _check_target(known: Known, document: Document[NvmeVolume]) -> None:
    target = document.value.target
    if target.network is not None and target.network not in known.names("networks"):
        hint = known.suggest(target.network, known.names("networks"), f"to write networks/{target.network}.yaml")
        known.report((document, ("target", "network")), "E0302", f"there is no network `{target.network}`", hint)
    if target.endpoint is None:
        return
    place: Place = (document, ("target", "endpoint"))
    if target.endpoint not in known.names("endpoints"):
        hint = known.suggest(target.endpoint, known.names("endpoints"), f"to write endpoints/{target.endpoint}.yaml")
        known.report(place, "E0301", f"there is no endpoint `{target.endpoint}`", hint)
    elif (endpoint := known.site.endpoints.get(target.endpoint)) is not None:
        _check_end(known, endpoint, document, place, "exported")


def _check_end(known: Known, endpoint: Document[Endpoint], volume: Document[NvmeVolume], place: Place, verb: str) -> None:
    """Either end needs an agent, and an interface that carries the volume's network."""
    if endpoint.value.agent is None:
        what = f"volume `{volume.name}` is {verb} by the agent of {endpoint.name}, and its file names none"
        known.report(place, "E0391", what, f"`agent: …` in {endpoint.file}")
    network = volume.value.target.network
    if network is not None and network in known.names("networks") and network not in endpoint.value.interfaces:
        text = f"no interface carries network `{network}` here, and volume `{volume.name}` uses it"
        known.report((endpoint, ("interfaces",)), "E0307", text, f"`interfaces: {{{network}: eth1}}` with the name of the interface")


def _check_backings(known: Known) -> None:
    """One disk, one volume: as two it would have two writers that do not know of each other."""
    first: dict[str, Document[NvmeVolume]] = {}
    for document in known.site.volumes.values():
        text, location = _backing(document.value.target)
        other = first.setdefault(text, document)
        if other is not document:
            what = f"{text} is volume `{other.name}` already ({other.where(*_backing(other.value.target)[1])})"
            known.report((document, location), "E0392", what, "another device, or one volume for both")


def _backing(target: VolumeTarget) -> tuple[str, Location]:
    """What it is on, and where that is written; an external namespace is one by its UUID, whatever leads to it."""
    if target.external is not None:
        return f"the namespace {target.external.uuid}", ("target", "external", "uuid")
    field = "device" if target.device is not None else "file"
    return f"{target.device or target.file} of {target.endpoint}", ("target", field)


def _check_keys(known: Known, hosts: dict[str, set[str]]) -> None:
    """A target has one pair of keys for each host: the volumes that a host has of it share them."""
    first: dict[tuple[str, str], Document[NvmeVolume]] = {}
    for name in sorted(hosts):
        document = known.site.volumes[name]
        target = document.value.target.endpoint or ""
        for host in sorted(hosts[name]) if target else ():
            other = first.setdefault((target, host), document)
            if other.value.auth != document.value.auth:
                what = f"{host} has volume `{other.name}` of {target}, too, with another `auth` ({other.where('auth')})"
                known.report((document, ("auth",)), "E0396", what, "the same `auth` for both: a target has one pair of keys for each host")
                break


# --- who mounts it ------------------------------------------------------------------------------------------


def check_volume_name(known: Known, mount: Volume, place: Place) -> None:
    """Reports a mount of a volume that has no file."""
    if mount.nvme and mount.nvme not in known.names("volumes"):
        hint = known.suggest(mount.nvme, known.names("volumes"), f"to write volumes/{mount.nvme}.yaml")
        known.report(place, "E0390", f"there is no volume `{mount.nvme}`", hint)


def _check_use(known: Known, use: Use, document: Document[NvmeVolume]) -> None:
    endpoint = known.site.endpoints.get(use.service.endpoint)
    if endpoint is None:
        return
    name, value = document.name, document.value
    if not endpoint.value.backend().equipped_by_agent:
        what = f"volume `{name}` cannot be mounted on {endpoint.name}, which is a node of a cluster"
        known.report(use.place, "E0391", what, "a claim of the cluster's own storage, or an endpoint with `docker:`")
        return
    _check_end(known, endpoint, document, use.place, "mounted")
    if value.target.endpoint == endpoint.name:
        what = f"volume `{name}` is on {endpoint.name} itself ({document.where('target', 'endpoint')})"
        known.report(use.place, "E0393", what, "the folder where its file system is mounted there, or another endpoint")
    is_device = use.mount.target.startswith("/dev/")
    if value.filesystem is None and not is_device:
        what = f"volume `{name}` has no `filesystem`, so the service gets a block device, and `{use.mount.target}` is no place for one"
        known.report(use.place, "E0395", what, f"`target: /dev/{name}`, or `filesystem:` in {document.file}")
    elif value.filesystem is not None and is_device:
        what = f"volume `{name}` has a file system ({document.where('filesystem')}), and `{use.mount.target}` is a place for devices"
        known.report(use.place, "E0395", what, "`target: /data`, or no `filesystem`")


def _check_writers(known: Known, document: Document[NvmeVolume], users: list[Use]) -> None:
    """While one host writes, no other may have it: neither a file system nor a block device is a cluster's."""
    has_file_system = document.value.filesystem is not None
    writer = next((use for use in users if use.mount.mode == "rw"), None)
    if writer is None:
        return
    for use in users:
        if _holder(use, has_file_system=has_file_system) != _holder(writer, has_file_system=has_file_system):
            does = "writes it too" if use.mount.mode == "rw" else "reads it"
            what = f"volume `{document.name}` has one writer, {writer} ({writer.where}), and {use} {does}"
            known.report(use.place, "E0394", what, "`mode: ro` for all of them, a volume for each, or one endpoint")


def _holder(use: Use, *, has_file_system: bool) -> tuple[str, str]:
    """Who has the volume: a host that mounts it shares it out to its services, a block device is one service's."""
    return use.service.endpoint, "" if has_file_system else use.service.session.name
