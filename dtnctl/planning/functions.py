"""What must be done to virtual functions: which are made, set and given back, and how they differ from what is wanted. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dtnctl.model.plan import Cause, Change, ConfigureVf, FieldChange, ReleaseVf, SetVfCount, Step
from dtnctl.planning.compare import Difference, short_text
from dtnctl.planning.hardware import Hardware, PfPlan, VfChoice
from dtnctl.planning.resolve import Service

if TYPE_CHECKING:
    from dtn_agent.protocol import HeldPf, HeldVf, Host

# our field, the agent's
SETTINGS = (
    ("mac", "mac"),
    ("vlan", "vlan"),
    ("vlan_priority", "qos"),
    ("trust", "trust"),
    ("spoofchk", "spoofchk"),
    ("min_rate", "min_rate"),
    ("max_rate", "max_rate"),
    ("mtu", "mtu"),
)
AT_REST = frozenset({"mac", "mtu"})  # what the interface itself has: it cannot be changed while it is in a container


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """`waits` are the steps that make functions; `must_stop`: the container must not run while they are set.

    `is_drift`: what differs, if anything, was as it should be once, so that something changed it on the host.
    """

    to_set: tuple[ConfigureVf, ...] = ()
    to_release: tuple[ReleaseVf, ...] = ()
    waits: tuple[str, ...] = ()
    must_stop: bool = False
    is_drift: bool = True


NO_FUNCTIONS = FunctionPlan()


def count_step_id(endpoint: str, interface: str) -> str:
    return f"{endpoint}/vfs/{interface}"


def differences(choice: VfChoice) -> tuple[Difference, ...]:
    """How a function differs from what it should be. One that we do not hold yet differs as a whole."""
    if choice.held is None:
        return (Difference(f"{choice.network}.vf", "none", choice.settings.pci, forces_replace=False),)
    found = []
    for ours, theirs in SETTINGS:
        value, asked = getattr(choice.settings, ours), getattr(choice.held.wanted, theirs)
        live = getattr(choice.held.now, theirs) if choice.held.now is not None else None
        seen = asked if live is None else live
        if (value is not None and seen != value) or (value is None and asked is not None):
            after = "as found" if value is None else short_text(value)
            found.append(Difference(f"{choice.network}.{ours}", short_text(seen), after, forces_replace=False))
    return tuple(found)


def plan_functions(
    service: Service, hardware: Hardware, host: Host | None, pfs: Mapping[str, PfPlan], *, is_new: bool
) -> tuple[FunctionPlan, tuple[Difference, ...]]:
    """What must be done to the functions of one service. `is_new`: its container is made anew, so that nothing is in its way."""
    if host is None:
        return NO_FUNCTIONS, ()
    found = {choice.settings: differences(choice) for choice in hardware.vfs}
    to_set = tuple(settings for settings, items in found.items() if items)
    kept = {(choice.settings.interface, choice.settings.index) for choice in hardware.vfs}
    to_release = tuple(
        ReleaseVf(held.pf, held.index, held.pci)
        for held in held_by(host, service.site.name, service.session.name)
        if (held.pf, held.index) not in kept
    )
    waits = tuple(count_step_id(service.endpoint.name, item.interface) for item in to_set if pfs[item.interface].grows)
    all_differences = tuple(item for items in found.values() for item in items)
    must_stop = any(item.field.rpartition(".")[2] in AT_REST | {"vf"} for item in all_differences)
    is_drift = not to_release and all(_was_set(choice) for choice in hardware.vfs if found[choice.settings])
    plan = FunctionPlan(to_set, to_release, tuple(sorted(set(waits))), must_stop and not is_new, is_drift)
    return plan, all_differences


def _was_set(choice: VfChoice) -> bool:
    """Whether the agent was asked for just these settings; one that it does not know of any more was, or there were no container."""
    held = choice.held
    return held is None or all(getattr(held.wanted, theirs) == getattr(choice.settings, ours) for ours, theirs in SETTINGS)


def held_by(host: Host, site: str, session: str) -> Iterator[HeldVf]:
    """The functions that the ledger has for a session of the site."""
    return (item for item in host.held.vfs if (item.owner.site, item.owner.session) == (site, session))


def plan_count(endpoint: str, pf: PfPlan, cause: Cause) -> tuple[Change, Step]:
    """Make the functions of an interface."""
    step = Step(count_step_id(endpoint, pf.name), endpoint, SetVfCount(pf.name, pf.count))
    change = Change(
        mark="create" if not pf.current else "update",
        kind="vfs",
        name=pf.name,
        endpoint=endpoint,
        cause=cause,
        summary=f"makes {pf.count} virtual functions on {pf.name}",
        fields=(FieldChange("virtual functions", str(pf.current), str(pf.count), False, cause),),
        steps=(step.id,),
    )
    return change, step


def plan_no_more(endpoint: str, held: HeldPf, needs: tuple[str, ...]) -> tuple[Change, Step]:
    """Give an interface back as it was found, when nothing declares functions on it any more; `needs` release the last ones."""
    interface = held.interface
    step = Step(count_step_id(endpoint, interface), endpoint, SetVfCount(interface, 0), needs)
    cause = Cause("no `vfs:` for it any more")
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
    step = Step(f"{endpoint}/release.{held.pci}/{held.owner.session}", endpoint, ReleaseVf(held.pf, held.index, held.pci))
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
