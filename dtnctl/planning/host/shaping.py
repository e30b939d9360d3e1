"""How the packets of a service are shaped (`qos:`): set when it differs, cleared when it is not declared any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dtnctl.model.actions import HostRequest
from dtnctl.model.plan import Cause, Change, Step
from dtnctl.model.profile import ProfileFields
from dtnctl.model.qos import qos_values
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.containers.compare import Difference, short_text
from dtnctl.planning.containers.host_part import NO_PART, HostPart, HostStep
from dtnctl.planning.host.resource import HostResource, Planned, PlannedHost, PlannedService
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service
from dtnctl.planning.step_ids import qos_id

if TYPE_CHECKING:
    from dtn_agent.protocol import Held, Host, Owner
    from dtn_agent.protocol.qos import HeldQos

Setting = tuple[str, int | float | tuple[int, ...] | tuple[str, ...]]
ABILITIES = {
    "rate": "tbf",
    "pacing": "fq",
    "ports": "ports",
    "destinations": "destinations",
}  # what the kernel needs for it; netem for all else


class Shaping(HostResource):
    """On the interface with the service's address, of which the agent holds how it is shaped."""

    def owners(self, held: Held) -> Iterable[Owner]:
        return (item.owner for item in held.qos)

    def for_service(self, here: PlannedHost, planned: PlannedService) -> HostPart:
        service = planned.service
        ours = [item for item in here.host.held.qos if item.container == service.container and item.owner.site == service.site.name]
        refusal = _refusal(service, planned.allocation, here.host)
        if refusal is not None:
            return HostPart(refusals=(refusal,))
        settings = _qos_settings(service.profile)
        if settings:
            return _part(planned, ours, settings, _shaped_address(service, planned.allocation))
        if ours:
            return HostPart(running=(_clear(service.site.name, service.container),), differences=_differences(ours[0], ()))
        return NO_PART

    def release(self, here: PlannedHost, session: str, container: str) -> Iterable[HostStep]:
        del session
        if any(held.container == container for held in here.host.held.qos):
            yield _clear(here.site.name, container)

    def beside(self, here: PlannedHost, steps: tuple[Step, ...]) -> Iterable[Planned]:
        """Forget how containers of sessions that are gone were shaped, together with their containers."""
        del steps
        held = {item.container: item for item in sorted(here.host.held.qos, key=lambda item: (item.container, item.address))}
        return (_plan_forgotten(here.name, item) for item in held.values() if here.is_forgotten(item.owner))


def _shaped_address(service: Service, allocation: Allocation) -> str:
    """The service's address on its primary network, where its packets are shaped; empty if only the engine will know it."""
    if not service.nets:
        return ""
    return next((item.ipv4 or item.ipv6 for item in allocation.attachments if item.network == service.nets[0].name), "")


def _qos_settings(profile: ProfileFields) -> tuple[Setting, ...]:
    """What is declared, in the agent's names and units; nothing if nothing is."""
    found = qos_values(profile.qos).items() if profile.qos is not None else ()
    return tuple((name, value) for name, value in found if value is not None and value != ())


def _refusal(service: Service, allocation: Allocation, host: Host) -> Refusal | None:
    """Why the service's packets cannot be shaped as declared: the kernel cannot, or it is not known yet on which interface."""
    settings = _qos_settings(service.profile)
    needed = sorted({ABILITIES.get(name, "netem") for name, _ in settings})
    lacks = [f"{ability} ({reason})" for ability in needed if (reason := host.lacks(ability))]
    if lacks:
        text = f"{service.endpoint.name} cannot apply this qos: {', '.join(lacks)}"
        return Refusal("E0478", service.cause(text, "qos"), "a kernel with it, or less of `qos`")
    if settings and not _shaped_address(service, allocation):
        text = "packets are shaped on the interface with the service's address, and that is left to the engine"
        return Refusal("E0478", service.cause(text, "qos"), "a data network, or `addresses:` in the network's file")
    return None


def _part(planned: PlannedService, ours: list[HeldQos], settings: tuple[Setting, ...], address: str) -> HostPart:
    """Set what is declared once the service runs, if something else is in force, or nothing in a container that is created."""
    service, is_new = planned.service, planned.is_new
    network = service.nets[0].name
    held = next((item for item in ours if item.owner.network == network), None)
    moved = [Difference("qos.network", item.owner.network, network, forces_replace=False) for item in ours if item is not held]
    differences = (*moved, *_differences(held or next(iter(ours), None), settings))
    is_right = held is not None and held.address == address and not differences
    if is_right and not (is_new or (held is not None and held.now is None and service.wants_running)):
        return NO_PART
    if not differences and not is_new:
        differences = (Difference("qos", "not in force", _text(settings), forces_replace=False),)
    return HostPart(running=(_shape(service, network, address, settings),), differences=differences)


def _shape(service: Service, network: str, address: str, settings: tuple[Setting, ...]) -> HostStep:
    from dtn_agent.protocol.qos import SetQos

    owner = {"site": service.site.name, "session": service.session.name, "network": network}
    asked = SetQos.model_validate({**owner, "container": service.container, "address": address, **dict(settings)})
    return HostStep("qos", service.container, HostRequest(asked, "shape", f"{service.container} on {network}"))


def _clear(site: str, container: str) -> HostStep:
    from dtn_agent.protocol.qos import ClearQos

    return HostStep("qos", container, HostRequest(ClearQos(site=site, container=container), "stop shaping", container))


def _plan_forgotten(endpoint: str, held: HeldQos) -> Planned:
    step = Step(qos_id(endpoint, held.container), endpoint, _clear(held.owner.site, held.container).action)
    change = Change(
        mark="destroy",
        kind="tuning",
        name=held.container,
        endpoint=endpoint,
        cause=Cause(f"it is kept for session {held.owner.session}, which is not here any more"),
        summary=f"forgets how {held.container} is shaped",
        steps=(step.id,),
    )
    return change, (step,)


def _differences(held: HeldQos | None, settings: tuple[Setting, ...]) -> tuple[Difference, ...]:
    wanted = dict(settings)
    before = (held.now or held.wanted).model_dump() if held is not None else {}
    return tuple(
        Difference(f"qos.{name}", short_text(before.get(name)), short_text(wanted.get(name)), forces_replace=False)
        for name in sorted(before.keys() | wanted.keys())
        if (before.get(name) or None) != (wanted.get(name) or None)
    )


def _text(settings: tuple[Setting, ...]) -> str:
    return ", ".join(f"{name} {short_text(value)}" for name, value in settings)
