"""Waits until a container is ready: its health check passes, or without one it keeps running for a moment."""

from __future__ import annotations

from dtnctl.errors import HealthTimeoutError
from dtnctl.model.plan import WaitHealthy
from dtnctl.providers.base import Engine
from dtnctl.runtime.clock import Clock

LOOK_EVERY_SECONDS = 0.5


def wait_healthy(engine: Engine, action: WaitHealthy, clock: Clock) -> None:
    """Return when it is ready; raise HealthTimeoutError when it ended, turned unhealthy or took too long."""
    if action.settle:
        exit_code = engine.wait(action.container, action.settle)
        if exit_code is not None:
            raise HealthTimeoutError(f"{action.container} ended at once with exit code {exit_code}; see its log")
        return
    deadline = clock.monotonic() + action.timeout
    while True:
        seen = engine.inspect(action.container)
        if seen.health == "healthy":
            return
        if seen.state not in ("running", "restarting") or seen.health == "unhealthy":
            state = f"exited with code {seen.exit_code}" if seen.state == "exited" else seen.health or seen.state
            raise HealthTimeoutError(f"{action.container} is not healthy: {state}")
        if clock.monotonic() >= deadline:
            raise HealthTimeoutError(f"{action.container} is still {seen.health} after {action.timeout:.0f} s")
        clock.sleep(LOOK_EVERY_SECONDS)
