"""Engines that ask for the lease before each write, so that a process that was stopped inside of a long step does not go on with it.

A step of a transfer makes many calls and may wait a minute between two of them. Meanwhile the process can be stopped for longer than a
lease without a beat is left alone, and another one goes on where it was. What no engine can refuse is the one call that was on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from dtnctl.providers.base import Engine

Check: TypeAlias = Callable[[str], None]

WRITES = frozenset({"perform", "create_container", "create_placeholder", "start", "stop", "remove", "write_files", "run"})


class _LeasedEngine:
    """An engine whose methods that write first call `check` with the endpoint's name."""

    def __init__(self, engine: Engine, check: Check) -> None:
        self._engine = engine
        self._check = check

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        return self._checked(found) if name in WRITES else found

    def _checked(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*arguments: Any, **named: Any) -> Any:
            self._check(self._engine.endpoint)
            return call(*arguments, **named)

        return checked


def leased_engines(engines: Mapping[str, Engine], check: Check) -> Mapping[str, Engine]:
    """The engines, whose writes raise what `check` raises: LockError where the lease of the endpoint is not certainly ours."""
    return {name: cast("Engine", _LeasedEngine(engine, check)) for name, engine in engines.items()}
