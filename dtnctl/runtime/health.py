"""Waits until a container is ready: its health check passes, or without one it keeps running for a moment.

Ending is failing, with whatever exit code and restart policy: what should run does not end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from dtnctl.errors import EngineError, HealthTimeoutError, UnreachableError
from dtnctl.model.actions import WaitHealthy
from dtnctl.model.resources import ContainerSeen
from dtnctl.planning.restarts import MOST_RESTARTS
from dtnctl.providers.base import Engine
from dtnctl.runtime.clock import Clock

LOOK_EVERY_SECONDS = 0.5
SETTLE_PERIODS = 3  # one that the engine restarts may end once or twice, such as before its address can be used
LOG_LINES = 10
LONGEST_LINE = 400  # characters
SHORTEST_SECRET = 6  # characters; shorter values are found in any text
OWN_VARIABLES = frozenset({"HOSTNAME", "CTRL_PORT", "SERV_PORT", "DATA_PORTS", "DATA_IFACE", "USER_NAME", "PATH", "HOME", "TERM", "LANG"})


def wait_healthy(engine: Engine, action: WaitHealthy, clock: Clock) -> None:
    """Return when it is ready; raise HealthTimeoutError when it ended, turned unhealthy or took too long.

    What its health check and itself wrote last is in the error: a container that failed may be removed right after.
    """
    seen = engine.inspect(action.container)
    if seen.spec.health is None:
        settle(engine, seen, action.settle, clock)
        return
    timeout = seen.spec.health.verdict_seconds if action.timeout is None else action.timeout
    deadline, restarts = clock.monotonic() + timeout, seen.restart_count
    while True:
        if reason := _why_not(seen, restarts):
            raise _failure(engine, seen, reason)
        if seen.state == "running" and seen.health == "healthy":
            return
        if clock.monotonic() >= deadline:
            raise _failure(engine, seen, f"is still {seen.health or seen.state} after {timeout:.0f} s")
        clock.sleep(LOOK_EVERY_SECONDS)
        engine.check_health(action.container)
        seen = engine.inspect(action.container)


def _why_not(seen: ContainerSeen, restarts: int) -> str:
    """Why it will not become healthy; empty if it still may. `restarts` is how often the engine had restarted it before."""
    if seen.restart_count - restarts > MOST_RESTARTS:
        return _ends_again(seen)
    if seen.state == "restarting":
        return ""  # the engine calls it unhealthy meanwhile
    return _ended(seen) or ("is unhealthy" if seen.health == "unhealthy" else "")


def settle(engine: Engine, seen: ContainerSeen, seconds: float, clock: Clock) -> None:
    """Return when one run of it has lasted for the given number of seconds; HealthTimeoutError if it ended, or ends again and again."""
    for _ in range(SETTLE_PERIODS):
        before = seen
        clock.sleep(seconds)
        seen = engine.inspect(before.id)
        if reason := _ended(seen):
            raise _failure(engine, seen, reason)
        if _is_same_run(before, seen):
            return
    raise _failure(engine, seen, _ends_again(seen))


def _is_same_run(before: ContainerSeen, after: ContainerSeen) -> bool:
    """Whether it ran at both moments and was not started between them: one that is just restarted runs for a moment, too."""
    runs = [(seen.state, seen.started_at, seen.restart_count) for seen in (before, after)]
    return before.state == "running" and runs[0] == runs[1]


def _ended(seen: ContainerSeen) -> str:
    """How it ended for good; empty if it runs, or the engine starts it again."""
    if seen.state == "exited":
        return f"ended with exit code {seen.exit_code}" + (", out of memory" if seen.oom_killed else "")
    return "" if seen.state in ("running", "restarting") else f"is {seen.state}"


def _ends_again(seen: ContainerSeen) -> str:
    code = f" with exit code {seen.exit_code}" if seen.state == "restarting" else ""
    return f"ends again and again{code}, and the engine restarts it"


def _failure(engine: Engine, seen: ContainerSeen, reason: str) -> HealthTimeoutError:
    """With its last words. That they cannot be read is no other failure."""
    written: list[bytes] = []
    with contextlib.suppress(EngineError, UnreachableError):
        written += engine.logs(seen.id, tail=LOG_LINES)
    log = _lines(b"".join(written).decode("utf-8", "replace"), seen)
    failed = [run for run in seen.checks if run.exit_code]
    check = _lines(failed[-1].output, seen) if failed else ()
    text = f"{seen.name} {reason}"
    if failed:
        text += f"; its health check: exit code {failed[-1].exit_code}" + (f", {check[-1]}" if check else "")
    elif log:
        text += f"; its log ends: {log[-1]}"
    return HealthTimeoutError(text, check, log)


def _lines(text: str, seen: ContainerSeen) -> tuple[str, ...]:
    """The last lines, none of them long, without values of the container's environment."""
    for name, value in _hidden(seen):
        text = text.replace(value, f"(value of {name})")
    return tuple(line[:LONGEST_LINE] for line in text.splitlines() if line.strip())[-LOG_LINES:]


def _hidden(seen: ContainerSeen) -> Iterable[tuple[str, str]]:
    """Variables that a log may not show, the longest values first: people pass secrets by them, and this text goes to CI logs."""
    found = [pair for pair in seen.spec.env if pair[0] not in OWN_VARIABLES and len(pair[1]) >= SHORTEST_SECRET]
    secrets = [(name, text) for name, value in seen.secret_values.items() for text in value.parts()]
    return sorted((*found, *secrets), key=lambda pair: -len(pair[1]))
