"""Engines that ask for the lease before each write, so that a process that was stopped inside of a long step does not go on with it.

A step of a transfer makes many calls and may wait a minute between two of them. Meanwhile the process can be stopped for longer than a
lease without a beat is left alone, and another one goes on where it was. What no engine can refuse is the one call that was on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from dtnctl.providers.base import Engine
from dtnctl.providers.store import Store

Check: TypeAlias = Callable[[str], None]

WRITES = frozenset({"perform", "create_container", "start", "stop", "remove", "write_files", "run", "claim", "beat", "write"})


class _Leased:
    """An engine, or its store, whose methods that write first call `check` with the endpoint's name."""

    def __init__(self, writer: Engine | Store, endpoint: str, check: Check) -> None:
        self._writer = writer
        self._endpoint = endpoint
        self._check = check

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._writer, name)
        if name == "store":
            return _Leased(found, self._endpoint, self._check)
        return self._checked(found) if name in WRITES else found

    def _checked(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*arguments: Any, **named: Any) -> Any:
            self._check(self._endpoint)
            return call(*arguments, **named)

        return checked


def leased_engines(engines: Mapping[str, Engine], check: Check) -> Mapping[str, Engine]:
    """The engines, whose writes raise what `check` raises: LockError where the lease of the endpoint is not certainly ours."""
    return {name: cast("Engine", _Leased(engine, engine.endpoint, check)) for name, engine in engines.items()}
