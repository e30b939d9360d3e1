"""Says no: the host owner's `allow:`, names that somebody else holds, a default route that would be wrong, the prune budget. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from dtnctl.model.plan import Cause
from dtnctl.model.resources import EndpointSeen, live_names
from dtnctl.model.site import BUILT_IN_NETWORKS
from dtnctl.planning.allocate import is_allowed_port
from dtnctl.planning.machine_limits import beyond_machine
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service
from dtnctl.planning.specs import default_route_of, engine_default_route


def refuse_service(service: Service, seen: EndpointSeen | None) -> Refusal | None:
    """The first reason why this service must not be, or None. `seen` None: its endpoint does not answer."""
    return next(_refusals(service, seen), None)


def _refusals(service: Service, seen: EndpointSeen | None) -> Iterator[Refusal]:
    yield from _not_allowed(service)
    yield from _wrong_default_route(service)
    if seen is not None:
        yield from beyond_machine(service, seen)
        yield from _held_by_others(service, seen)


def refuse_absent_image(service: Service, seen: EndpointSeen) -> Refusal | None:
    """For a service that needs a new container: an image that may not be pulled must be there."""
    if service.profile.pull != "never" or seen.images.get(service.image) is not None:
        return None
    text = f"image {service.image} is not on {seen.name} and `pull: never`"
    return Refusal("E0430", service.cause(text, "pull"), "pull: missing")


# --- the owner's guard rails --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """Something that only the owner of a host can give: `key` of `allow:` says whether; `field` of the profile asked."""

    code: str
    key: str
    what: str
    field: str
    is_allowed: bool


def _not_allowed(service: Service) -> Iterator[Refusal]:
    """Each refusal cites the owner's line in the endpoint's file."""
    for request in (*_powers(service), *_host_things(service), *_connections(service)):
        if not request.is_allowed:
            yield _owner_says_no(service, request)


def _powers(service: Service) -> Iterator[Request]:
    allow, profile = service.endpoint.value.allow, service.profile
    yield Request("E0501", "privileged", "a privileged container", "privileged", allow.privileged or not profile.privileged)
    yield Request("E0502", "images", f"image {service.image}", "image", allow.images is None or _matches(service.image, allow.images))
    allowed = tuple(name.upper().removeprefix("CAP_") for name in allow.capabilities)
    for name in profile.capabilities.add:
        is_allowed = _matches(name.upper().removeprefix("CAP_"), allowed)
        yield Request("E0505", "capabilities", f"capability {name}", "capabilities", is_allowed)


def _host_things(service: Service) -> Iterator[Request]:
    allow = service.endpoint.value.allow
    for folder in _host_folders(service):
        yield Request("E0503", "mounts", f"the mount of {folder}", "volumes", _is_below(folder, allow.mounts))
    for device in service.profile.devices:
        path = device.partition(":")[0]
        is_allowed = ".." not in path.split("/") and _matches(path, allow.devices)
        yield Request("E0504", "devices", f"device {device}", "devices", is_allowed)


def _connections(service: Service) -> Iterator[Request]:
    patterns = service.endpoint.value.allow.networks
    for name in ("host",) if service.is_host_networked else tuple(net.name for net in service.nets):
        yield Request("E0506", "networks", f"network {name}", service.field_of(name), patterns is None or _matches(name, patterns))
    for low, high, protocol, field in service.published:
        refused = next((port for port in range(low, high + 1) if not is_allowed_port(service, port)), None)
        yield Request("E0507", "ports", f"port {refused}/{protocol}", field, refused is None)


def _owner_says_no(service: Service, request: Request) -> Refusal:
    endpoint, key = service.endpoint, request.key
    text = f"the owner of {endpoint.name} does not allow {request.what}, asked for at {service.place(request.field)}"
    cause = Cause(text, endpoint.file, endpoint.mark(("allow", key)).line, f"allow.{key}")
    return Refusal(request.code, cause, f"ask the owner to extend allow.{key} in {endpoint.file}")


SAFE_VOLUME_TYPES = frozenset({"tmpfs", "nfs", "nfs4", "cifs"})  # no folder of the host is in them


def _host_folders(service: Service) -> Iterator[str]:
    """Folders of the host that the service gets. A named volume of the local driver can be a bind mount or an overlay in disguise:
    then its `device` counts, or the whole host where its options name further folders."""
    for volume in service.profile.volumes:
        if volume.kind == "bind":
            yield volume.source or ""
        elif volume.driver in (None, "local") and volume.driver_opts.get("type", "none") not in SAFE_VOLUME_TYPES:
            device, options = volume.driver_opts.get("device", ""), volume.driver_opts.get("o", "")
            if volume.driver_opts:
                yield device if device.startswith("/") and "dir=" not in options else "/"


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    """Whether the path is one of the folders or below it; `..` never helps."""
    parts = PurePosixPath(path)
    return ".." not in parts.parts and any(parts.is_relative_to(folder) for folder in folders)


# --- what cannot be -----------------------------------------------------------------------------------------


def _held_by_others(service: Service, seen: EndpointSeen) -> Iterator[Refusal]:
    names = {container.name for container in seen.foreign}
    for name in live_names(service.container):
        if name in names:
            text = f"a container named {name} on {seen.name} is not ours"
            yield Refusal("E0420", service.cause(text, "endpoints"), "another session name, or remove that container")
    foreign = {network.name for network in seen.foreign_networks} - set(BUILT_IN_NETWORKS)
    for net in service.nets:
        if net.name in foreign:
            document = service.site.networks[net.name]
            text = f"a network named {net.name} on {seen.name} is not ours"
            yield Refusal("E0421", Cause(text, document.file, document.mark().line), "another network name, or remove that network")


def _wrong_default_route(service: Service) -> Iterator[Refusal]:
    """Docker chooses by network name. Where it would choose wrong, published ports would be dead: better said before."""
    wanted, chosen = default_route_of(service), engine_default_route(service)
    if wanted != chosen:
        text = (
            f"the default route should be on {wanted}, but Docker takes the first network by name and would put it on {chosen}; "
            "published ports would not answer"
        )
        fix = f"`default_route: false` in state/networks/{chosen}.yaml, or another name for it"
        yield Refusal("E0460", service.cause(text, "default_route"), fix)


def prune_limit(max_prune: int | str, owned: int) -> int:
    """How many of the owned sessions one apply may remove; one is always allowed."""
    text = str(max_prune)
    limit = owned * int(text[:-1]) // 100 if text.endswith("%") else int(text)
    return max(1, limit)
