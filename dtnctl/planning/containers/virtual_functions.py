"""What must be done to virtual functions: which are made, set and given back, and how they differ from what is wanted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.model.plan import Cause, Change, FieldChange, HostRequest, Step
from dtnctl.model.resources import ContainerSeen
from dtnctl.planning.choices.hardware import Hardware
from dtnctl.planning.choices.physical_functions import PfPlan
from dtnctl.planning.choices.virtual_functions import VfChoice
from dtnctl.planning.containers.compare import Difference, short_text
from dtnctl.planning.containers.host_part import HostStep
from dtnctl.planning.resolve import Service
from dtnctl.planning.step_ids import count_id, release_id
from dtnctl.values import dataclass

if TYPE_CHECKING:
    from dtn_agent.protocol import HeldPf, HeldVf, Host

SETTINGS = ("mac", "vlan", "vlan_priority", "trust", "spoofchk", "min_rate", "max_rate", "mtu")  # in the order that a plan names them
GIVEN_BACK = "given back"
AT_REST = frozenset({"mac", "mtu", "vf"})  # what the interface itself has: it cannot be changed while it is in a container


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """What is done to the functions of one service.

    `must_stop`: the container must not run while they are set. `is_drift`: what differs, if anything, was as it should be once, so
    that something changed it on the host.
    """

    to_set: tuple[HostStep, ...] = ()
    to_release: tuple[HostStep, ...] = ()
    must_stop: bool = False
    is_drift: bool = True


NO_FUNCTIONS = FunctionPlan()


def differences(choice: VfChoice) -> tuple[Difference, ...]:
    """How a function differs from what it should be; one that is not there or not held for it differs as a whole."""
    held, pci = choice.held, choice.pci
    if held is None:
        return (_difference(choice.network, "vf", "none", pci),)
    if not choice.exists:
        return (_difference(choice.network, "vf", f"{pci} (gone)", pci),)
    found = []
    if held.owner.network != choice.network:
        found.append(_difference(choice.network, "vf", f"{pci} (for {held.owner.network})", pci))
    for name in SETTINGS:
        value, asked = getattr(choice.settings, name), getattr(held.wanted, name)
        live = getattr(held.now, name) if held.now is not None else None
        seen = asked if live is None else live
        if (value is not None and seen != value) or (value is None and asked is not None):
            after = "as found" if value is None else short_text(value)
            found.append(_difference(choice.network, name, short_text(seen), after))
    return tuple(found)


def _difference(network: str, field: str, before: str, after: str) -> Difference:
    return Difference(f"{network}.{field}", before, after, forces_replace=False, network=network)


def plan_functions(
    service: Service, hardware: Hardware, host: Host | None, seen: ContainerSeen | None, *, is_new: bool
) -> tuple[FunctionPlan, tuple[Difference, ...]]:
    """What must be done to the functions of one service. `is_new`: its container is made anew, so that nothing is in their way."""
    if host is None:
        return NO_FUNCTIONS, ()
    found = [(choice, items) for choice in hardware.vfs if (items := differences(choice))]
    changed = [choice for choice, _ in found]
    kept = {(choice.settings.pf, choice.settings.index) for choice in hardware.vfs}
    released = [held for held in held_by(host, service.site.name, service.session.name) if (held.pf, held.index) not in kept]
    inside = {item.vf for item in seen.spec.attachments} if seen is not None else set()
    at_rest = (choice for choice, items in found if any(item.field.rpartition(".")[2] in AT_REST for item in items))
    waits = tuple(sorted({step_id for choice in changed for step_id in choice.needs}))
    plan = FunctionPlan(
        to_set=tuple(_configure(choice, service.container, waits) for choice in changed),
        to_release=tuple(release(held) for held in released),
        must_stop=not is_new and any(choice.pci in inside for choice in at_rest),
        is_drift=not released and all(_was_set(choice) for choice in changed),
    )
    given_back = (_difference(held.owner.network, "vf", held.pci, GIVEN_BACK) for held in released)
    return plan, (*(item for _, items in found for item in items), *given_back)


def _configure(choice: VfChoice, container: str, waits: tuple[str, ...]) -> HostStep:
    request = HostRequest(choice.settings, "set", f"virtual function {choice.pci}")
    return HostStep(f"vf.{choice.network}", container, request, waits)


def release(held: HeldVf) -> HostStep:
    """Give a function back as it was found."""
    from dtn_agent.protocol import ReleaseVf

    asked = ReleaseVf(site=held.owner.site, pf=held.pf, index=held.index)
    note = f"virtual function {held.pci} of {held.pf} is given back as it was found"
    return HostStep("release", held.pci, HostRequest(asked, "give back", f"virtual function {held.pci}"), note=note)


def _count(site: str, pf: str, count: int) -> HostRequest:
    from dtn_agent.protocol import SetVfCount

    return HostRequest(SetVfCount(site=site, pf=pf, count=count), "make", f"{count} virtual functions of {pf}")


def _was_set(choice: VfChoice) -> bool:
    """Whether the agent was asked for just these settings; one that it does not know of any more was, or there were no container."""
    held = choice.held
    return held is None or all(getattr(held.wanted, name) == getattr(choice.settings, name) for name in SETTINGS)


def held_by(host: Host, site: str, session: str) -> Iterator[HeldVf]:
    """The functions that the ledger has for a session of the site, in order."""
    found = (item for item in host.held.vfs if (item.owner.site, item.owner.session) == (site, session))
    return iter(sorted(found, key=lambda item: (item.pf, item.index)))


def plan_count(site: str, endpoint: str, pf: PfPlan, cause: Cause) -> tuple[Change, Step]:
    """Make the functions of an interface."""
    step = Step(count_id(endpoint, pf.name), endpoint, _count(site, pf.name, pf.count), pf.waits)
    change = Change(
        mark="create" if not pf.current else "update",
        kind="vfs",
        name=pf.name,
        endpoint=endpoint,
        cause=cause,
        summary=f"makes {pf.count} virtual functions on {pf.name}",
        fields=(FieldChange("virtual functions", str(pf.current), str(pf.count), False, cause),),
        steps=(step.id,),
        is_drift=pf.is_drift,
    )
    return change, step


def plan_no_more(endpoint: str, held: HeldPf, needs: tuple[str, ...]) -> tuple[Change, Step]:
    """Give an interface back as it was found, when nothing declares functions on it any more; `needs` release the last ones."""
    interface = held.pf
    step = Step(count_id(endpoint, interface), endpoint, _count(held.site, interface, 0), needs)
    cause = Cause("nothing asks for them any more, and nobody has one")
    change = Change(
        mark="destroy",
        kind="vfs",
        name=interface,
        endpoint=endpoint,
        cause=cause,
        summary=f"gives {interface} back with {held.found} virtual functions, as it was found",
        fields=(FieldChange("virtual functions", str(held.wanted), str(held.found), False, cause),),
        steps=(step.id,),
    )
    return change, step


def plan_forgotten(endpoint: str, held: HeldVf) -> tuple[Change, Step]:
    """Give back a function whose session is gone, together with its container."""
    step = Step(release_id(endpoint, held.pci), endpoint, release(held).action)
    change = Change(
        mark="destroy",
        kind="vfs",
        name=held.pf,
        endpoint=endpoint,
        cause=Cause(f"it is held for session {held.owner.session}, which is not here any more"),
        summary=f"gives virtual function {held.pci} of {held.pf} back as it was found",
        steps=(step.id,),
    )
    return change, step
