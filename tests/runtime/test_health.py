"""Waiting until a container is ready: what counts as ready, what as failed, and what is seen of a failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from dtnctl.errors import EngineError, HealthTimeoutError
from dtnctl.model.actions import WaitHealthy
from dtnctl.model.check_runs import CheckRun
from dtnctl.model.resources import ContainerSeen, ContainerSpec, Health
from dtnctl.providers.base import Engine
from dtnctl.runtime.health import LOG_LINES, LONGEST_LINE, settle, wait_healthy

CHECK = Health(("CMD", "check"), interval=1.0, timeout=1.0, retries=2, start_period=4.0)
RUNNING = ContainerSeen("lab.one", "id1", {}, ContainerSpec("dtn:1"), "sha256:1", "running", started_at="2026-06-01T00:00:00Z")
STARTING = replace(RUNNING, spec=ContainerSpec("dtn:1", health=CHECK), health="starting")
CRASHED = replace(RUNNING, state="restarting", exit_code=3)


class ScriptedClock:
    """Time that moves by sleeping only."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> datetime:
        return datetime(2026, 6, 1, tzinfo=UTC)


class ScriptedEngine:
    """Shows one state after the other, the last one for good, and has one log."""

    def __init__(self, states: Sequence[ContainerSeen], log: bytes | None = b"") -> None:
        self.states = list(states)
        self.log = log
        self.asked: list[str] = []

    def check_health(self, container: str) -> None:
        self.asked.append(container)

    def inspect(self, container: str) -> ContainerSeen:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def logs(self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False) -> Iterator[bytes]:
        if self.log is None:
            raise EngineError("no such log")
        yield self.log


def wait(*states: ContainerSeen, timeout: float | None = 10.0, log: bytes | None = b"") -> float:
    """Wait, and return how long that took."""
    clock = ScriptedClock()
    wait_healthy(cast(Engine, ScriptedEngine(states, log)), WaitHealthy("lab.one", timeout, settle=1.0), clock)
    return clock.seconds


def failure(*states: ContainerSeen, timeout: float | None = 10.0, log: bytes | None = b"") -> HealthTimeoutError:
    with pytest.raises(HealthTimeoutError) as caught:
        wait(*states, timeout=timeout, log=log)
    return caught.value


def test_healthy_is_ready_and_running_for_the_settling_time_is_ready_without_a_check() -> None:
    assert wait(STARTING, STARTING, replace(STARTING, health="healthy")) == 1.0
    assert wait(RUNNING) == 1.0


def test_a_check_is_asked_for_before_each_further_look_and_only_where_there_is_one() -> None:
    engine = ScriptedEngine((STARTING, STARTING, replace(STARTING, health="healthy")))
    wait_healthy(cast(Engine, engine), WaitHealthy("lab.one", 10.0, settle=1.0), ScriptedClock())
    assert engine.asked == ["lab.one", "lab.one"]
    unchecked = ScriptedEngine((RUNNING,))
    wait_healthy(cast(Engine, unchecked), WaitHealthy("lab.one", 10.0, settle=1.0), ScriptedClock())
    assert unchecked.asked == []


@pytest.mark.parametrize("code", [0, 3])
def test_a_service_that_ends_is_a_failure_with_whatever_exit_code(code: int) -> None:
    ended = replace(RUNNING, state="exited", exit_code=code)
    assert str(failure(RUNNING, ended, log=b"no config\n")) == f"lab.one ended with exit code {code}; its log ends: no config"
    assert str(failure(replace(STARTING, state="exited", exit_code=code, health="unhealthy"))) == f"lab.one ended with exit code {code}"


@pytest.mark.parametrize("state", ["created", "dead", "paused", "removing"])
def test_what_neither_runs_nor_ended_is_named_as_the_engine_calls_it(state: Any) -> None:
    assert str(failure(RUNNING, replace(RUNNING, state=state))) == f"lab.one is {state}"


def test_running_out_of_memory_is_said() -> None:
    assert str(failure(RUNNING, replace(RUNNING, state="exited", exit_code=137, oom_killed=True))).endswith("137, out of memory")


