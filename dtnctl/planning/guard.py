"""Says no: the host owner's `allow:`, names that somebody else holds, what needs an agent, and the prune budget. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from dtnctl.model.plan import Cause
from dtnctl.model.resources import EndpointSeen, PortBinding
from dtnctl.model.site import BUILT_IN_NETWORKS
from dtnctl.planning.allocate import LOWEST_UNPRIVILEGED_PORT, Allocation, Refusal
from dtnctl.planning.resolve import Service
from dtnctl.planning.specs import container_spec, default_route_of, engine_default_route


def refuse_service(service: Service, allocation: Allocation, seen: EndpointSeen) -> Refusal | None:
    """The first reason why this service must not be made, or None."""
    return next(_refusals(service, allocation, seen), None)


def _refusals(service: Service, allocation: Allocation, seen: EndpointSeen) -> Iterator[Refusal]:
    yield from _needs_agent(service)
    yield from _not_allowed(service, allocation)
    yield from _held_by_others(service, seen)
    yield from _image_absent(service, seen)
    yield from _wrong_default_route(service)


def _needs_agent(service: Service) -> Iterator[Refusal]:
    if "uverbs" in service.profile.devices:
        yield Refusal("E0451", service.cause("device uverbs needs the endpoint's agent, which tells whose VF it is", "devices"))
    for net in service.nets:
        if net.name not in BUILT_IN_NETWORKS and service.site.networks[net.name].value.driver == "sriov":
            text = f"network {net.name} is sriov, which needs the endpoint's agent"
            yield Refusal("E0450", service.cause(text, "data_nets"), "driver: macvlan, or wait for the agent")


def _not_allowed(service: Service, allocation: Allocation) -> Iterator[Refusal]:
    """Each refusal cites the owner's line in the endpoint's file."""
    allow = service.endpoint.value.allow
    if service.profile.privileged and not allow.privileged:
        yield _owner_says_no(service, "privileged", "E0401", "a privileged container")
    if allow.images is not None and not _matches(service.image, allow.images):
        yield _owner_says_no(service, "images", "E0402", f"image {service.image}")
    for source in (volume.source or "" for volume in service.profile.volumes if volume.kind == "bind"):
        if not _is_below(source, allow.mounts):
            yield _owner_says_no(service, "mounts", "E0403", f"the mount of {source}")
    for device in service.profile.devices:
        if not _matches(device.partition(":")[0], allow.devices):
            yield _owner_says_no(service, "devices", "E0404", f"device {device}")
    yield from _capabilities_not_allowed(service)
    yield from _networks_not_allowed(service)
    ports = (binding for binding in container_spec(service, allocation).ports if not _is_allowed_port(binding, allow.ports))
    for binding in ports:
        yield _owner_says_no(service, "ports", "E0407", f"port {binding.host}/{binding.protocol}")


def _capabilities_not_allowed(service: Service) -> Iterator[Refusal]:
    allowed = tuple(name.upper().removeprefix("CAP_") for name in service.endpoint.value.allow.capabilities)
    for name in service.profile.capabilities.add:
        if not _matches(name.upper().removeprefix("CAP_"), allowed):
            yield _owner_says_no(service, "capabilities", "E0405", f"capability {name}")


def _networks_not_allowed(service: Service) -> Iterator[Refusal]:
    patterns = service.endpoint.value.allow.networks
    for name in ("host",) if service.is_host_networked else tuple(net.name for net in service.nets):
        if patterns is not None and not _matches(name, patterns):
            yield _owner_says_no(service, "networks", "E0406", f"network {name}")


def _owner_says_no(service: Service, key: str, code: str, what: str) -> Refusal:
    endpoint = service.endpoint
    mark = endpoint.mark(("allow", key))
    text = f"the owner of {endpoint.name} does not allow {what}, asked for at {service.place(_ASKED_BY[key])}"
    return Refusal(code, Cause(text, endpoint.file, mark.line, f"allow.{key}"), f"ask the owner to extend allow.{key} in {endpoint.file}")


_ASKED_BY = {
    "privileged": "privileged",
    "images": "image",
    "mounts": "volumes",
    "devices": "devices",
    "capabilities": "capabilities",
    "networks": "data_nets",
    "ports": "ctrl_port_range",
}


def _matches(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    """Whether the path is one of the folders or below it; `..` never helps."""
    parts = PurePosixPath(path)
    return ".." not in parts.parts and any(parts.is_relative_to(folder) for folder in folders)


def _is_allowed_port(binding: PortBinding, ranges: tuple[tuple[int, int], ...] | None) -> bool:
    if ranges is None:
        return binding.host >= LOWEST_UNPRIVILEGED_PORT
    return any(low <= binding.host <= high for low, high in ranges)


def _held_by_others(service: Service, seen: EndpointSeen) -> Iterator[Refusal]:
    if any(container.name == service.container for container in seen.foreign):
        text = f"a container named {service.container} on {seen.name} is not ours"
        yield Refusal("E0420", service.cause(text, "endpoints"), "another session name, or remove that container")
    foreign = {network.name for network in seen.foreign_networks}
    for net in service.nets:
        if net.name in foreign and net.name not in BUILT_IN_NETWORKS:
            document = service.site.networks[net.name]
            text = f"a network named {net.name} on {seen.name} is not ours"
            yield Refusal("E0421", Cause(text, document.file, document.mark().line), "another network name, or remove that network")


def _image_absent(service: Service, seen: EndpointSeen) -> Iterator[Refusal]:
    if service.profile.pull == "never" and seen.images.get(service.image) is None:
        text = f"image {service.image} is not on {seen.name} and `pull: never`"
        yield Refusal("E0430", service.cause(text, "pull"), "pull: missing")


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
