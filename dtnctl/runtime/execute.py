"""Carries out the steps of a plan: each after those that it needs, several at once, one thread owning all state.

A failed step holds back only what needs it. Where a step says how to go back, that is done before anything else of its
group. Ctrl-C stops scheduling; calls in flight end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from dtnctl.errors import DtnctlError, HealthTimeoutError, LockError, TransferError, UnreachableError
from dtnctl.model.plan import Outcome, Plan, RestoreContainer, Step
from dtnctl.runtime.clock import Clock

Perform = Callable[[Step], str]
Undo = Callable[[Step, RestoreContainer], None]


def execute(
    plan: Plan,
    perform: Perform,
    undo: Undo,
    *,
    parallel: int,
    clock: Clock,
    stop: threading.Event,
    on_outcome: Callable[[Outcome, Step], None],
) -> tuple[Outcome, ...]:
    """What became of every step. Nothing is raised for a step that fails; `perform` returns a detail for the reader."""
    return _Execution(plan, perform, undo, parallel, clock, stop, on_outcome).run()


class _Execution:
    def __init__(
        self,
        plan: Plan,
        perform: Perform,
        undo: Undo,
        parallel: int,
        clock: Clock,
        stop: threading.Event,
        on_outcome: Callable[[Outcome, Step], None],
    ) -> None:
        self.steps = {step.id: step for step in plan.steps}
        self.perform = perform
        self.undo = undo
        self.parallel = parallel
        self.clock = clock
        self.stop = stop
        self.on_outcome = on_outcome
        self.outcomes: dict[str, Outcome] = {}
        self.unreachable: set[str] = set()

    def run(self) -> tuple[Outcome, ...]:
        order = TopologicalSorter({step.id: step.needs for step in self.steps.values()})
        order.prepare()
        running: dict[Future[Outcome], Step] = {}
        ready: list[str] = []
        with ThreadPoolExecutor(max_workers=self.parallel, thread_name_prefix="step") as pool:
            while order.is_active():
                ready += order.get_ready()
                while ready and len(running) < self.parallel:
                    step = self.steps[ready.pop(0)]
                    reason = self._held_back(step)
                    if reason is None:
                        running[pool.submit(self._carry_out, step)] = step
                    else:
                        self._record(step, Outcome(step.id, "skipped", reason))
                        order.done(step.id)
                        ready += order.get_ready()
                if not running:
                    continue
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    step = running.pop(future)
                    self._record(step, future.result())
                    order.done(step.id)
        return tuple(self.outcomes[step_id] for step_id in self.steps)

    def _held_back(self, step: Step) -> str | None:
        for needed in step.needs:
            outcome = self.outcomes[needed]
            if outcome.result != "done":
                return outcome.reason if outcome.result == "skipped" else f"needs {needed}"
        if step.endpoint in self.unreachable:
            return f"{step.endpoint} stopped answering"
        return "interrupted" if self.stop.is_set() else None

    def _carry_out(self, step: Step) -> Outcome:
        before = self.clock.monotonic()
        try:
            detail = self.perform(step)
        except DtnctlError as error:
            return self._failed(step, error, self.clock.monotonic() - before)
        return Outcome(step.id, "done", seconds=self.clock.monotonic() - before, detail=detail)

    def _failed(self, step: Step, error: DtnctlError, seconds: float) -> Outcome:
        kind = _ERROR_KINDS.get(type(error), "engine")
        if step.undo is None or isinstance(error, (UnreachableError, LockError)):
            return Outcome(step.id, "failed", str(error), seconds, kind)  # type: ignore[arg-type]  # values of _ERROR_KINDS are the literals
        try:
            self.undo(step, step.undo)
        except DtnctlError as second:
            reason = f"{error}; going back failed too: {second}; the next apply continues"
            return Outcome(step.id, "failed", reason, seconds, kind)  # type: ignore[arg-type]  # as above
        return Outcome(step.id, "undone", f"{error}; the old container is back", seconds, kind)  # type: ignore[arg-type]  # as above

    def _record(self, step: Step, outcome: Outcome) -> None:
        self.outcomes[step.id] = outcome
        if outcome.error == "unreachable":
            self.unreachable.add(step.endpoint)
        self.on_outcome(outcome, step)


_ERROR_KINDS: dict[type[DtnctlError], str] = {
    UnreachableError: "unreachable",
    HealthTimeoutError: "health",
    TransferError: "transfer",
    LockError: "lock",
}
