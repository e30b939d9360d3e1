"""What a service asks of a host, judged by its owner's `allow:`. One rule in one place: `validate` and the plan's guard both use it.

FIELD_POWERS says of every field of a profile what power it gives, and which key of `allow:` covers it or why none does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import assert_never

from dtnctl.model.bridges import bridge_subnets, is_within
from dtnctl.model.drivers import HOST_NETWORK
from dtnctl.model.image_names import matches_image
from dtnctl.model.networking import Networks, attachments, is_host_networked, published_ranges, uses_host_ports
from dtnctl.model.nvme_volumes import VolumeTarget
from dtnctl.model.profile import ProfileFields, Volume
from dtnctl.model.site import BUILT_IN_NETWORKS, Allow, Location
from dtnctl.model.storage import storage_of

LOWEST_UNPRIVILEGED_PORT, HIGHEST_PORT = 1024, 65535
DEVICE_FILES = {"rdma_cm": "/dev/infiniband/rdma_cm"}  # words of profiles for devices with one file
# Resource limits that concern the container's own processes; the others (rtprio, nice) take CPU time from everything on the host.
OWN_LIMITS = frozenset(
    {"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nofile", "nproc", "rss", "rttime", "sigpending", "stack"}
)


@dataclass(frozen=True, slots=True)
class Request:
    """Something that only the owner of a host can give: `key` of `allow:` says whether, the profile's field at `location` asked.

    `reason` says more than that it is not among what is allowed; `fix` is empty where only the owner can help.
    """

    code: str
    key: str
    what: str
    location: Location
    is_allowed: bool
    reason: str = ""
    fix: str = ""

    @property
    def field(self) -> str:
        return str(self.location[0])


def refused_requests(allow: Allow, profile: ProfileFields, networks: Networks) -> Iterator[Request]:
    """Everything that the service asks for and the owner does not allow. All networks that the profile names must be known."""
    found = (*_powers(allow, profile), *_host_things(allow, profile), *_connections(allow, profile, networks))
    return (request for request in found if not request.is_allowed)


def is_allowed_foreign_volume(allow: Allow, name: str) -> bool:
    """Whether the owner lets services mount a volume of that name which is there and which somebody else made."""
    return any(fnmatchcase(name, pattern) for pattern in allow.foreign_volumes)


def is_allowed_port(allow: Allow, port: int) -> bool:
    """Whether the owner lets services have the port of the host, of whatever protocol."""
    return any(low <= port <= high for low, high in allowed_ports(allow))


def allowed_ports(allow: Allow) -> tuple[tuple[int, int], ...]:
    """The ranges of host ports that services may have."""
    return ((LOWEST_UNPRIVILEGED_PORT, HIGHEST_PORT),) if allow.ports is None else allow.ports


def export_request(allow: Allow, target: VolumeTarget) -> Request | None:
    """What a volume over NVMe-oF asks of the owner of its target's endpoint; None for a target that dtnctl does not export."""
    field = "device" if target.device is not None else "file"
    backing = target.device or target.file
    if backing is None:
        return None
    is_allowed = any(_matches_first_parts(backing, pattern) for pattern in allow.exports)
    return Request("E0510", "exports", f"the export of {backing}", ("target", field), is_allowed)


# --- powers -------------------------------------------------------------------------------------------------


def _powers(allow: Allow, profile: ProfileFields) -> Iterator[Request]:
    yield Request("E0501", "privileged", "a privileged container", ("privileged",), allow.privileged or not profile.privileged)
    if profile.image is not None:
        is_allowed = allow.images is None or any(matches_image(profile.image, pattern) for pattern in allow.images)
        yield Request("E0502", "images", f"image {profile.image}", ("image",), is_allowed)
    for index, name in enumerate(profile.capabilities.add):
        is_allowed = _is_allowed_capability(name, [_capability(item) for item in allow.capabilities])
        yield Request("E0505", "capabilities", f"capability {name}", ("capabilities", "add", index), is_allowed)
    for name in profile.limits:
        is_allowed = name in OWN_LIMITS if allow.limits is None else name in allow.limits
        yield Request("E0500", "limits", f"the limit {name}", ("limits", name), is_allowed)


def _capability(name: str) -> str:
    return name.upper().removeprefix("CAP_")


def _is_allowed_capability(name: str, patterns: Iterable[str]) -> bool:
    """`ALL` is no name that a pattern such as `A*` could mean."""
    return any(pattern in ("*", "ALL") or (name != "ALL" and fnmatchcase(name, pattern)) for pattern in patterns)


# --- the host's folders, devices and storage ----------------------------------------------------------------


def _host_things(allow: Allow, profile: ProfileFields) -> Iterator[Request]:
    for index, volume in enumerate(profile.volumes):
        yield from _volume(allow, volume, ("volumes", index))
    for index, device in enumerate(profile.devices):
        yield Request("E0504", "devices", f"device {device}", ("devices", index), _is_allowed_device(device, allow.devices))


