"""Decides what `transfers resolve` may record: a person's word on an unknown result, and on nothing else. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from dtnctl.model.ledger import Attempt, Resolution
from dtnctl.model.resources import EndpointSeen
from dtnctl.planning.resolve import ResolvedTransfer
from dtnctl.planning.transfers.jobs import History


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided, who it was and why. `at` is the time as records write it."""

    resolution: Resolution
    who: str
    at: str
    reason: str = ""


def newest_claim(resolved: ResolvedTransfer, history: History) -> Attempt | None:
    """The newest try of the declared generation that was not released; None if there is none."""
    claims = [item for item in history.attempts(resolved.source_endpoint, resolved) if not item.released]
    return claims[-1] if claims else None


def refuse_resolution(resolved: ResolvedTransfer, seen: EndpointSeen, history: History) -> str:
    """Why there is nothing to decide now, as a sentence; empty if the result is unknown. `seen` is the source, which answers."""
    name, generation = resolved.transfer.name, resolved.transfer.value.generation
    title = f"{name} (generation {generation})"
    running = [(place, job.seen.name) for (place, of), jobs in history.containers.items() if of == name for job in jobs if job.is_active]
    if running:
        return f"{title} runs: {running[0][1]} on {running[0][0]}; wait for its end, or `dtnctl transfers cancel {name}`"
    if seen.ledger.trouble:
        return f"the records on {seen.name} cannot be read: {seen.ledger.trouble}"
    claim = newest_claim(resolved, history)
    ended = [job for job in history.jobs(seen.name, name) if job.generation == generation]
    if ended and (claim is None or ended[-1].attempt > claim.attempt or ended[-1].seen.id == claim.container):
        return f"{title} has its container {ended[-1].seen.name}; `dtnctl apply` records its result"
    if claim is None:
        return f"{title} was not started: there is nothing to decide"
    if claim.verdict not in (None, "unknown"):
        return f"{title} is {claim.verdict}, not unknown; raise `generation` to run it again"
    return ""


def decide(claim: Attempt, decision: Decision) -> Attempt:
    """The record of the decision. After `run-again` the try counts as not made."""
    decided = replace(
        claim,
        resolution=decision.resolution,
        resolved_by=decision.who,
        resolved_at=decision.at,
        recorded_at=decision.at,
        reason=decision.reason,
        retryable=False,
    )
    match decision.resolution:
        case "succeeded" | "failed":
            return replace(decided, verdict=decision.resolution)
        case "run-again":
            return replace(decided, verdict=None, released=True)
        case "":
            return claim
        case _:
            assert_never(decision.resolution)
