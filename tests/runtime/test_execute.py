"""The executor: order, failure, going back, interruption."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from dtn_agent.protocol.tuning import Tune

from dtnctl.errors import EngineError, HealthTimeoutError, UnreachableError
from dtnctl.model.actions import DiscardContainer, HostRequest, PullImage, RestoreContainer, Undo, WaitHealthy
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Step
from dtnctl.planning.rails.freezing import Beginning
from dtnctl.runtime.execute import UNTOUCHED, Executor


class StandingClock:
    """Time that stands still."""

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody waits here, not even {seconds} s")

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


def step(name: str, *needs: str, endpoint: str = "a", undo: RestoreContainer | None = None, follows: tuple[str, ...] = ()) -> Step:
    return Step(name, endpoint, PullImage(name), needs, undo=undo, follows=follows)


def nothing(*_: object) -> None:
    """Notes no outcome, and undoes nothing."""


class Run:
    """Runs steps that fail as told and notes the order in which they were carried out."""

    def __init__(self, *steps: Step, failing: dict[str, Exception] | None = None, parallel: int = 4) -> None:
        self.failing = failing or {}
        self.done: list[str] = []
        self.undone: list[str] = []
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.outcomes = {
            outcome.step: outcome
            for outcome in Executor(self.perform, self.undo, parallel, StandingClock(), self.stop, nothing).execute(steps)
        }

    def perform(self, step: Step) -> str:
        with self.lock:
            self.done.append(step.id)
        if step.id in self.failing:
            raise self.failing[step.id]
        if step.id == "interrupt":
            self.stop.set()
        return f"detail of {step.id}"

    def undo(self, step: Step, action: Undo) -> None:
        self.undone.append(action.container)
        if action.container == "cannot":
            raise EngineError("not even that")

    def results(self) -> dict[str, str]:
        return {name: outcome.result for name, outcome in self.outcomes.items()}


def test_a_step_runs_after_all_that_it_needs() -> None:
    run = Run(step("third", "first", "second"), step("second", "first"), step("first"))
    assert run.done == ["first", "second", "third"]
    assert run.outcomes["third"] == Outcome("third", "done", detail="detail of third")


def test_a_step_that_follows_others_runs_after_their_end_whatever_came_of_them() -> None:
    run = Run(step("last", follows=("bad", "held")), step("bad"), step("held", "bad"), failing={"bad": EngineError("no")})
    assert run.done == ["bad", "last"]
    assert run.results() == {"last": "done", "bad": "failed", "held": "skipped"}


def test_a_step_does_not_follow_one_whose_end_is_not_known() -> None:
    run = Run(step("last", follows=("gone",), endpoint="b"), step("gone"), failing={"gone": UnreachableError("no answer")})
    assert run.outcomes["last"] == Outcome("last", "skipped", "whether gone has come to its end is not known")


def test_a_failed_step_holds_back_only_what_needs_it() -> None:
    run = Run(step("bad"), step("after", "bad"), step("later", "after"), step("other"), failing={"bad": EngineError("no")})
    assert run.results() == {"bad": "failed", "after": "skipped", "later": "skipped", "other": "done"}
    assert run.outcomes["later"].reason == "needs bad"


def test_a_step_that_can_be_undone_is_undone_and_says_so() -> None:
    back = RestoreContainer("old", "id", start=True)
    run = Run(step("new", undo=back), step("remove-old", "new"), failing={"new": HealthTimeoutError("ill")})
    assert run.undone == ["old"]
    assert run.results() == {"new": "undone", "remove-old": "skipped"}
    assert run.outcomes["new"].error == "health-timeout"


def test_when_going_back_fails_too_both_reasons_are_told() -> None:
    run = Run(step("new", undo=RestoreContainer("cannot", "id", start=True)), failing={"new": EngineError("first")})
    assert run.outcomes["new"].result == "failed"
    assert "first" in run.outcomes["new"].reason
    assert "not even that" in run.outcomes["new"].reason


def test_an_endpoint_that_stops_answering_gets_no_further_steps_and_nothing_is_undone_there() -> None:
    back = RestoreContainer("old", "id", start=True)
    run = Run(
        step("lost", undo=back),
        step("z-other-on-it"),
        step("elsewhere", endpoint="b"),
        failing={"lost": UnreachableError("gone")},
        parallel=1,
    )
    assert run.results() == {"lost": "failed", "z-other-on-it": "skipped", "elsewhere": "done"}
    assert run.undone == []


def test_an_agent_that_stops_answering_is_no_reason_not_to_go_back() -> None:
    back = RestoreContainer("old", "id", start=True)
    stop = Step("stop", "a", PullImage("stop"), (), "group", back)
    setting = Step("vf", "a", HostRequest(Tune(site="demo", key="smt", value="off"), "tune", "smt = off"), ("stop",), "group", back)
    start = Step("start", "a", PullImage("start"), ("vf",), "group", back)
    run = Run(stop, setting, start, step("z-other", "stop"), failing={"vf": UnreachableError("gone")}, parallel=1)
    assert run.undone == ["old"]
    assert run.results() == {"stop": "done", "vf": "undone", "start": "skipped", "z-other": "done"}
    assert run.outcomes["vf"].error == "unreachable"


def test_a_replacement_that_cannot_go_on_goes_back_once() -> None:
    back = RestoreContainer("old", "id", start=True)
    retire = Step("retire", "a", PullImage("retire"), (), "group", back)
    create = Step("create", "a", PullImage("create"), ("retire", "network"), "group", back)
    start = Step("start", "a", PullImage("start"), ("create",), "group", back)
    run = Run(step("network"), retire, create, start, failing={"network": EngineError("no such parent")})
    assert run.undone == ["old"]
    assert run.results() == {"network": "failed", "retire": "done", "create": "undone", "start": "skipped"}


def test_a_replacement_that_has_begun_goes_on_after_an_interrupt() -> None:
    back = RestoreContainer("old", "id", start=True)
    stop_old = Step("interrupt", "a", PullImage("stop"), (), "group", back)
    create = Step("create", "a", PullImage("create"), ("interrupt",), "group", back)
    run = Run(stop_old, create, step("other", "create"), parallel=1)
    assert run.results() == {"interrupt": "done", "create": "done", "other": "skipped"}
    assert run.undone == []


def test_after_an_interrupt_nothing_new_is_started() -> None:
    run = Run(step("interrupt"), step("more", "interrupt"), step("most", "more"), parallel=1)
    assert run.results() == {"interrupt": "done", "more": "skipped", "most": "skipped"}
    assert run.outcomes["most"].reason == "interrupted"


# --- replacements that have not interrupted anything yet ------------------------------------------------------

DISCARD = DiscardContainer("new")
BACK = RestoreContainer("old", "id", start=True)


def prepared(stop_needs: tuple[str, ...] = ()) -> tuple[Step, ...]:
    create = Step("create", "a", PullImage("create"), (), "group", DISCARD)
    return create, Step("stop", "a", PullImage("stop"), ("create", *stop_needs), "group", BACK)


def test_a_creation_that_is_refused_is_discarded_and_nothing_is_said_to_be_back() -> None:
    run = Run(*prepared(), failing={"create": EngineError("only 2 CPUs")})
    assert run.undone == ["new"]
    assert run.results() == {"create": "failed", "stop": "skipped"}
    assert run.outcomes["create"].reason == "only 2 CPUs; nothing was interrupted, the container that is there was not touched"


def test_what_was_created_is_discarded_when_the_stop_is_held_back() -> None:
    run = Run(step("port"), *prepared(("port",)), failing={"port": EngineError("no")})
    assert run.undone == ["new"]
    assert run.results() == {"port": "failed", "create": "done", "stop": "skipped"}
    assert run.outcomes["stop"].reason == "needs port; nothing was interrupted, the container that is there was not touched"


def test_an_interrupt_before_the_old_one_was_stopped_leaves_it_running() -> None:
    create, stop = prepared(("interrupt",))
    run = Run(create, step("interrupt", "create"), stop, parallel=1)
    assert run.undone == ["new"]
    assert run.results() == {"create": "done", "interrupt": "done", "stop": "skipped"}


def test_a_discard_that_fails_is_said_and_left_to_the_next_apply() -> None:
    cannot = Step("create", "a", PullImage("create"), (), "group", DiscardContainer("cannot"))
    run = Run(cannot, failing={"create": EngineError("first")})
    assert run.results() == {"create": "failed"}
    assert run.outcomes["create"].reason == "first; going back failed too: not even that; the next apply continues"
    held = Step("stop", "a", PullImage("stop"), ("create", "port"), "group", BACK)
    run = Run(step("port", "create"), cannot, held, failing={"port": EngineError("no")})
    assert run.outcomes["stop"].result == "failed"


def test_last_words_of_a_container_that_did_not_become_ready_are_in_the_outcome() -> None:
    run = Run(step("wait", undo=BACK), failing={"wait": HealthTimeoutError("ill", ("check",), ("log",))})
    assert (run.outcomes["wait"].check_output, run.outcomes["wait"].log, run.outcomes["wait"].error) == (
        ("check",),
        ("log",),
        "health-timeout",
    )


def test_waiting_for_one_container_keeps_no_other_step_waiting() -> None:
    """The wait ends only when the other step has run, and there is room for one at a time."""
    ran = threading.Event()

    def perform(step: Step) -> str:
        if step.id == "wait":
            assert ran.wait(60), "the other step had to wait"
        else:
            ran.set()
        return ""

    steps = (Step("wait", "a", WaitHealthy("x", 1.0, 1.0)), Step("z-other", "a", PullImage("x")))
    outcomes = Executor(perform, nothing, 1, StandingClock(), threading.Event(), nothing).execute(steps)
    assert [outcome.result for outcome in outcomes] == ["done", "done"]


# --- a freeze that begins meanwhile -------------------------------------------------------------------------

OPENS = datetime(2026, 1, 1, 1, tzinfo=UTC)


class MovableClock(StandingClock):
    """Time that a step moves on."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


