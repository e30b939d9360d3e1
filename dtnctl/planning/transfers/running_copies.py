"""Keeps what a running copy goes through: nothing of it is stopped, replaced, removed or disconnected before the copy has ended. Pure.

What such a change would cut off, and how far that is, is part of the plan. It goes on only where the site or the command line asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dtnctl.model.impact import HELD, Cut, Progress
from dtnctl.model.plan import Cause, Change, Mark
from dtnctl.model.resources import ContainerSeen, EndpointSeen
from dtnctl.model.site import Site
from dtnctl.planning.choices.holdings import ACTIVE_STATES
from dtnctl.planning.containers.describe import impact_text, service_change
from dtnctl.planning.containers.services import Situation, service_steps
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key, ResolvedTransfer
from dtnctl.planning.scope import Scope
from dtnctl.planning.transfers.jobs import job_of, running_jobs

NOUNS: Mapping[Mark, str] = {"replace": "replace", "destroy": "removal"}


def copies_by_service(
    declared: tuple[ResolvedTransfer, ...], answering: Mapping[str, EndpointSeen], progress: Mapping[str, Progress]
) -> Mapping[Key, tuple[Cut, ...]]:
    """The running transfers that go through each service, as far as that is known."""
    by_name = {resolved.transfer.name: resolved for resolved in declared}
    found: dict[str, Cut] = {}
    for endpoint, seen in answering.items():
        for item in seen.containers:
            if item.state in ACTIVE_STATES and (item.kind == "transfer" or (item.kind == "server" and item.owner not in found)):
                found[item.owner] = Cut(item.owner, endpoint, _is_resumable(by_name.get(item.owner), item), progress.get(item.owner))
    return {key: tuple(found[name] for name in names) for key, names in running_jobs(declared, answering).items()}


def _is_resumable(resolved: ResolvedTransfer | None, seen: ContainerSeen) -> bool:
    """Whether the next try takes over what this one has copied, and there is a next one."""
    job = job_of(seen)
    if resolved is None or job is None or seen.kind != "transfer":
        return False
    value = resolved.transfer.value
    return value.tool_row.resumes and job.generation == value.generation and job.attempt <= value.retries


def waits_for(site: Site, scope: Scope, transfer: str) -> bool:
    """Whether a change that would cut the transfer off waits for its end: by the command line, else as the site says."""
    if scope.destroy or scope.interrupts(transfer):
        return False
    return scope.defer or site.settings.value.limits.running_transfers == "wait"


def refuse_cutting_off(situation: Situation) -> Refusal | None:
    """Why a service must stay as it is for now; None if nothing that would notice runs through it, or that may be cut off."""
    if not situation.waits:
        return None
    change = service_change(situation, service_steps(situation))
    if not (change.interrupts or situation.leaves_its_network):
        return None
    return refuse_held(str(situation.service), change.mark, situation.waits, change.cause, change.summary)


def refuse_held(what: str, mark: Mark, cuts: tuple[Cut, ...], cause: Cause, summary: str) -> Refusal:
    """Why `what` waits. `summary` is what the change would do."""
    stopped = " and ".join(map(impact_text, cuts))
    text = f"{what} waits: this {NOUNS.get(mark, 'change')} would stop {stopped}; {summary}, because {cause.text}"
    first, they = cuts[0].transfer, "they have" if len(cuts) > 1 else "it has"
    names = " ".join(f"--interrupt {cut.transfer}" for cut in cuts)
    fix = f"apply again when {they} ended (`dtnctl transfers logs -f {first}`), or `{names}`, or `dtnctl transfers cancel {first}`"
    return Refusal(HELD, replace(cause, text=text), fix, mark, cuts)


def for_good(cuts: Iterable[Cut]) -> tuple[Cut, ...]:
    """The same where no next try can follow, since its session or its file goes."""
    return tuple(replace(cut, is_resumable=False) for cut in cuts)


def unseen_sources(resolved_transfers: Iterable[ResolvedTransfer], silent: frozenset[str]) -> Mapping[Key, tuple[ResolvedTransfer, ...]]:
    """The transfers whose source does not answer, by the service that they go to."""
    found: dict[Key, tuple[ResolvedTransfer, ...]] = {}
    for resolved in resolved_transfers:
        if resolved.source_endpoint in silent:
            found[resolved.keys[1]] = (*found.get(resolved.keys[1], ()), resolved)
    return found


def unseen_copies(change: Change, arriving: Iterable[ResolvedTransfer]) -> tuple[str, ...]:
    """Notes about copies that may run through a service that is interrupted. `arriving` are those of it whose source does not answer."""
    return tuple(
        f"whether transfer {resolved.transfer.name} runs is not known while {resolved.source_endpoint} does not answer: {change.interrupts}"
        for resolved in arriving
        if change.interrupts
    )
