"""Changes of a host under running transfers: what would take the link of their interface down waits until they have ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from dtnctl.model.impact import Cut
from dtnctl.model.plan import Cause, Change, Step
from dtnctl.planning.containers.services import Situation, service_steps
from dtnctl.planning.host.resource import Planned, PlannedHost
from dtnctl.planning.host.resources import RESOURCES
from dtnctl.planning.refusal import Refusal, blocked
from dtnctl.planning.transfers.running_copies import refuse_held
from dtnctl.printable import plural

# Settings of an interface for which drivers close and open it again, or negotiate its link again: ethtool -L, -G, -A, ip link set mtu.
RESETTING = frozenset({"channels", "rx_ring", "tx_ring", "mtu", "pause_rx", "pause_tx"})


def held_steps(hosts: Iterable[PlannedHost]) -> Mapping[str, tuple[Cut, ...]]:
    """The steps on these hosts that wait, each with the transfers that it, or one that it comes after, would cut off."""
    found: dict[str, tuple[Cut, ...]] = {}
    for here in (item for item in hosts if item.waits):
        planned = tuple(_planned(here))
        for change, steps in planned:
            named = zip(steps, _interfaces(change, steps), strict=True)
            found |= {step.id: cuts for step, name in named if (cuts := _copies_over(here, name))}
        _add_needing(found, [step for _, steps in planned for step in steps])
    return found


def _planned(here: PlannedHost) -> Iterator[Planned]:
    for resource in RESOURCES:
        yield from (planned for _, planned in resource.below_networks(here))
        yield from resource.beside(here, ())


def _add_needing(found: dict[str, tuple[Cut, ...]], steps: list[Step]) -> None:
    """Add what comes after one of them, until there is nothing more."""
    needing = [step for step in steps if step.id not in found and any(item in found for item in step.needs)]
    while needing:
        for step in needing:
            found[step.id] = tuple(dict.fromkeys(cut for item in step.needs for cut in found.get(item, ())))
        needing = [step for step in steps if step.id not in found and any(item in found for item in step.needs)]


def parted(endpoint: str, planned: Planned, held: Mapping[str, tuple[Cut, ...]]) -> tuple[Planned | None, Change | None]:
    """What can be done now of a change of the host, and the change that is held back; None for either where there is none."""
    change, steps = planned
    waiting = [step for step in steps if step.id in held]
    if not waiting:
        return planned, None
    left = tuple(step for step in steps if step.id not in held)
    fields = dict(zip((step.id for step in steps), change.fields, strict=True)) if left else {}
    summary = f"changes {', '.join(fields[step.id].field for step in waiting)}" if left else change.summary
    cause = fields[waiting[0].id].cause if left else change.cause
    cuts = tuple(dict.fromkeys(cut for step in waiting for cut in held[step.id]))
    refusal = refuse_held(f"{change.kind} {change.name} on {endpoint}", change.mark, cuts, cause, summary)
    refused = blocked(change.kind, change.name, endpoint, refusal)
    if not left:
        return None, refused
    now = tuple(fields[step.id] for step in left)
    text = f"changes {plural(len(left), 'setting')} of the host"
    return (replace(change, cause=now[0].cause, fields=now, summary=text, steps=tuple(step.id for step in left)), left), refused


def refuse_needing(situation: Situation, held: Mapping[str, tuple[Cut, ...]]) -> Refusal | None:
    """Why a service waits although it cuts nothing off itself: it needs a change of the host that does."""
    needed = next((item for step in service_steps(situation) for item in (*step.needs, *step.follows) if item in held), None)
    if needed is None:
        return None
    session = situation.service.session
    cause = Cause(f"it needs {needed}", session.file, session.mark().line)
    return refuse_held(str(situation.service), "update", held[needed], cause, "it is left as it is")


def _interfaces(change: Change, steps: tuple[Step, ...]) -> Iterator[str]:
    """For each step the interface whose link goes down for it; empty if none does."""
    match change.kind:
        case "tuning" if change.fields:
            for field in change.fields:
                head, _, rest = field.field.partition("/")
                name, _, what = rest.rpartition("/")
                yield name if head == "interface" and what in RESETTING else ""
        case "vfs" if change.fields:
            yield change.name
        case "vlan" if change.mark == "update":
            yield change.name
        case _:
            yield from ("" for _ in steps)


def _copies_over(here: PlannedHost, interface: str) -> tuple[Cut, ...]:
    """The running transfers whose data uses the interface, as far as that is known: those over a bridge or the host may use any."""
    if not interface:
        return ()
    return tuple(cut for session, cuts in here.waits.items() if interface in (used := _used(here, session)) or not used for cut in cuts)


def _used(here: PlannedHost, session: str) -> frozenset[str]:
    """The host's interfaces that the session's networks are on top of, by the names of their VLANs too."""
    declared = {net.name for service in here.services if service.session.name == session for net in service.nets}
    live = {name for item in here.seen.containers if (item.kind, item.owner) == ("service", session) for name in item.networks}
    interfaces = here.document.value.interfaces
    return frozenset(name for network in declared | live if network in interfaces for name in _names(here, network, interfaces[network]))


def _names(here: PlannedHost, network: str, interface: str) -> Iterator[str]:
    yield interface
    document = here.site.networks.get(network)
    if document is not None and document.value.vlan is not None:
        yield f"{interface}.{document.value.vlan}"
