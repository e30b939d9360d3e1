"""Says no: the host owner's `allow:`, names that somebody else holds, a default route that would be wrong, the prune budget. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dtnctl.model.drivers import BUILT_IN
from dtnctl.model.permission import is_allowed_foreign_volume, refused_requests
from dtnctl.model.plan import Cause
from dtnctl.model.resources import EndpointSeen
from dtnctl.model.site import Location
from dtnctl.model.storage import as_made, without_secrets
from dtnctl.planning.containers.lacking import refuse_lacking
from dtnctl.planning.containers.specs import default_route_of, engine_default_route
from dtnctl.planning.machine_limits import beyond_machine
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service
from dtnctl.planning.strangers import refuse_held


def refuse_service(service: Service, seen: EndpointSeen | None) -> tuple[Refusal, ...]:
    """Every reason why this service must not be. `seen` None: its endpoint does not answer."""
    return tuple(_refusals(service, seen))


def _refusals(service: Service, seen: EndpointSeen | None) -> Iterator[Refusal]:
    yield from _not_allowed(service)
    yield from refuse_lacking(service)
    yield from _wrong_default_route(service)
    if seen is not None:
        yield from beyond_machine(service, seen)
        yield from refuse_held(service, seen)
        yield from _other_volumes(service, seen)


def refuse_absent_image(service: Service, seen: EndpointSeen) -> Refusal | None:
    """For a service that needs a new container: an image that may not be pulled must be there."""
    if service.profile.pull != "never" or seen.images.get(service.image) is not None:
        return None
    text = f"image {service.image} is not on {seen.name} and `pull: never`"
    return Refusal("E0430", service.cause(text, "pull"), "pull: missing")


# --- the owner's guard rails --------------------------------------------------------------------------------


def _not_allowed(service: Service) -> Iterator[Refusal]:
    """Each refusal cites the owner's line in the endpoint's file."""
    endpoint = service.endpoint
    for request in refused_requests(endpoint.value.allow, service.profile, service.site.networks):
        text = f"the owner of {endpoint.name} does not allow {request.what}, asked for at {service.place_of(request.location)}"
        text += f": {request.reason}" if request.reason else ""
        cause = Cause(text, endpoint.file, endpoint.mark(("allow", request.key)).line, f"allow.{request.key}")
        yield Refusal(request.code, cause, request.fix or f"ask the owner to extend allow.{request.key} in {endpoint.file}")


# --- what cannot be -----------------------------------------------------------------------------------------


def _other_volumes(service: Service, seen: EndpointSeen) -> Iterator[Refusal]:
    """The engine takes a volume that is there as it is, whatever options are asked for; so it must be what is declared."""
    for index, volume in enumerate(service.profile.volumes):
        found = seen.volumes.get(volume.source or "") if volume.kind == "volume" else None
        if found is None:
            continue
        driver, options = volume.driver or "local", as_made(volume.driver or "", volume.driver_opts)
        if found.trouble:
            text = f"the engine of {seen.name} does not show the volume {found.name}: {found.trouble}"
            yield Refusal("E0533", service.cause(text, "volumes"), "to look at that engine")
        elif (found.driver, dict(found.options)) != (driver, dict(options)):
            asked = service.place_of(("volumes", index))
            has, wanted = _volume_text(found.driver, dict(found.options)), _volume_text(driver, options)
            text = f"the volume {found.name} on {seen.name} is not as declared at {asked}: it has {has}; it should have {wanted}"
            removal = f"{service.backend.remove_volume} {found.name}"
            fix = f"another name for the volume, the same options, or `{removal}` there if what is in it may go"
            yield Refusal("E0509", service.cause(text, "volumes"), fix)
        elif not (found.is_ours or _is_in_use(seen, found.name) or is_allowed_foreign_volume(service.endpoint.value.allow, found.name)):
            yield _foreign_volume(service, found.name, ("volumes", index))


def _is_in_use(seen: EndpointSeen, volume: str) -> bool:
    """Whether a container of ours has it: that is how volumes are known that an older dtnctl made, without labels."""
    return any(mount.kind == "volume" and mount.source == volume for item in seen.containers for mount in item.spec.mounts)


def _foreign_volume(service: Service, name: str, location: Location) -> Refusal:
    """A volume of another application is its data, as a folder of the host is."""
    endpoint, key = service.endpoint, "foreign_volumes"
    text = f"the owner of {endpoint.name} does not allow volume {name}, which is there already and not made by dtnctl for this site"
    text += f", asked for at {service.place_of(location)}"
    cause = Cause(text, endpoint.file, endpoint.mark(("allow", key)).line, f"allow.{key}")
    return Refusal("E0508", cause, f"another name for the volume, or ask the owner to extend allow.{key} in {endpoint.file}")


def _volume_text(driver: str, options: Mapping[str, str]) -> str:
    return f"driver {driver}, options {_options_text(options)}"


def _options_text(options: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(without_secrets(options).items())) or "none"


def _wrong_default_route(service: Service) -> Iterator[Refusal]:
    """Engines choose by rules of their own. Where one would choose wrong, published ports would be dead: better said before."""
    backend, wanted, chosen = service.backend, default_route_of(service), engine_default_route(service)
    if wanted != chosen:
        place = f"would put it on {chosen}" if chosen else "could put it on another one"
        text = f"the default route should be on {wanted}, but {backend.name} {backend.routed_rule} and {place}"
        cause = service.cause(f"{text}; published ports would not answer", "default_route")
        yield Refusal("E0460", cause, _route_fix(wanted, chosen))


def _route_fix(wanted: str, chosen: str) -> str:
    """Only what is declared can get another name or give up its route; an engine's own network cannot."""
    if not chosen:
        return f"another name for {wanted}, or `default_route: false` in the networks that begin like it"
    if chosen in BUILT_IN:
        return f"`default_route: {chosen}`, or a network of state/networks in place of {chosen}, with a name that comes after {wanted}"
    return f"`default_route: false` in state/networks/{chosen}.yaml, or another name for it"


def prune_limit(max_prune: int | str, owned: int) -> int:
    """How many of the owned sessions one apply may remove; one is always allowed."""
    text = str(max_prune)
    limit = owned * int(text[:-1]) // 100 if text.endswith("%") else int(text)
    return max(1, limit)