def run_into_a_freeze(*steps: Step, at: str, changes: tuple[tuple[str, ...], ...]) -> tuple[dict[str, Outcome], list[str]]:
    """One step at a time; the window opens while the step `at` is carried out. Also what was undone."""
    clock, undone = MovableClock(), list[str]()

    def perform(step: Step) -> str:
        clock.moment = OPENS if step.id == at else clock.moment
        return ""

    def undo(step: Step, action: Undo) -> None:
        undone.append(step.id)

    frozen = {name: Beginning(OPENS, "E0442 frozen", names) for names in changes for name in names}
    executor = Executor(perform, undo, 1, clock, threading.Event(), nothing, frozen=frozen)
    return {outcome.step: outcome for outcome in executor.execute(steps)}, undone


def results_of(outcomes: dict[str, Outcome]) -> dict[str, str]:
    return {name: outcome.result for name, outcome in outcomes.items()}


def test_no_change_begins_once_a_window_is_open_and_one_that_has_begun_is_completed() -> None:
    steps = (step("leave"), step("join", "leave"), step("second", "join"), step("third", "second"), step("free", "leave"))
    outcomes, _ = run_into_a_freeze(*steps, at="leave", changes=(("leave", "join"), ("second", "third")))
    assert results_of(outcomes) == {"leave": "done", "join": "done", "second": "skipped", "third": "skipped", "free": "done"}
    assert outcomes["third"] == Outcome("third", "skipped", "E0442 frozen", error="blocked")


