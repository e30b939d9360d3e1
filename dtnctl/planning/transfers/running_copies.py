"""Keeps what a running copy goes through: nothing of it is stopped, replaced or disconnected before the copy has ended. Pure.

What was asked for explicitly ends it all the same: `destroy`, and a session that is removed or has expired; the plan shows that.
"""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.plan import Change
from dtnctl.planning.containers.describe import service_change
from dtnctl.planning.containers.services import Situation, service_steps
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import ResolvedTransfer, Service


def refuse_cutting_off(situation: Situation) -> Refusal | None:
    """Why a service must stay as it is for now; None if no copy runs through it, or none would notice."""
    if not situation.jobs:
        return None
    change = service_change(situation, service_steps(situation))
    if not change.interrupts:
        return None
    several = len(situation.jobs) > 1
    names = f"the running transfer{'s' if several else ''} {', '.join(situation.jobs)}"
    have = "have" if several else "has"
    text = f"{situation.service} waits until {names} {have} ended, which this would cut off: {change.summary}, because {change.cause.text}"
    first = situation.jobs[0]
    fix = f"apply again when {'they' if several else 'it'} {have} ended (`dtnctl transfers logs -f {first}`), "
    return Refusal("E0492", replace(change.cause, text=text), f"{fix}or `dtnctl transfers cancel {first}`")


def unseen_copies(
    change: Change, service: Service, resolved_transfers: tuple[ResolvedTransfer, ...], silent: frozenset[str]
) -> tuple[str, ...]:
    """Notes about copies that may run through a service that is interrupted, while the endpoint that would show them does not answer."""
    return tuple(
        f"whether transfer {resolved.transfer.name} runs is not known while {resolved.source_endpoint} does not answer: {change.interrupts}"
        for resolved in resolved_transfers
        if change.interrupts and service.key == resolved.keys[1] and resolved.source_endpoint in silent
    )
