"""Checks what a transfer asks of the services at its ends: data ports for its files, and paths where data may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dtnctl.model.data_paths import clean_data_path, host_path, innermost, power_of
from dtnctl.model.known import Known, Place, Service
from dtnctl.model.site import Document, Transfer, Volume
from dtnctl.printable import plural


def check_transferable(known: Known, document: Document[Transfer], session: str) -> None:
    """Reports what can be seen of both ends before anything runs. Expired sessions have no services, and carry nothing."""
    transfer = document.value
    for location, text in (("from", transfer.from_), ("to", transfer.to)):
        endpoint, _, path = text.partition(":")
        service = known.service_of.get((endpoint, session))
        if service is not None:
            _check_ports(known, document, service)
            for code, what, hint in _path_problems(service, path, writes=location == "to"):
                known.report((document, (location,)), code, what, hint)


def _check_ports(known: Known, document: Document[Transfer], service: Service) -> None:
    """Each file that is copied at the same time has a data port of its own, at both ends."""
    ports, files = service.profile.data_port_range, document.value.concurrency
    if ports is None or ports[1] - ports[0] + 1 >= files:
        return
    count, low, high = ports[1] - ports[0] + 1, *ports
    where = f"{service.endpoint} has {count}: {low}-{high} ({service.where('data_port_range')})"
    what = f"{plural(files, 'file')} at once need as many data ports, and session {service.session.name} on {where}"
    place: Place = (document, ("concurrency",))
    known.report(place, "E0332", what, f"`concurrency: {count}`, or a wider `data_port_range`")


def _path_problems(service: Service, path: str, *, writes: bool) -> Iterator[tuple[str, str, str]]:
    """(code, what, hint) of everything that is wrong with a path of the service."""
    where, volumes = f"{path} on {service.endpoint}", service.profile.volumes
    if ".." in path.split("/"):
        yield "E0333", f"{where} goes upward by `..`", "the path that it leads to"
        return
    clean = clean_data_path(path)
    if reason := power_of(clean):
        yield "E0334", f"{where} {reason}; transfers copy data only", _volumes_hint(volumes, writes=writes)
        return
    target = innermost(clean, [volume.target for volume in volumes])
    volume = next((item for item in volumes if item.target == target), None)
    if volume is None:
        what = f"{where} is in no volume, mount or tmpfs of session {service.session.name}, so it belongs to the container and ends with it"
        yield "E0333", what, _volumes_hint(volumes, writes=writes)
        return
    yield from _volume_problems(service, where, clean, volume, writes=writes)


def _volume_problems(service: Service, where: str, path: str, volume: Volume, *, writes: bool) -> Iterator[tuple[str, str, str]]:
    place = f"`{volume.target}`, {service.where('volumes')}"
    if volume.kind == "bind":
        there = host_path(path, volume.target, volume.source or "")
        if reason := power_of(there):
            what = f"{where} is {there} of the host ({place}), which {reason}; transfers copy data only"
            yield "E0334", what, "a volume with nothing but data in it"
            return
    if writes and volume.mode == "ro":
        yield "E0335", f"{where} is in a volume that is read-only ({place})", "`mode: rw`, or another volume"


def _volumes_hint(volumes: Sequence[Volume], *, writes: bool) -> str:
    """Where the path could be instead."""
    usable = [f"{volume.target}/…" for volume in volumes if not (writes and volume.mode == "ro") and not power_of(volume.target)]
    if usable:
        return f"a path below {' or '.join(usable[:3])}"
    return "`volumes: [{source: /data, target: /data}]` in the profile, and a path below /data"
