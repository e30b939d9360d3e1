"""Which of the lab's engines tests run on: those of `make test`, or those that `make test-engines` names in $DTN_ENGINES."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lab import EngineUnavailableError, Lab, unavailable
from lab.images import Content
from lab.releases import OWN, RELEASES

USUAL = (OWN.name, "docker-28-containerd")
NAMED = tuple(os.environ.get("DTN_ENGINES", "").split())
CHOSEN = NAMED or USUAL
UNKNOWN = sorted(set(CHOSEN) - RELEASES.keys())
if UNKNOWN:
    raise pytest.UsageError(f"DTN_ENGINES: no such engine: {', '.join(UNKNOWN)}; there are {', '.join(RELEASES)}")

every_engine = pytest.mark.every_engine
# in `make test`, too, on more than this machine's own engine
usual_engines = pytest.mark.every_engine(usual=True)
PARAMS = [pytest.param(name, marks=pytest.mark.lab) for name in CHOSEN]


def params_of(marker: pytest.Mark) -> list[object]:
    """The engines of a scenario with this marker."""
    return [*PARAMS] if NAMED or marker.kwargs.get("usual") else [pytest.param(OWN.name, marks=pytest.mark.lab)]


class Labs:
    """Labs by engine, each brought up when it is first asked for. An engine that cannot be had here is a skip that says why."""

    def __init__(self, stack: ExitStack, make: Callable[[str], Lab]) -> None:
        self._stack, self._make = stack, make
        self._running: dict[str, Lab] = {}

    def lab(self, engine: str) -> Lab:
        if reason := unavailable():
            pytest.skip(reason)
        if engine not in self._running:
            try:
                self._running[engine] = self._stack.enter_context(self._make(engine))
            except EngineUnavailableError as reason:
                pytest.skip(str(reason))
        return self._running[engine]


@contextmanager
def labs(
    folder: Path,
    count: int,
    image: Content,
    *,
    config: Mapping[str, object] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Labs]:
    """Labs that end with the block; `config` goes into each engine's daemon.json, `variables` into its environment."""
    with ExitStack() as stack:
        yield Labs(stack, lambda name: Lab(folder / name, count, image=image, engine=name, config=config, variables=variables))