def _volume(allow: Allow, volume: Volume, location: Location) -> Iterator[Request]:
    if volume.kind == "tmpfs":
        return
    if volume.kind == "nvme":
        yield Request("E0508", "volumes", f"volume {volume.source}", location, not {"nvme", "*"}.isdisjoint(allow.volumes))
        return
    if volume.kind == "bind":
        yield _mount(allow, volume.source or "", location)
        return
    storage = storage_of(volume.driver or "", volume.driver_opts)
    match storage.kind:
        case "disk" | "tmpfs":
            return
        case "folder":
            yield _mount(allow, storage.name, location)
        case "network" | "plugin":
            is_allowed = storage.name in allow.volumes or "*" in allow.volumes
            yield Request("E0508", "volumes", f"a volume of {storage.name} ({volume.source})", location, is_allowed)
        case "unknown":
            fix = "a mount that the owner makes on the host, whose folder `allow.mounts` names; or options of the state reference"
            yield Request("E0508", "volumes", f"volume {volume.source}", location, False, storage.name, fix)
        case _:
            assert_never(storage.kind)


def _mount(allow: Allow, folder: str, location: Location) -> Request:
    return Request("E0503", "mounts", f"the mount of {folder}", location, _is_below(folder, allow.mounts))


def _is_below(path: str, folders: Iterable[str]) -> bool:
    """Whether the path is one of the folders or below it; `..` never helps."""
    parts = PurePosixPath(_one_slash(path))
    return ".." not in parts.parts and any(parts.is_relative_to(_one_slash(folder)) for folder in folders)


def _one_slash(path: str) -> str:
    return re.sub("/+", "/", path)


def _is_allowed_device(text: str, patterns: Iterable[str]) -> bool:
    """A pattern matches part by part, so that `*` stands for no `/`; alone it is any device. A word means the same as its file."""
    path = text.partition(":")[0]
    names = {path, DEVICE_FILES.get(path, path), *(word for word, file in DEVICE_FILES.items() if file == path)}
    return any(pattern == "*" or any(_matches_parts(name, pattern) for name in names) for pattern in patterns)


def _matches_parts(path: str, pattern: str) -> bool:
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(fnmatchcase(part, item) for part, item in zip(parts, wanted, strict=True))


def _matches_first_parts(path: str, pattern: str) -> bool:
    """Whether the path, or a folder that it is in, has the pattern."""
    parts, length = path.split("/"), len(pattern.rstrip("/").split("/"))
    return len(parts) >= length and _matches_parts("/".join(parts[:length]), pattern.rstrip("/"))


# --- networks and ports -------------------------------------------------------------------------------------


def _connections(allow: Allow, profile: ProfileFields, networks: Networks) -> Iterator[Request]:
    if is_host_networked(profile):
        yield _host_network(allow)
    for net in attachments(profile):
        field = "data_nets" if net in profile.data_nets else "mgmt_net"
        location: Location = (field, profile.data_nets.index(net)) if field == "data_nets" else (field,)
        is_allowed = allow.networks is None or any(fnmatchcase(net.name, pattern) for pattern in allow.networks)
        yield Request("E0506", "networks", f"network {net.name}", location, is_allowed)
        for subnet in _routed_subnets(networks, net.name):
            yield Request("E0506", "subnets", f"{subnet} for bridge {net.name}", location, is_within(subnet, allow.subnets))
    for low, high, protocol, field in _host_ports(profile, networks):
        refused = next((port for port in range(low, high + 1) if not is_allowed_port(allow, port)), None)
        yield Request("E0507", "ports", f"port {refused}/{protocol}", (field,), refused is None)
    for low, high, field in _port_choices(profile, networks):
        fix = f"another `{field}`, or an extended `allow.ports`"
        yield Request("E0507", "ports", f"any port from {low} to {high}", (field,), _has_allowed_port(allow, low, high), fix=fix)


def _has_allowed_port(allow: Allow, low: int, high: int) -> bool:
    ranges = allowed_ports(allow)
    return any(first <= high and low <= last for first, last in ranges)


def _routed_subnets(networks: Networks, name: str) -> tuple[str, ...]:
    """What the host itself routes into the network."""
    document = None if name in BUILT_IN_NETWORKS else networks.get(name)
    return () if document is None else tuple(subnet for _, subnet in bridge_subnets(document.value))


def _host_network(allow: Allow) -> Request:
    """It gives every port and every service of the host: no pattern means it, and limited ports exclude it."""
    is_named = allow.networks is not None and HOST_NETWORK in allow.networks
    is_allowed = is_named or (allow.networks is None and allow.ports is None)
    reason = "" if is_allowed or allow.networks is not None else "it has all ports, and `allow.ports` names some"
    return Request("E0506", "networks", "network host", ("mgmt_net",), is_allowed, reason)


