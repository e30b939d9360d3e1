"""A sample of the kill points in every test run; `make faults` tries them all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.harness import Stage, warm_up
from tests.faults.points import SCENARIOS, Scenario, try_all, try_deaths


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    warm_up()
    with Stage() as opened:
        yield opened


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_after_a_kill_at_any_call_the_next_run_converges_and_leaves_nothing_behind(stage: Stage, scenario: Scenario) -> None:
    points = list(try_all(stage, scenario, every=67))
    assert [point for point in points if point.failures] == []
    assert sum(point.was_killed for point in points) > len(points) // 2


@pytest.mark.parametrize("scenario", [item for item in SCENARIOS if item.has_agents], ids=lambda scenario: scenario.name)
def test_after_an_agent_died_at_any_of_its_writes_the_next_run_converges_and_leaves_nothing_behind(
    stage: Stage, scenario: Scenario
) -> None:
    points = list(try_deaths(stage, scenario, every=47))
    assert [point for point in points if point.failures] == []
    assert all(point.was_killed for point in points)
