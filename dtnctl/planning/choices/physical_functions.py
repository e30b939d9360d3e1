"""Physical functions: how many virtual ones each has and will have, and who has those that cannot be chosen. Pure.

The number is changed only from 0, or if we made all that are there and none stays in use: the kernel removes all of them before it
makes new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dtnctl.model.hardware import interface_named, vf_pci
from dtnctl.model.plan import Cause
from dtnctl.model.resources import PREPARED_SUFFIX
from dtnctl.planning.choices.holdings import ACTIVE_STATES
from dtnctl.planning.choices.host_view import HostView, sriov_networks
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.step_ids import release_id, remove_id

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Interface, Sriov, Vf
    from dtn_agent.protocol.vfs import HeldVf

FOR_USER_SPACE = "vfio-pci"  # the driver that gives a function to a virtual machine
USUAL_COUNT = 8  # what is suggested where there are none


@dataclass(frozen=True, slots=True)
class FunctionUser:
    """Who has a virtual function. `session` if it is one of our site's; `freed_by` is the step after which it is free, if there is one."""

    text: str
    session: str = ""
    freed_by: str = ""


NO_DRIVER = FunctionUser("no session, but it has no driver and so no interface")


@dataclass(frozen=True, slots=True)
class PfPlan:
    """A physical function that is in use or declared: how many virtual ones it has, and will have.

    `taken` are those that cannot be chosen, by index. `obstacle` is why it does not get the declared number; `waits` are the steps
    that give the last ones back before it does. `is_drift`: it had that number once.
    """

    interface: Interface
    current: int
    count: int
    taken: Mapping[int, FunctionUser]
    obstacle: str = ""
    waits: tuple[str, ...] = ()
    is_drift: bool = False

    @property
    def name(self) -> str:
        return self.interface.name

    @property
    def is_resized(self) -> bool:
        """Whether this plan makes its functions; those that are there are gone then."""
        return self.count != self.current

    def pci(self, index: int) -> str:
        return vf_pci(self.interface, index)

    def exists(self, index: int) -> bool:
        return index < self.current and not self.is_resized


@dataclass(frozen=True, slots=True)
class Physical:
    """What came out for one endpoint: by interface the plan, or why the declared number cannot be; and what is said beside it."""

    plans: Mapping[str, PfPlan]
    refused: Mapping[str, Refusal]
    notes: tuple[str, ...]


def study_pfs(view: HostView) -> Physical:
    """Every interface that is declared in `vfs:`, or that carries a network of virtual functions for a service."""
    declared = dict(view.endpoint.value.vfs)
    interfaces = view.endpoint.value.interfaces
    used = {interfaces[network] for service in view.services for network in sriov_networks(service)}
    plans: dict[str, PfPlan] = {}
    refused: dict[str, Refusal] = {}
    notes: list[str] = []
    for name in sorted(declared.keys() | used):
        pf = view.interface(name)
        if pf is None or pf.sriov is None:
            if name in declared:
                refused[name] = _refusal(view, name, "E0471", without_functions(view, name), _others(view))
            continue
        plans[name] = plan = _plan(view, pf, pf.sriov, declared.get(name, 0))
        if plan.obstacle and plan.count < declared[name] and name not in view.fixed:
            refused[name] = _refusal(view, name, "E0475", plan.obstacle, _way_out(plan))
        elif plan.obstacle and name not in view.fixed:
            notes.append(plan.obstacle)
    return Physical(plans, refused, tuple(notes))


def without_functions(view: HostView, name: str) -> str:
    """Why the interface can have no virtual functions."""
    what = "has no SR-IOV" if view.interface(name) is not None else "is not there"
    return f"interface {name} of {view.name} {what}"


def _others(view: HostView) -> str:
    found = ", ".join(sorted(item.name for item in view.host.facts.interfaces if item.sriov is not None))
    return f"an interface that has it: {found}" if found else "an endpoint with SR-IOV: none of its interfaces has it"


def refuse_without(view: HostView, physical: Physical) -> None:
    """Services whose interface has no virtual functions, and will have none."""
    for service in view.services:
        for network in sriov_networks(service):
            name = service.endpoint.value.interfaces[network]
            plan = physical.plans.get(name)
            if plan is None:
                view.refuse(service, "E0471", without_functions(view, name), service.field_of(network), _others(view))
            elif plan.count == 0:
                text = plan.obstacle or f"interface {name} of {view.name} has no virtual functions"
                fix = "a run that does not exclude it" if plan.obstacle and name in view.fixed else _way_out(plan)
                view.refuse(service, "E0471", text, service.field_of(network), fix)


