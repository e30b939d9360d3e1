"""Says no: the host owner's `allow:`, names that somebody else holds, a default route that would be wrong, the prune budget. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dtnctl.model.permission import refused_requests
from dtnctl.model.plan import Cause
from dtnctl.model.resources import EndpointSeen
from dtnctl.model.storage import without_secrets
from dtnctl.planning.machine_limits import beyond_machine
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service
from dtnctl.planning.specs import default_route_of, engine_default_route
from dtnctl.planning.strangers import refuse_held


def refuse_service(service: Service, seen: EndpointSeen | None) -> tuple[Refusal, ...]:
    """Every reason why this service must not be. `seen` None: its endpoint does not answer."""
    return tuple(_refusals(service, seen))


def _refusals(service: Service, seen: EndpointSeen | None) -> Iterator[Refusal]:
    yield from _not_allowed(service)
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
        text += f": {request.reason}" * bool(request.reason)
        cause = Cause(text, endpoint.file, endpoint.mark(("allow", request.key)).line, f"allow.{request.key}")
        yield Refusal(request.code, cause, request.fix or f"ask the owner to extend allow.{request.key} in {endpoint.file}")


# --- what cannot be -----------------------------------------------------------------------------------------


def _other_volumes(service: Service, seen: EndpointSeen) -> Iterator[Refusal]:
    """The engine takes a volume that is there as it is, whatever options are asked for; so it must be what is declared."""
    for index, volume in enumerate(service.profile.volumes):
        found = seen.volumes.get(volume.source or "") if volume.kind == "volume" else None
        if found is not None and found.trouble:
            text = f"the engine of {seen.name} does not show the volume {found.name}: {found.trouble}"
            yield Refusal("E0533", service.cause(text, "volumes"), "to look at that engine")
        elif found is not None and (found.driver, dict(found.options)) != (volume.driver or "local", dict(volume.driver_opts)):
            asked, options = service.place_of(("volumes", index)), _options_text(dict(found.options))
            text = f"the volume {found.name} on {seen.name} is not as declared at {asked}: it has driver {found.driver}, options {options}"
            fix = f"another name for the volume, the same options, or `docker volume rm {found.name}` there if what is in it may go"
            yield Refusal("E0509", service.cause(text, "volumes"), fix)


def _options_text(options: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(without_secrets(options).items())) or "none"


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
