"""One lab for all trials; each gets clean engines and the state of its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import Lab, unavailable
from tests.trials.trial import Trial

OpenTrial = Callable[[str], Trial]


@pytest.fixture(scope="module")
def two_endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if reason := unavailable():
        pytest.skip(reason)
    with Lab(tmp_path_factory.mktemp("trials"), 2, image="both") as lab:
        yield lab


@pytest.fixture
def trial(two_endpoints: Lab, tmp_path: Path) -> Iterator[OpenTrial]:
    """`trial("16-daemon-defaults")` opens the trial of that folder."""
    opened: list[Trial] = []

    def open_trial(name: str) -> Trial:
        opened.append(Trial(two_endpoints, tmp_path, Path(__file__).parent / name))
        return opened[-1]

    yield open_trial
    for item in opened:
        item.clean()