def _host_ports(profile: ProfileFields, networks: Networks) -> Iterator[tuple[int, int, str, str]]:
    """Ports of the host that it takes as they are; one that is chosen from a range is chosen among the allowed ones."""
    yield from published_ranges(networks, profile)
    if is_host_networked(profile) and profile.internal_port is not None:
        yield profile.internal_port, profile.internal_port, "tcp", "internal_port"


def _port_choices(profile: ProfileFields, networks: Networks) -> Iterator[tuple[int, int, str]]:
    """Ranges of host ports from which one is chosen, among those that are allowed."""
    if uses_host_ports(networks, profile):
        for field, bounds in (("ctrl_port_range", profile.ctrl_port_range), ("serv_port_range", profile.serv_port_range)):
            if bounds is not None:
                yield *bounds, field


# --- field by field -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldPower:
    """`power`: what the field gives over the host. `keys` of `allow:` cover it; without any, `why` says why none is needed."""

    power: str
    keys: tuple[str, ...] = ()
    why: str = ""


_INSIDE = "stays inside the container"
FIELD_POWERS: dict[str, FieldPower] = {
    "image": FieldPower("Programs that run, from any registry that the host reaches.", ("images",)),
    "volumes": FieldPower(
        "Folders of the host; network file systems and drivers that act as root on the host.",
        ("mounts", "volumes", "foreign_volumes"),
        "Volumes of the engine's own disk and tmpfs that dtnctl makes need no key: they carry storage only. So does a tmpfs; it counts as "
        "memory.",
    ),
    "limits": FieldPower("Real-time priority (`rtprio`, `nice`) takes CPU time from the whole host.", ("limits",)),
    "devices": FieldPower("The host's devices. `uverbs` brings the capability IPC_LOCK and unlimited locked memory with it.", ("devices",)),
    "capabilities": FieldPower("Rights of root; `drop` only takes some away.", ("capabilities",)),
    "privileged": FieldPower("All capabilities, all devices: root on the host, whatever the other keys say.", ("privileged",)),
    "systemd": FieldPower("None.", why="It chooses the signal that stops the container."),
    "env": FieldPower("None.", why=f"It {_INSIDE}; the plan shows the names."),
    "user": FieldPower("None.", why=f"Who may log in {_INSIDE}; the plan shows it."),
    "ssh_keys": FieldPower("None.", why=f"Who may log in {_INSIDE}; the plan shows how many keys."),
    "dns": FieldPower("None.", why=f"It {_INSIDE}."),
    "arguments": FieldPower("None beyond the container's.", why=f"What runs {_INSIDE}; the plan shows it."),
    "entrypoint": FieldPower("None beyond the container's.", why=f"What runs {_INSIDE}; the plan shows it."),
    "memory": FieldPower("All memory of the host, where it is `null`.", why="The default is 8 GiB; the plan shows `no limit`."),
    "cpus": FieldPower("CPU time.", why="The kernel shares it out; the plan shows the number."),
    "near": FieldPower("Whole CPUs that no other session gets.", why="The endpoint's own `reserved_cpus` are never given."),
    "cpu_set": FieldPower("CPU time.", why="The kernel shares it out; the plan shows the CPUs."),
    "memory_nodes": FieldPower("None.", why="It says where the container's memory is."),
    "sysctls": FieldPower("None.", why="The engine sets only those of the container's own namespaces; the plan shows them."),
    "tune_container": FieldPower("None.", why="It repeats what the endpoint's own file says."),
    "qos": FieldPower("None.", why="It shapes what the container itself sends; on the host's network it is refused."),
    "init": FieldPower("None.", why=f"It {_INSIDE}."),
    "tty": FieldPower("None.", why=f"It {_INSIDE}."),
    "shm_size": FieldPower("None.", why="It counts as the container's memory."),
    "restart": FieldPower("None.", why="It says when the engine starts the container again."),
    "stop_timeout": FieldPower("None.", why="It says how long a stop takes."),
    "health_check": FieldPower("None beyond the container's.", why=f"The command {_INSIDE}; the plan shows it."),
    "settle": FieldPower("None.", why="It says how long dtnctl watches a service that has no check."),
    "pull": FieldPower("None.", why="It says when the image is pulled."),
    "mgmt_net": FieldPower("The networks of the host; `host` is all its ports and local services.", ("networks", "subnets", "ports")),
    "data_nets": FieldPower("The networks of the host.", ("networks", "subnets")),
    "default_route": FieldPower("None.", why="It chooses among the networks that it has."),
    "ctrl_port_range": FieldPower("A port of the host.", ("ports",)),
    "internal_port": FieldPower("On the host's network a port of the host; else none.", ("ports",)),
    "serv_port_range": FieldPower("A port of the host.", ("ports",)),
    "data_port_range": FieldPower("Ports of the host.", ("ports",)),
    "exposed_ports": FieldPower("Ports of the host.", ("ports",)),
}
