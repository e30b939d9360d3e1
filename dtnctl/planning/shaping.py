"""How the packets of a service are shaped (`qos:`): set when it differs, taken back when it is not declared any more. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.model.plan import ClearQos, SetQos, Setting
from dtnctl.model.site import ProfileFields
from dtnctl.planning.allocate import Allocation
from dtnctl.planning.compare import Difference, short_text
from dtnctl.planning.resolve import Service

if TYPE_CHECKING:
    from dtn_agent.protocol import HeldQos, Host

SETTINGS = ("rate", "pacing", "delay", "jitter", "loss", "corrupt", "reorder", "ports")
ABILITIES = {"rate": "tbf", "pacing": "fq"}  # what the kernel needs for it; netem for all else


def shaped_address(service: Service, allocation: Allocation) -> str:
    """The service's address on its primary network, where its packets are shaped; empty if only the engine will know it."""
    if not service.nets:
        return ""
    return next((item.ipv4 or item.ipv6 for item in allocation.attachments if item.network == service.nets[0].name), "")


def qos_settings(profile: ProfileFields) -> tuple[Setting, ...]:
    """What is declared, in the agent's names and units; nothing if nothing is."""
    if profile.qos is None:
        return ()
    found = ((name, getattr(profile.qos, name)) for name in SETTINGS)
    return tuple((name, value) for name, value in found if value not in (None, ()))


def lacking(host: Host, settings: tuple[Setting, ...]) -> str:
    """Why the host cannot shape packets so; empty if it can."""
    needed = {ABILITIES.get(name, "netem") for name, _ in settings if name != "ports"}
    return "; ".join(sorted({reason for ability in needed if (reason := host.lacks(ability))}))


def plan_shaping(
    service: Service, allocation: Allocation, host: Host | None, *, is_made: bool
) -> tuple[SetQos | ClearQos | None, tuple[Difference, ...]]:
    """What must be done once the service runs, and how it differs now. `is_made`: its container is made anew in this plan."""
    if host is None:
        return None, ()
    held = next((item for item in host.held.qos if item.container == service.container and item.owner.site == service.site.name), None)
    settings = qos_settings(service.profile)
    if not settings:
        return (ClearQos(service.container), _differences(held, ())) if held is not None else (None, ())
    address = shaped_address(service, allocation)
    action = SetQos(service.container, service.session.name, service.nets[0].name, address, settings)
    differences = _differences(held, settings)
    is_right = held is not None and held.address == address and not differences
    if is_right and not (is_made or (held is not None and held.now is None and service.wants_running)):
        return None, ()
    return action, differences or (() if is_made else (Difference("qos", "not in force", _text(settings), forces_replace=False),))


def _differences(held: HeldQos | None, settings: tuple[Setting, ...]) -> tuple[Difference, ...]:
    wanted = dict(settings)
    before = {name: getattr(held.now or held.wanted, name) for name in SETTINGS} if held is not None else {}
    return tuple(
        Difference(f"qos.{name}", short_text(before.get(name)), short_text(wanted.get(name)), forces_replace=False)
        for name in SETTINGS
        if (before.get(name) or None) != (wanted.get(name) or None)
    )


def _text(settings: tuple[Setting, ...]) -> str:
    return ", ".join(f"{name} {short_text(value)}" for name, value in settings)
