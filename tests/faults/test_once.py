"""A transfer's job starts at most once per generation, whatever happens: one trial of each kind; `make faults` makes a thousand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.harness import Stage, warm_up
from tests.faults.once import KINDS, Trial, prepare, summary, try_once


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    warm_up()
    with Stage() as opened:
        prepare(opened)
        yield opened


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_happens_a_generation_starts_at_most_once(stage: Stage, kind: str) -> None:
    trial = try_once(stage, kind, 0)
    assert trial.failures == ()
    assert max(trial.starts.values()) <= 1


def test_the_sweep_counts_generations_by_starts_and_a_second_start_is_a_failure() -> None:
    trials = [Trial("k", 0, {1: 1, 2: 0}, ()), Trial("k", 1, {1: 1}, ()), Trial("k", 2, {1: 3}, ())]
    assert summary(trials) == "3 trials, starts per generation: 0: 1, 1: 2, 2+: 1"
    assert [trial.is_right for trial in trials] == [True, True, False]
    assert not Trial("k", 3, {1: 1}, ("Traceback",)).is_right