def _way_out(plan: PfPlan) -> str:
    assert plan.interface.sriov is not None
    total = plan.interface.sriov.total
    return f"`vfs: {{{plan.name}: {plan.current or min(USUAL_COUNT, total)}}}` in the endpoint's file; it can have {total}"


def _refusal(view: HostView, name: str, code: str, text: str, fix: str) -> Refusal:
    document = view.endpoint
    return Refusal(code, Cause(text, document.file, document.mark(("vfs", name)).line, "vfs"), fix)


def _plan(view: HostView, pf: Interface, sriov: Sriov, declared: int) -> PfPlan:
    current, users = sriov.current, dict(_users(view, pf, sriov))
    taken = {vf.index: NO_DRIVER for vf in sriov.vfs if not vf.driver} | users
    is_ours = any(item.pf == pf.name and item.site == view.site.name for item in view.host.held.pfs)
    obstacle = "" if declared in (0, current) else _obstacle(view, pf, sriov, declared, is_ours=is_ours, users=users)
    if declared in (0, current) or obstacle or (declared < current and not is_ours):
        return PfPlan(pf, current, current, taken, obstacle)
    was_made = any(item.pf == pf.name and item.wanted == declared for item in view.host.held.pfs)
    if current == 0:
        return PfPlan(pf, current, declared, taken, is_drift=was_made)
    return PfPlan(pf, current, declared, {}, waits=tuple(sorted(holder.freed_by for holder in users.values())))


def _obstacle(view: HostView, pf: Interface, sriov: Sriov, declared: int, *, is_ours: bool, users: Mapping[int, FunctionUser]) -> str:
    """Why the declared number cannot be. More than declared that others made do no harm, and are none."""
    what = f"interface {pf.name} of {view.name} has {sriov.current} virtual functions, `vfs:` says {declared}"
    if pf.name in view.fixed:
        return f"{what}, and it is excluded from this run"
    if declared > sriov.total:
        return f"{what}, and it can have {sriov.total}"
    if sriov.current == 0 or (declared < sriov.current and not is_ours):
        return ""
    if not is_ours:
        return f"{what}: those that are there would have to go first, and they were made by somebody else"
    holders = ", ".join(f"{index} by {holder.text}" for index, holder in sorted(users.items()) if not holder.freed_by)
    return f"{what}: those that are there would have to go first, and held are {holders}" if holders else ""


def _users(view: HostView, pf: Interface, sriov: Sriov) -> Iterator[tuple[int, FunctionUser]]:
    """Every function that is in use; the last word on one is the ledger's, so it comes last."""
    # a prepared one goes in this plan and was never started; of two others the replacement has the last word, not the retired one
    last = [seen for name, seen in sorted(view.live.items(), reverse=True) if name in view.stays or not name.endswith(PREPARED_SUFFIX)]
    named = {item.vf: seen for seen in last for item in seen.spec.attachments if item.vf}
    running = {item.vf for seen in last if seen.state in ACTIVE_STATES for item in seen.spec.attachments}
    for vf in sriov.vfs:
        who = stranger(view.host, vf)
        # others may have taken since what a container at rest names
        is_ours = vf.driver not in ("", FOR_USER_SPACE) and (not who or vf.pci in running)
        if vf.pci in named and is_ours:
            seen = named[vf.pci]
            freed_by = remove_id(view.name, seen.name) if view.leaves(seen.owner) else ""
            yield vf.index, FunctionUser(f"session {seen.owner}", seen.owner, freed_by)
        elif who:
            yield vf.index, FunctionUser(who)
    for held in view.host.held.vfs:
        if held.pf == pf.name:
            is_ours = held.owner.site == view.site.name
            yield held.index, _ours(view, held) if is_ours else FunctionUser(f"site {held.owner.site}")


def _ours(view: HostView, held: HeldVf) -> FunctionUser:
    session = held.owner.session
    is_freed = view.leaves(session) or view.needs_none(session)
    return FunctionUser(f"session {session}", session, release_id(view.name, held.pci) if is_freed else "")


def stranger(host: Host, vf: Vf) -> str:
    """Who has a function that no session of ours has; empty if no one."""
    if vf.driver == FOR_USER_SPACE:
        return f"{FOR_USER_SPACE}, a virtual machine presumably"
    return vf.holder or _use_on_host(host, vf.netdev)


def _use_on_host(host: Host, name: str) -> str:
    """What the host itself does with an interface; empty if nothing. Every interface that is up has a link-local address."""
    netdev = interface_named(host, name)
    if netdev is None:
        return ""
    addresses = [address for address in netdev.addresses if not address.lower().startswith("fe80:")]
    above = sorted(item.name for item in host.facts.interfaces if item.parent == name)
    uses = [*([netdev.master] if netdev.master else []), *above, *addresses]
    return f"the host itself ({name}: {', '.join(uses)})" if uses else ""
