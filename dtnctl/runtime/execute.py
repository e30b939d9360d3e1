"""Carries out the steps of a plan: each after those that it needs, several at once, one thread owning all state.

A failed step holds back only what needs it. Where a step says how to go back, that is done before anything else of its
group. Ctrl-C stops scheduling; calls in flight end.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter

from dtnctl.errors import BlockedError, ConflictError, DtnctlError, HealthTimeoutError, LockError, UnreachableError
from dtnctl.model.actions import (
    DiscardContainer,
    FinishTransfer,
    HostRequest,
    ReplaceContainer,
    RestoreContainer,
    StartTransfer,
    Undo,
    WaitHealthy,
)
from dtnctl.model.outcome import Outcome
from dtnctl.model.path_actions import WaitPath
from dtnctl.model.plan import Step, action_type
from dtnctl.planning.rails.freezing import Beginning
from dtnctl.runtime.clock import Clock

WAITS = (WaitHealthy, WaitPath)
MOST_WAITS = 64  # of them at once, beside `parallel`: waiting keeps neither an engine nor this machine busy


def unheard(step: Step) -> None:
    """Begins without a report."""
    del step


@dataclass(frozen=True, slots=True)
class Executor:
    """How steps are carried out. `perform` returns a detail for the reader; `on_outcome` is called for each step as it ends,
    `on_start` for each that begins.

    When `stop` is set, no further step is begun. `frozen`: the moment from which a step is not begun, unless its change has begun.
    """

    perform: Callable[[Step], str]
    undo: Callable[[Step, Undo], None]
    parallel: int
    clock: Clock
    stop: threading.Event
    on_outcome: Callable[[Outcome, Step], None]
    on_start: Callable[[Step], None] = unheard
    frozen: Mapping[str, Beginning] = field(default_factory=dict)

    def execute(self, steps: Sequence[Step], before: Mapping[str, Outcome] | None = None) -> tuple[Outcome, ...]:
        """What became of every step, in their order. Nothing is raised for a step that fails.

        `before` has what became of steps that others need and that were carried out earlier.
        """
        return _Execution(self, {step.id: step for step in steps}, dict(before or {})).run()


class _Ready:
    """Steps that may begin, in the order in which they came; those that only wait have room of their own."""

    def __init__(self, steps: Mapping[str, Step], parallel: int) -> None:
        self._steps = steps
        self._most = {True: MOST_WAITS, False: parallel}
        self._queues: dict[bool, deque[tuple[int, str]]] = {True: deque(), False: deque()}
        self._came = 0

    def add(self, ids: Iterable[str]) -> None:
        for step_id in ids:
            self._queues[isinstance(self._steps[step_id].action, WAITS)].append((self._came, step_id))
            self._came += 1

    def take(self, running: Collection[Step]) -> Step | None:
        """The first one that there is room for beside those that run."""
        waits = sum(isinstance(step.action, WAITS) for step in running)
        used = {True: waits, False: len(running) - waits}
        queues = [queue for kind, queue in self._queues.items() if queue and used[kind] < self._most[kind]]
        return self._steps[min(queues, key=lambda queue: queue[0]).popleft()[1]] if queues else None


@dataclass(slots=True)
class _Execution:
    """`begun` has the groups of which a step was carried out, with how to undo the last one that was; `undone` those that went back.

    `started` are steps; `refused` those of them that are known to have done nothing.
    """

    by: Executor
    steps: Mapping[str, Step]
    outcomes: dict[str, Outcome]
    unreachable: set[str] = field(default_factory=set)
    begun: dict[str, Undo | None] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    started: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def run(self) -> tuple[Outcome, ...]:
        order = TopologicalSorter(
            {step.id: [before for before in (*step.needs, *step.follows) if before in self.steps] for step in self.steps.values()}
        )
        order.prepare()
        running: dict[Future[Outcome], Step] = {}
        ready = _Ready(self.steps, self.by.parallel)
        with ThreadPoolExecutor(max_workers=self.by.parallel + MOST_WAITS, thread_name_prefix="step") as pool:
            while order.is_active():
                ready.add(order.get_ready())
                while (step := ready.take(running.values())) is not None:
                    held = self._held_back(step)
                    if held is None:
                        self.begun[step.group] = step.undo
                        self.started.add(step.id)
                        self.by.on_start(step)
                        running[pool.submit(self._carry_out, step)] = step
                    elif self._must_go_back(step):
                        running[pool.submit(self._go_back, step, held)] = step
                    else:
                        self._record(step, held)
                        order.done(step.id)
                        ready.add(order.get_ready())
                if not running:
                    continue
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    step = running.pop(future)
                    self._record(step, future.result())
                    order.done(step.id)
        return tuple(self.outcomes[step_id] for step_id in self.steps)

    def _held_back(self, step: Step) -> Outcome | None:
        for needed in step.needs:
            outcome = self.outcomes[needed]
            if outcome.result != "done":
                return replace(outcome, step=step.id) if outcome.result == "skipped" else Outcome(step.id, "skipped", f"needs {needed}")
        for followed in step.follows:
            if self.outcomes[followed].error == UnreachableError.exit_name:
                return Outcome(step.id, "skipped", f"whether {followed} has come to its end is not known")
        if step.endpoint in self.unreachable:
            return Outcome(step.id, "skipped", f"{step.endpoint} stopped answering")
        if self._goes_on(step):
            return None
        return Outcome(step.id, "skipped", "interrupted") if self.by.stop.is_set() else self._held_by_freeze(step)

    def _goes_on(self, step: Step) -> bool:
        """A replacement that has stopped the old container goes on: stopping here would leave neither that one nor the new one."""
        return bool(step.group) and step.group in self.begun and not isinstance(self.begun[step.group], DiscardContainer)

    def _held_by_freeze(self, step: Step) -> Outcome | None:
        """A freeze has begun since the plan was made. A change that has begun is completed, with all that it needs."""
        beginning = self.by.frozen.get(step.id)
        if beginning is None or self.by.clock.now() < beginning.at:
            return None
        has_begun = not step.group and not self.started.isdisjoint(beginning.steps)
        if has_begun or self._is_awaited(step):
            return None
        return Outcome(step.id, "skipped", beginning.reason, error=BlockedError.exit_name)

    def _is_awaited(self, step: Step) -> bool:
        """Whether a replacement that goes on needs it: a network on the way to the new container."""
        awaited: set[str] = set()
        left = [other for other in self.steps.values() if self._goes_on(other)]
        while left:
            needed = self.steps.keys() & set(left.pop().needs) - awaited
            awaited |= needed
            left += [self.steps[step_id] for step_id in needed]
        return step.id in awaited

    def _must_go_back(self, step: Step) -> bool:
        """Whether a step that is held back leaves its group half-done, and that was not undone yet."""
        is_half_done = bool(step.group) and step.group in self.begun and step.group not in self.undone
        return is_half_done and self.begun[step.group] is not None and step.endpoint not in self.unreachable

    def _go_back(self, step: Step, held: Outcome) -> Outcome:
        undo = self.begun[step.group]
        assert undo is not None
        self.undone.add(step.group)
        undo, back = self._way_back(step, undo)
        try:
            self.by.undo(step, undo)
        except DtnctlError as error:
            text = f"{held.reason}; going back failed: {error}; the next apply continues"
            return Outcome(step.id, "failed", text, error=DtnctlError.exit_name)
        if isinstance(undo, DiscardContainer):
            return replace(held, reason=f"{held.reason}; {UNTOUCHED}")
        return Outcome(step.id, "undone", f"{held.reason}; {back}", error=DtnctlError.exit_name)

    def _way_back(self, step: Step, undo: Undo) -> tuple[Undo, str]:
        """What is undone for a step's group, and in words what is there then."""
        if isinstance(undo, (RestoreContainer, ReplaceContainer)) and undo.start and self._has_lost_volume(step.group):
            return replace(undo, start=False), f"{BACK}, and stopped until the next apply: its volume may be unmounted"
        return undo, BACK

    def _has_lost_volume(self, group: str) -> bool:
        """Whether a volume of the group's container is unmounted, or may be: it would start on the empty folder below.

        An unmount that takes too long fails, too, but Linux takes the volume away first and writes what it holds afterwards.
        """
        unmounts = [step for step in self.steps.values() if action_type(step.action) == "UnmountVolume" and step.id in self.started]
        held = (step for step in unmounts if any(self.steps[item].group == group for item in step.needs))
        return any(step.id not in self.refused and not self._is_mounted_again(step) for step in held)

    def _is_mounted_again(self, unmount: Step) -> bool:
        outcome = self.outcomes.get(unmount.id.replace("/unmount-volume/", "/mount-volume/"))
        return outcome is not None and outcome.result == "done"

    def _carry_out(self, step: Step) -> Outcome:
        before = self.by.clock.monotonic()
        try:
            detail = self.by.perform(step)
        except DtnctlError as error:
            return self._failed(step, error, self.by.clock.monotonic() - before)
        return Outcome(step.id, "done", seconds=self.by.clock.monotonic() - before, detail=detail)

    def _failed(self, step: Step, error: DtnctlError, seconds: float) -> Outcome:
        if isinstance(error, ConflictError):
            self.refused.add(step.id)
        is_engine_gone = isinstance(error, UnreachableError) and not isinstance(step.action, HostRequest)
        failed = Outcome(step.id, "failed", str(error), seconds, error.exit_name)
        if isinstance(error, HealthTimeoutError):
            failed = replace(failed, check_output=error.check_output, log=error.log)
        if step.undo is None or is_engine_gone or isinstance(error, LockError):
            return failed
        self.undone.add(step.group)
        undo, back = self._way_back(step, step.undo)
        try:
            self.by.undo(step, undo)
        except DtnctlError as second:
            return replace(failed, reason=f"{error}; going back failed too: {second}; the next apply continues")
        if isinstance(step.undo, DiscardContainer):
            return replace(failed, reason=f"{error}; {UNTOUCHED}")
        return replace(failed, result="undone", reason=f"{error}; {back}")

    def _record(self, step: Step, outcome: Outcome) -> None:
        self.outcomes[step.id] = outcome
        # A transfer has two ends, and a step of the host has the agent's: it is not known that the engine went away.
        if outcome.error == UnreachableError.exit_name and not isinstance(step.action, (StartTransfer, FinishTransfer, HostRequest)):
            self.unreachable.add(step.endpoint)
        self.by.on_outcome(outcome, step)


BACK = "the container that was there is back"
UNTOUCHED = "nothing was interrupted, the container that is there was not touched"
