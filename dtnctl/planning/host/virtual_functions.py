"""Virtual functions of services: set before a container gets one, released when it has no use for it, or is gone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dtnctl.model.actions import HostRequest
from dtnctl.model.plan import Cause, Change, Step
from dtnctl.planning.choices.virtual_functions import VfChoice
from dtnctl.planning.containers.compare import Difference, short_text
from dtnctl.planning.containers.host_part import HostPart, HostStep
from dtnctl.planning.host.resource import HostResource, Planned, PlannedHost, PlannedService
from dtnctl.planning.resolve import Service
from dtnctl.planning.step_ids import release_id

if TYPE_CHECKING:
    from dtn_agent.protocol import Held, Host, Owner
    from dtn_agent.protocol.vfs import HeldVf

SETTINGS = ("mac", "vlan", "vlan_priority", "trust", "spoofchk", "min_rate", "max_rate", "mtu")  # in the order that a plan names them
AT_REST = frozenset({"mac", "mtu", "vf"})  # what the interface itself has: it cannot be changed while it is in a container


class VirtualFunctions(HostResource):
    """Those that the ledger has for sessions, by the choices that were made for them."""

    plural = "virtual functions"

    def owners(self, held: Held) -> Iterable[Owner]:
        return (item.owner for item in held.vfs)

    def for_service(self, here: PlannedHost, planned: PlannedService) -> HostPart:
        service, hardware, seen = planned.service, planned.allocation.hardware, planned.seen
        found = [(choice, items) for choice in hardware.vfs if (items := tuple(_differences(service, choice)))]
        changed = [choice for choice, _ in found]
        kept = {(choice.settings.pf, choice.settings.index) for choice in hardware.vfs}
        ours = held_by(here.host, here.site.name, service.session.name)
        released = [held for held in ours if (held.pf, held.index) not in kept]
        inside = {item.vf for item in seen.spec.attachments} if seen is not None else set()
        at_rest = (choice for choice, items in found if any(item.field.rpartition(".")[2] in AT_REST for item in items))
        waits = tuple(sorted({step_id for choice in changed for step_id in choice.needs}))
        return HostPart(
            to_set=tuple(_configure(choice, service.container, waits) for choice in changed),
            to_release=tuple(_release(held) for held in released),
            differences=(*(item for _, items in found for item in items), *(_released(service, held) for held in released)),
            must_stop=not planned.is_new and any(choice.pci in inside for choice in at_rest),
            is_drift=not released and all(_was_set(choice) for choice in changed),
        )

    def release(self, here: PlannedHost, session: str, container: str) -> Iterable[HostStep]:
        del container
        return map(_release, held_by(here.host, here.site.name, session))

    def beside(self, here: PlannedHost, steps: tuple[Step, ...]) -> Iterable[Planned]:
        """Release those of sessions that have neither a service nor a container here."""
        del steps
        for held in sorted(here.host.held.vfs, key=lambda item: (item.pf, item.index)):
            if here.is_forgotten(held.owner):
                yield _plan_forgotten(here.name, held)


def held_by(host: Host, site: str, session: str) -> Iterator[HeldVf]:
    """The functions that the ledger has for a session of the site, in order."""
    found = (item for item in host.held.vfs if (item.owner.site, item.owner.session) == (site, session))
    return iter(sorted(found, key=lambda item: (item.pf, item.index)))


# --- what differs -------------------------------------------------------------------------------------------


def _differences(service: Service, choice: VfChoice) -> Iterator[Difference]:
    """How a function differs from what it should be; one that is not there or not held for it differs as a whole."""
    held, pci = choice.held, choice.pci
    if held is None:
        yield _difference(service, choice.network, "vf", "none", pci)
        return
    if not choice.exists:
        yield _difference(service, choice.network, "vf", f"{pci} (gone)", pci)
        return
    if held.owner.network != choice.network:
        yield _difference(service, choice.network, "vf", f"{pci} (for {held.owner.network})", pci)
    for name in SETTINGS:
        value, asked = getattr(choice.settings, name), getattr(held.wanted, name)
        live = getattr(held.now, name) if held.now is not None else None
        seen = asked if live is None else live
        if (value is not None and seen != value) or (value is None and asked is not None):
            yield _difference(service, choice.network, name, short_text(seen), "as found" if value is None else short_text(value))


def _difference(service: Service, network: str, field: str, before: str, after: str) -> Difference:
    document = service.site.networks[network]
    cause = Cause(f"{field} of its virtual function differs", document.file, document.mark((field,)).line, field)
    if field == "vf":
        cause = Cause(f"network {network} needs a virtual function", document.file, document.mark().line)
    return Difference(f"{network}.{field}", before, after, forces_replace=False, cause=cause)


def _released(service: Service, held: HeldVf) -> Difference:
    network = held.owner.network
    if any(net.name == network for net in service.nets):
        document = service.site.networks[network]
        cause = Cause(f"network {network} uses another virtual function", document.file, document.mark().line)
    else:
        cause = service.cause(f"network {network} is not among its networks any more", "data_nets")
    return Difference(f"{network}.vf", held.pci, "released", forces_replace=False, cause=cause)


def _was_set(choice: VfChoice) -> bool:
    """Whether the agent was asked for just these settings; one that it does not know of any more was, or there were no container."""
    held = choice.held
    return held is None or all(getattr(held.wanted, name) == getattr(choice.settings, name) for name in SETTINGS)


# --- steps --------------------------------------------------------------------------------------------------


def _configure(choice: VfChoice, container: str, waits: tuple[str, ...]) -> HostStep:
    request = HostRequest(choice.settings, "set", f"virtual function {choice.pci}")
    return HostStep(f"vf.{choice.network}", container, request, waits)


def _release(held: HeldVf) -> HostStep:
    from dtn_agent.protocol.vfs import ReleaseVf

    request = ReleaseVf(site=held.owner.site, pf=held.pf, index=held.index)
    note = f"virtual function {held.pci} of {held.pf} is released and restored as it was found"
    return HostStep("release", held.pci, HostRequest(request, "release", f"virtual function {held.pci}"), note=note)


def _plan_forgotten(endpoint: str, held: HeldVf) -> Planned:
    step = Step(release_id(endpoint, held.pci), endpoint, _release(held).action)
    change = Change(
        mark="destroy",
        kind="vfs",
        name=held.pf,
        endpoint=endpoint,
        cause=Cause(f"it is held for session {held.owner.session}, which is not here any more"),
        summary=f"releases virtual function {held.pci} of {held.pf} and restores it as it was found",
        steps=(step.id,),
    )
    return change, (step,)
