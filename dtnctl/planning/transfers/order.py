"""Decides in which order transfers are planned, and what those that follow others (`after`) wait for. Pure.

One that follows another starts when the declared generation of that one has succeeded: in the same apply where that one runs in it.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from dtnctl.model.actions import FinishTransfer
from dtnctl.model.plan import Cause, TransferNote
from dtnctl.planning.refusal import Refusal, blocked
from dtnctl.planning.resolve import ResolvedTransfer
from dtnctl.planning.transfers.declared import TransferPlan
from dtnctl.planning.transfers.jobs import History

FOLLOWED_FAILED = "E0497"
WAY_ON = re.compile("; (raise `generation`|decide with `)")  # what a note of a failed transfer ends with


def in_turn(transfers: Iterable[ResolvedTransfer]) -> Iterator[ResolvedTransfer]:
    """Each after those that it follows; of those that could be next, by priority and then by name."""
    known = {resolved.transfer.name: resolved for resolved in transfers}
    waited = {name: {item for item in resolved.transfer.value.after if item in known} for name, resolved in known.items()}
    followers: dict[str, list[str]] = {name: [] for name in known}
    for name, items in waited.items():
        for item in items:
            followers[item].append(name)
    free = [_turn(known[name]) for name, items in waited.items() if not items]
    heapq.heapify(free)
    while free:
        _, name = heapq.heappop(free)
        yield known[name]
        for follower in followers[name]:
            waited[follower].discard(name)
            if not waited[follower]:
                heapq.heappush(free, _turn(known[follower]))


def _turn(resolved: ResolvedTransfer) -> tuple[int, str]:
    return -resolved.transfer.value.priority, resolved.transfer.name


@dataclass(frozen=True, slots=True)
class Standing:
    """What a transfer means to one that follows it: `step` not empty, that step's end shows whether it succeeded; `waits` not empty, it
    has not succeeded yet, and why; `failed` not empty, it will not, and why. All empty: it has succeeded.
    """

    step: str = ""
    waits: str = ""
    failed: str = ""


@dataclass(slots=True)
class Standings:
    """How all transfers stand, as far as they were planned. `declared` are all of them, also those that this plan leaves alone.

    Few of them are followed by others: how one stands is found out when it is asked for.
    """

    history: History
    declared: Mapping[str, ResolvedTransfer]
    planned: dict[str, tuple[ResolvedTransfer, TransferPlan] | Standing] = field(default_factory=dict)

    def note(self, resolved: ResolvedTransfer, result: TransferPlan) -> None:
        """Keep what was planned for the transfer."""
        self.planned[resolved.transfer.name] = resolved, result

    def note_wait(self, resolved: ResolvedTransfer, why: str) -> None:
        """Keep that nothing was planned for it, and why."""
        self.planned[resolved.transfer.name] = Standing(waits=why)

    def of(self, name: str) -> Standing:
        if name in self.planned:
            planned = self.planned[name]
            return planned if isinstance(planned, Standing) else _standing(self.history, *planned)
        return _recorded(self.history, self.declared[name]) or Standing(waits="has not succeeded, and this run leaves it alone")

    def follow(self, resolved: ResolvedTransfer, result: TransferPlan) -> TransferPlan:
        """The plan of a transfer that would start, as those that it follows allow: as it is, in its turn, waiting or blocked."""
        names = resolved.transfer.value.after
        if not result.starts or not names:
            return result
        standings = [(index, name, self.of(name)) for index, name in enumerate(names)]
        for index, _, standing in standings:
            if standing.failed:
                refusal = _refusal(resolved, index, standing)
                return TransferPlan(blocked("transfer", resolved.transfer.name, resolved.source_endpoint, refusal))
        for _, name, standing in standings:
            if standing.waits:
                return waiting(resolved, f"it starts after {name}, which {standing.waits}")
        steps = {standing.step: name for _, name, standing in standings if standing.step}
        if steps and has_window(resolved):
            return waiting(resolved, f"it starts after {_listed(steps)}, and in its window: the first apply after that starts it")
        note = f"starts after {_listed(steps)}, if that succeeds" if steps else ""
        return delayed(result, needs=tuple(sorted(steps)), note=note)


def _listed(steps: Mapping[str, str]) -> str:
    return ", ".join(sorted(steps.values()))


def has_window(resolved: ResolvedTransfer) -> bool:
    """Whether it may start at certain hours alone: then it starts at once or not at all, since others may end when the window is closed."""
    when = resolved.transfer.value.when
    return when is not None and when.schedule is None


def waiting(resolved: ResolvedTransfer, text: str) -> TransferPlan:
    """Nothing is done with the transfer in this plan, for this reason."""
    transfer = resolved.transfer
    return TransferPlan(note=TransferNote(transfer.name, transfer.value.generation, "waiting", text, transfer.where()))


def delayed(result: TransferPlan, *, needs: tuple[str, ...] = (), follows: tuple[str, ...] = (), note: str = "") -> TransferPlan:
    """The same, with a start that has its turn after these steps. `note` says so; empty: nothing is delayed."""
    if not note or result.change is None:
        return result
    start, *others = result.steps
    start = replace(start, needs=(*start.needs, *needs), follows=(*start.follows, *follows))
    return replace(result, steps=(start, *others), change=replace(result.change, notes=(*result.change.notes, note)))


def _refusal(resolved: ResolvedTransfer, index: int, standing: Standing) -> Refusal:
    transfer = resolved.transfer
    name = transfer.value.after[index]
    cause = Cause(f"it follows {name}, which {standing.failed}", transfer.file, transfer.mark(("after", index)).line, "after")
    return Refusal(FOLLOWED_FAILED, cause, f"`generation` of {name} raised, once its cause is gone; or `after` without it")


def _recorded(history: History, resolved: ResolvedTransfer) -> Standing | None:
    """What its record alone says; None if it has no result yet, or one after which it is tried again."""
    claims = [item for item in history.attempts(resolved.source_endpoint, resolved) if not item.released]
    if not claims or claims[-1].verdict is None:
        return None
    last = claims[-1]
    if last.verdict == "succeeded":
        return Standing()
    is_last_try = not last.may_be_repeated(len(claims), resolved.transfer.value.retries)
    return Standing(failed=_ended_text(str(last.verdict), last.cause)) if is_last_try else None


def _standing(history: History, resolved: ResolvedTransfer, result: TransferPlan) -> Standing:
    recorded = _recorded(history, resolved)
    if recorded is not None:
        return recorded
    if result.note is not None:
        return _noted(result.note)
    finish = next((step for step in result.steps if isinstance(step.action, FinishTransfer)), None)
    if finish is None:
        return Standing(waits="is blocked")
    is_cleaned_up_only = not result.starts and any(item.verdict for item in history.attempts(resolved.source_endpoint, resolved))
    return Standing(waits="failed and is tried again by the next apply") if is_cleaned_up_only else Standing(step=finish.id)


def _noted(note: TransferNote) -> Standing:
    if note.state == "waiting":
        return Standing(waits=f"waits itself: {note.text}")
    if note.state == "running":
        return Standing(waits="still runs; the first apply after its end starts this one")
    return Standing(failed=_ended_text(note.state, WAY_ON.split(note.text)[0]))


def _ended_text(verdict: str, cause: str) -> str:
    how = {"failed": "failed", "cancelled": "was cancelled", "partial": "arrived in part"}.get(verdict, "has an unknown result")
    return f"{how}: {cause}" if cause else how
