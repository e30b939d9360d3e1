"""Checks what a transfer asks of the services at its ends: data ports for its files, a network on which it arrives, paths for data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields

from dtnctl.model.data_paths import clean_data_path, host_path, innermost, power_of
from dtnctl.model.profile import Volume
from dtnctl.model.site import Document, Location
from dtnctl.model.tools import TOOLS
from dtnctl.model.transfer import Transfer
from dtnctl.model.transfer_items import Item
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.model.validation.known import DeclaredService, Known, Place
from dtnctl.model.validation.rdma import check_rdma
from dtnctl.printable import plural

OPTIONS = frozenset(item.name for item in fields(TransferOptions))


def check_transferable(known: Known, document: Document[Transfer], session: str) -> None:
    """Reports what can be seen of both ends before anything runs. Expired sessions have no services, and carry nothing."""
    transfer = document.value
    for location, text in (("from", transfer.from_), ("to", transfer.to)):
        endpoint, _, path = text.partition(":")
        service = known.service_of.get((endpoint, session))
        if service is not None:
            _check_ports(known, document, service, is_destination=location == "to")
            check_rdma(known, document, service)
            for place, name in _places(transfer, location, path):
                problems = tuple(_path_problems(service, name, writes=location == "to"))
                for code, what, hint in problems:
                    known.report((document, place), code, what, hint)
                _check_seen_beside(known, document, service, place, name)
                if problems:
                    break
            if location == "to":
                _check_macs(known, service)


def _places(transfer: Transfer, location: str, path: str) -> Iterator[tuple[Location, str]]:
    """The path at one end, and those of its items, each with its place."""
    if path:
        yield (location,), path
    for index in range(len(transfer.items)):
        item = transfer.read_item(index)
        if isinstance(item, Item) and (name := item.source if location == "from" else item.target):
            yield ("items", index, location), path + name


def check_tool(known: Known, document: Document[Transfer]) -> None:
    """Reports options that the transfer's tool does not have."""
    transfer = document.value
    for option in sorted(OPTIONS & transfer.model_fields_set):
        if not transfer.tool_row.takes(option):
            having = [row.name for row in TOOLS.values() if row.takes(option)]
            instead = "`qos: {rate: …}` of the session, or " if option == "max_rate" else ""
            hint = f"{instead}to remove it, or {_tools_text(having)}"
            known.report((document, (option,)), "E0343", f"{transfer.tool} has no `{option}`", hint)


def _tools_text(names: Sequence[str]) -> str:
    return " or ".join(f"`tool: {name}`" for name in names)


def _check_seen_beside(known: Known, document: Document[Transfer], service: DeclaredService, place: Location, path: str) -> None:
    """What runs beside a service in a container of its own sees its volumes, but no tmpfs."""
    row = document.value.tool_row
    is_beside = row.reads_source if place[-1] == "from" else row.has_server
    if not is_beside:
        return
    target = innermost(clean_data_path(path), [volume.target for volume in service.profile.volumes])
    volume = next((item for item in service.profile.volumes if item.target == target), None)
    if volume is not None and volume.kind == "tmpfs":
        what = f"{path} on {service.endpoint} is in a tmpfs, which only the service itself sees, and {row.name} runs beside it"
        known.report((document, place), "E0345", what, f"a path in a volume or mount, or {_tools_text(['gridftp'])}")


def _check_macs(known: Known, service: DeclaredService) -> None:
    """Two containers reach each other only if their MAC addresses differ.

    To a network with IPv6 alone an engine adds an IPv4 pool of its own choice, the same on each host, and makes the MAC address of a
    macvlan interface of the IPv4 address. Seen on 20.10: `No route to host` between two of them. ipvlan and sriov have other MAC addresses.
    """
    profile = service.profile
    receiving = profile.data_nets[0] if profile.data_nets else profile.mgmt_net
    network = known.network(receiving.name) if receiving is not None else None
    if receiving is None or network is None or not network.driver_row.engine_macs or network.subnet is not None or network.subnet6 is None:
        return
    name = receiving.name
    what = f"transfers arrive over network {name}, which has IPv6 alone, so engines give its containers on different hosts one MAC address"
    hint = f"`subnet:` for {name} too, with `addresses:` for all its endpoints; or `driver: ipvlan`"
    known.report((known.site.networks[name], ("subnet6",)), "E0336", what, hint)


def _check_ports(known: Known, document: Document[Transfer], service: DeclaredService, *, is_destination: bool) -> None:
    """Each file that is copied at the same time has a data port of its own, at both ends; a server has one at the destination."""
    ports, files, row = service.profile.data_port_range, document.value.concurrency, document.value.tool_row
    if is_destination:
        _check_server_ports(known, document, service, ports)
    if row.ports != "each file" or ports is None or ports[1] - ports[0] + 1 >= files:
        return
    count, low, high = ports[1] - ports[0] + 1, *ports
    where = f"{service.endpoint} has {count}: {low}-{high} ({service.where('data_port_range')})"
    what = f"{plural(files, 'file')} at once need as many data ports, and session {service.session.name} on {where}"
    place: Place = (document, ("concurrency",))
    known.report(place, "E0332", what, f"`concurrency: {count}`, or a wider `data_port_range`")


def _check_server_ports(known: Known, document: Document[Transfer], service: DeclaredService, ports: tuple[int, int] | None) -> None:
    row, there = document.value.tool_row, 0 if ports is None else ports[1] - ports[0] + 1
    needed = row.count_ports(document.value.parallelism)
    if row.names_ports and ports is None:
        what = f"{row.name} needs data ports of the destination, and session {service.session.name} has none on {service.endpoint}"
        known.report((document, ("tool",)), "E0344", what, "`data_port_range: [50100, 50199]` in its profile")
    if there >= needed:
        return
    listens = "listens" if needed == 1 else f"listens on {plural(needed, 'port')}"
    having = plural(there, "data port") if there else "no data ports"
    what = f"{row.name} {listens} at the destination, and session {service.session.name} has {having} on {service.endpoint}"
    known.report((document, ("tool",)), "E0344", what, "`data_port_range: [50100, 50199]` in its profile")


def _path_problems(service: DeclaredService, path: str, *, writes: bool) -> Iterator[tuple[str, str, str]]:
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


def _volume_problems(service: DeclaredService, where: str, path: str, volume: Volume, *, writes: bool) -> Iterator[tuple[str, str, str]]:
    if volume.kind == "bind":
        there = host_path(path, volume.target, volume.source or "")
        if reason := power_of(there):
            what = f"{where} is {there} of the host ({_place(service, volume)}), which {reason}; transfers copy data only"
            yield "E0334", what, "a volume with nothing but data in it"
            return
    if writes and volume.mode == "ro":
        yield "E0335", f"{where} is in a volume that is read-only ({_place(service, volume)})", "`mode: rw`, or another volume"


def _place(service: DeclaredService, volume: Volume) -> str:
    return f"`{volume.target}`, {service.where('volumes')}"


def _volumes_hint(volumes: Sequence[Volume], *, writes: bool) -> str:
    """Where the path could be instead."""
    usable = [f"{volume.target}/…" for volume in volumes if not (writes and volume.mode == "ro") and not power_of(volume.target)]
    if usable:
        return f"a path below {' or '.join(usable[:3])}"
    return "`volumes: [{source: /data, target: /data}]` in the profile, and a path below /data"
