"""Which of the lab's engines tests run on: those of `make test`, or those that `make test-engines` names in $DTN_ENGINES."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest

from lab import EngineUnavailableError, Lab, unavailable
from lab.images import Content, Progress
from lab.releases import OWN, RELEASES, system_folder

USUAL = (OWN.name, "docker-28-containerd")
NAMED = tuple(os.environ.get("DTN_ENGINES", "").split())
CHOSEN = NAMED or USUAL
UNKNOWN = sorted(set(CHOSEN) - RELEASES.keys())
if UNKNOWN:
    raise pytest.UsageError(f"DTN_ENGINES: no such engine: {', '.join(UNKNOWN)}; there are {', '.join(RELEASES)}")

MISSING = pytest.StashKey[dict[str, str]]()  # why an engine cannot be had here

every_engine = pytest.mark.every_engine
# in `make test`, too, on more than this machine's own engine
usual_engines = pytest.mark.every_engine(usual=True)
PARAMS = [pytest.param(name, marks=pytest.mark.lab) for name in CHOSEN]
# what runs on Podman in each run: where its answers differ most from Docker's. Its packages are those of a usual engine's folder
PODMAN = "podman-5.8"
PODMANS = [pytest.param(name, marks=pytest.mark.lab) for name in NAMED or (PODMAN,) if RELEASES[name].podman]
PODMAN_TOO = PARAMS if NAMED else [*PARAMS, pytest.param(PODMAN, marks=pytest.mark.lab)]
podman_too = pytest.mark.parametrize("backend", ["fake", "portainer-socket", "portainer-tcp", *PODMAN_TOO], indirect=True)
# what something in front of the engine says in other words
asked_directly = pytest.mark.parametrize("backend", ["fake", *PARAMS], indirect=True)
# what the in-memory engine lacks, since no other test uses it there
podmans_only = pytest.mark.parametrize("backend", PODMANS, indirect=True)
real_engines_only = pytest.mark.parametrize("backend", PARAMS, indirect=True)
real_engines_and_podman = pytest.mark.parametrize("backend", PODMAN_TOO, indirect=True)


def params_of(marker: pytest.Mark) -> list[object]:
    """The engines of a scenario with this marker."""
    return [*PARAMS] if NAMED or marker.kwargs.get("usual") else [pytest.param(OWN.name, marks=pytest.mark.lab)]


class Labs:
    """Labs by engine, each brought up when it is first asked for. An engine that cannot be had here is a skip that says why."""

    def __init__(self, stack: ExitStack, make: Callable[[str], Lab], say: Progress, missing: dict[str, str]) -> None:
        self._stack, self._make, self._say, self._missing = stack, make, say, missing
        self._running: dict[str, Lab] = {}

    def lab(self, engine: str) -> Lab:
        if reason := unavailable() or self._missing.get(engine):
            pytest.skip(reason)
        if engine not in self._running:
            lab = self._make(engine)
            try:
                system_folder(lab.release, lab.cache, self._say)  # the first time takes a minute, which wants a word
            except EngineUnavailableError as error:
                self._missing[engine] = str(error)  # one try in a run: without a mirror it may take minutes
                pytest.skip(str(error))
            self._running[engine] = self._stack.enter_context(lab)
        return self._running[engine]


@contextmanager
def labs(
    request: pytest.FixtureRequest,
    count: int,
    image: Content | Callable[[str], Content],
    *,
    config: Mapping[str, object] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Labs]:
    """Labs that end with the block. `image` may depend on the engine; `config` goes into each daemon.json, `variables` into environment."""
    folder = request.getfixturevalue("tmp_path_factory").mktemp("labs")

    def make(engine: str) -> Lab:
        content = image(engine) if callable(image) else image
        return Lab(folder / engine, count, image=content, engine=engine, config=config, variables=variables)

    with ExitStack() as stack:
        yield Labs(stack, make, lambda text: _say(request.config, text), request.config.stash.setdefault(MISSING, {}))


def _say(config: pytest.Config, text: str) -> None:
    """Show a line in the run's own output, between the dots."""
    capture = config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        print(f"\nlab: {text}", file=sys.stderr, flush=True)