def test_one_that_the_engine_restarts_again_and_again_is_a_failure_and_one_that_stays_after_its_second_start_is_not() -> None:
    crashes = [replace(CRASHED, restart_count=count) for count in (1, 2, 3, 4, 5)]
    assert "lab.one ends again and again with exit code 3, and the engine restarts it" in str(failure(RUNNING, *crashes))
    between = [replace(RUNNING, restart_count=count) for count in (1, 2, 3)]
    assert "ends again and again, and" in str(failure(RUNNING, *between))
    once = replace(RUNNING, restart_count=1)
    assert wait(RUNNING, once, once) == 2.0


def test_one_that_runs_for_a_moment_only_because_the_engine_just_restarted_it_is_not_ready() -> None:
    crashed, restarted = replace(CRASHED, restart_count=4), replace(RUNNING, restart_count=4, started_at="2026-06-01T00:00:03Z")
    assert "ends again" in str(failure(RUNNING, replace(CRASHED, restart_count=3), crashed, restarted))
    assert wait(RUNNING, crashed, restarted, restarted) == 3.0
    same_count = replace(RUNNING, started_at="2026-06-01T00:00:01Z")
    assert wait(RUNNING, same_count, same_count) == 2.0


def test_a_checked_one_may_be_restarted_a_few_times_before_it_becomes_healthy() -> None:
    crashed = replace(STARTING, state="restarting", health="unhealthy", restart_count=1)
    assert wait(STARTING, crashed, replace(STARTING, restart_count=1), replace(STARTING, restart_count=1, health="healthy")) == 1.5
    assert "ends again" in str(failure(STARTING, replace(crashed, restart_count=4)))


def test_a_check_that_gives_no_verdict_in_time_is_a_failure() -> None:
    assert str(failure(STARTING, timeout=3.0)) == "lab.one is still starting after 3 s"


def test_without_a_time_in_the_plan_that_of_the_containers_own_check_counts() -> None:
    assert CHECK.verdict_seconds == 10.0
    assert str(failure(STARTING, timeout=None)) == "lab.one is still starting after 10 s"
    assert replace(CHECK, interval=0.0, timeout=0.0, retries=0, start_period=0.0).verdict_seconds == 240.0


def test_what_the_check_and_the_container_wrote_is_in_the_failure() -> None:
    sick = replace(STARTING, health="unhealthy", checks=(CheckRun(0, "fine"), CheckRun(7, "first\n\nport closed\n")))
    error = failure(sick, log=b"one\ntwo\n")
    assert str(error) == "lab.one is unhealthy; its health check: exit code 7, port closed"
    assert (error.check_output, error.log) == (("first", "port closed"), ("one", "two"))
    silent = failure(replace(sick, checks=(CheckRun(1, ""),)))
    assert str(silent) == "lab.one is unhealthy; its health check: exit code 1"


def test_a_log_that_cannot_be_read_is_no_other_failure() -> None:
    assert failure(replace(RUNNING, state="exited"), log=None).log == ()


def test_last_words_are_few_short_and_without_values_of_the_environment() -> None:
    env = (("CTRL_PORT", "30000-known"), ("LONG", "hunter22-and-more"), ("PASSWORD", "hunter22"), ("SHORT", "abc"))
    ended = replace(RUNNING, state="exited", spec=replace(RUNNING.spec, env=env))
    written = b"early\n" * 20 + b"x" * 1000 + b"\nabc hunter22 30000-known hunter22-and-more \xff\n"
    error = failure(ended, log=written)
    assert len(error.log) == LOG_LINES
    assert error.log[-2] == "x" * LONGEST_LINE
    assert error.log[-1] == "abc (value of PASSWORD) 30000-known (value of LONG) \N{REPLACEMENT CHARACTER}"
    assert "hunter22" not in str(error)


def test_what_was_restored_settles_too() -> None:
    clock = ScriptedClock()
    with pytest.raises(HealthTimeoutError):
        settle(cast(Engine, ScriptedEngine([replace(RUNNING, state="exited")])), RUNNING, 1.0, clock)
