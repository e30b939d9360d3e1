"""How many virtual functions the physical ones have: made where they are declared, as found where nothing asks for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from dtnctl.model.actions import HostRequest
from dtnctl.model.hardware import interface_named
from dtnctl.model.kinds import ChangeKind
from dtnctl.model.plan import Cause, Change, FieldChange, Step
from dtnctl.model.site import Document, Endpoint, Site
from dtnctl.planning.choices.physical_functions import PfPlan, stranger
from dtnctl.planning.host.resource import HostResource, Planned, PlannedHost
from dtnctl.planning.refusal import blocked
from dtnctl.planning.step_ids import count_id

if TYPE_CHECKING:
    from dtn_agent.protocol import Held, Host
    from dtn_agent.protocol.vfs import HeldPf


class PhysicalFunctions(HostResource):
    """By the choices that were made for them."""

    def names(self, site: Site, endpoint: Document[Endpoint], held: Held | None) -> Iterable[tuple[ChangeKind, str]]:
        yield from (("vfs", name) for name in (*endpoint.value.vfs, *endpoint.value.interfaces.values()))
        if held is not None:
            yield from (("vfs", item.pf) for item in held.pfs if item.site == site.name)

    def beside(self, here: PlannedHost, steps: tuple[Step, ...]) -> Iterable[Planned]:
        for name, refusal in here.refused_pfs.items():
            if here.covers("vfs", name):
                yield blocked("vfs", name, here.name, refusal), ()
        yield from _counts(here, steps)
        if here.may_remove:
            yield from _no_more(here, steps)


def _counts(here: PlannedHost, steps: tuple[Step, ...]) -> Iterator[Planned]:
    """Interfaces that get functions: those that this run is about, and those that one of its services waits for."""
    awaited = {step_id for step in steps for step_id in step.needs}
    for pf in here.pfs.values():
        if pf.is_resized and (here.covers("vfs", pf.name) or count_id(here.name, pf.name) in awaited):
            yield _plan_count(here, pf)


def _plan_count(here: PlannedHost, pf: PfPlan) -> Planned:
    text = "declared, not there" if pf.count > pf.current else "fewer are declared"
    cause = Cause(text, here.document.file, here.document.mark(("vfs", pf.name)).line, "vfs")
    step = Step(count_id(here.name, pf.name), here.name, _count(here.site.name, pf.name, pf.count), pf.waits)
    change = Change(
        mark="create" if not pf.current else "update",
        kind="vfs",
        name=pf.name,
        endpoint=here.name,
        cause=cause,
        summary=f"makes {pf.count} virtual functions on {pf.name}",
        fields=(FieldChange("virtual functions", str(pf.current), str(pf.count), False, cause),),
        steps=(step.id,),
        is_drift=pf.is_drift,
    )
    return change, (step,)


def _no_more(here: PlannedHost, steps: tuple[Step, ...]) -> Iterator[Planned]:
    """Interfaces that nothing asks functions of any more, once the last one of ours is released and no one else has any."""
    asked = ((step.id, step.action.request) for step in steps if isinstance(step.action, HostRequest))
    released = {(request.pf, request.index): step_id for step_id, request in asked if request.do == "release-vf"}
    for held in sorted(here.host.held.pfs, key=lambda item: item.pf):
        is_meant = held.site == here.site.name and here.covers("vfs", held.pf)
        if is_meant and held.pf not in here.pfs and not _others(here.host, held, released):
            needs = tuple(step_id for (pf, _), step_id in sorted(released.items()) if pf == held.pf)
            yield _plan_no_more(here.name, held, needs)


def _others(host: Host, held: HeldPf, released: Mapping[tuple[str, int], str]) -> bool:
    """Whether a function of the interface is in use after this plan."""
    by_ledger = {item.pci: (item.pf, item.index) for item in host.held.vfs if item.pf == held.pf}
    pf = interface_named(host, held.pf)
    vfs = pf.sriov.vfs if pf is not None and pf.sriov is not None else ()
    return any(key not in released for key in by_ledger.values()) or any(stranger(host, vf) for vf in vfs if vf.pci not in by_ledger)


def _plan_no_more(endpoint: str, held: HeldPf, needs: tuple[str, ...]) -> Planned:
    step = Step(count_id(endpoint, held.pf), endpoint, _count(held.site, held.pf, 0), needs)
    cause = Cause("nothing asks for them any more, and none is in use")
    change = Change(
        mark="destroy",
        kind="vfs",
        name=held.pf,
        endpoint=endpoint,
        cause=cause,
        summary=f"restores {held.pf} with {held.found} virtual functions, as it was found",
        fields=(FieldChange("virtual functions", str(held.wanted), str(held.found), False, cause),),
        steps=(step.id,),
    )
    return change, (step,)


def _count(site: str, pf: str, count: int) -> HostRequest:
    from dtn_agent.protocol.vfs import SetVfCount

    return HostRequest(SetVfCount(site=site, pf=pf, count=count), "make", f"{count} virtual functions of {pf}")
