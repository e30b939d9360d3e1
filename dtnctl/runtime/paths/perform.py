"""Carries out what a plan does to paths: looks first, asks only for what is not so yet, and waits for what its provider does later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.path_actions import ActivatePath, Awaited, DeactivatePath, ModifyPath, PathAction, ReleasePath, RequestPath, WaitPath
from dtnctl.model.paths import GONE, PathProviderSeen, PathSeen, PathSpec, PathState
from dtnctl.providers.paths.base import PathService
from dtnctl.runtime.clock import Clock

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between two looks; each is longer than the one before
AT_REST: frozenset[PathState] = frozenset({"reserved", "active", "failed", *GONE})
REACHED: dict[Awaited, frozenset[PathState]] = {
    "reserved": frozenset({"reserved", "activating", "active"}),
    "active": frozenset({"active"}),
    "settled": AT_REST,
    "deactivated": frozenset({"reserved", "failed", *GONE}),
    "released": GONE,
}
HOPELESS: frozenset[PathState] = frozenset({"failed", *GONE})  # of one that should be reserved or active


@dataclass(frozen=True, slots=True)
class PathRun:
    """What carrying out needs: the provider, the time, where progress is said, and whether somebody asked to stop."""

    service: PathService
    clock: Clock
    report: Callable[[str], None]
    stop: threading.Event

    def perform(self, action: PathAction) -> str:
        """Carry out one step; returns what the reader should know beyond that it is done."""
        match action:
            case RequestPath(path=path):
                return self._request(path)
            case ActivatePath(path=path):
                seen = self._present(path)
                if seen.state not in ("activating", "active"):
                    self.service.activate(seen)
            case ModifyPath(path=path):
                self.service.modify(self._present(path), path)
            case DeactivatePath(id=wanted):
                seen_there = self._with_id(wanted)
                if seen_there is not None and seen_there.state == "active":
                    self.service.deactivate(seen_there)
            case ReleasePath(id=wanted):
                seen_there = self._with_id(wanted)
                if seen_there is not None and seen_there.state not in (*GONE, "releasing"):
                    self.service.release(seen_there)
            case WaitPath():
                return self._wait(action)
            case _:
                assert_never(action)
        return ""

    def _request(self, path: PathSpec) -> str:
        """What was asked for by a run that ended before it had the answer is found, and not asked for twice."""
        seen = self._seen().named(path.name)
        if seen is not None and seen.state not in GONE:
            return f"it is there already, {seen.words or seen.state}"
        self.service.request(path)
        return ""

    def _seen(self) -> PathProviderSeen:
        """UnreachableError if the provider gives no answer: without one nothing is known, and nothing is asked for."""
        seen = self.service.observe()
        if seen.silence:
            raise UnreachableError(seen.silence)
        return seen

    def _present(self, path: PathSpec) -> PathSeen:
        seen = self._seen().named(path.name)
        if seen is None or seen.state in HOPELESS:
            raise EngineError(f"path {path.name} is {_words(seen)} at {path.provider}")
        return seen

    def _with_id(self, wanted: str) -> PathSeen | None:
        return next((item for item in self._seen().paths if item.id == wanted), None)

    def _wait(self, action: WaitPath) -> str:
        """Providers that do not answer once are asked again until the time is over."""
        path, before, pause = action.path, "", FIRST_PAUSE
        deadline = self.clock.monotonic() + action.timeout
        while True:
            found = self.service.observe()
            seen = next((item for item in found.paths if item.id == action.id), None) if action.id else found.named(path.name)
            words = found.silence or _words(seen)
            if not found.silence and self._is_reached(action, seen):
                return words if action.until == "active" else ""
            if words != before:
                self.report(f"path {path.name}: {words}")
            before = words
            if self.clock.monotonic() >= deadline:
                raise EngineError(f"path {path.name} is not {action.until} after {action.timeout:.0f} s: {words}; the next apply continues")
            if self.stop.is_set():
                raise EngineError(f"stopped waiting for path {path.name}: {words}; the next apply continues")
            self.clock.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    @staticmethod
    def _is_reached(action: WaitPath, seen: PathSeen | None) -> bool:
        """Whether it is as awaited. EngineError if it never will be."""
        state: PathState = seen.state if seen is not None else "released"
        if action.until in ("reserved", "active") and state in HOPELESS:
            raise EngineError(f"path {action.path.name} is {_words(seen)} at {action.path.provider}")
        return state in REACHED[action.until]


def _words(seen: PathSeen | None) -> str:
    if seen is None:
        return "not there"
    return f"{seen.state} ({seen.words})" if seen.words else seen.state