def grouped(name: str, *needs: str, undo: Undo) -> Step:
    return Step(name, "a", PullImage(name), needs, "a/one", undo)


PREPARING = grouped("create", undo=DiscardContainer("new"))
STOPPING = grouped("stop", "create", undo=RestoreContainer("old", "id", start=True))


def test_a_replacement_that_has_interrupted_nothing_is_discarded_when_a_window_opens() -> None:
    outcomes, undone = run_into_a_freeze(PREPARING, STOPPING, at="create", changes=(("create", "stop"),))
    assert outcomes["stop"] == Outcome("stop", "skipped", f"E0442 frozen; {UNTOUCHED}", error="blocked")
    assert undone == ["stop"]


def test_a_replacement_that_has_stopped_the_old_container_is_completed_with_all_that_it_needs() -> None:
    starting = grouped("start", "network", undo=RestoreContainer("old", "id", start=True))
    steps = (PREPARING, STOPPING, step("network", "below", "stop"), step("below"), starting, step("other", "stop"))
    changes = (("create", "stop", "start"), ("network",), ("below",), ("other",))
    outcomes, undone = run_into_a_freeze(*steps, at="stop", changes=changes)
    assert results_of(outcomes) == dict.fromkeys(("create", "stop", "network", "below", "start"), "done") | {"other": "skipped"}
    assert not undone
