"""The order of steps: each after those that it needs, whatever their number; steps that wait for each other are no plan."""

from __future__ import annotations

from graphlib import CycleError

import pytest

from dtnctl.model.actions import PullImage
from dtnctl.model.plan import Step
from dtnctl.planning.ordering import in_order


def step(name: str, *needs: str, endpoint: str = "a") -> Step:
    return Step(name, endpoint, PullImage(name), needs)


def test_steps_are_in_the_order_of_names_but_for_what_they_need() -> None:
    steps = (step("d", "z", "c"), step("b"), step("c", "z"), step("z", endpoint="b"), step("a", "d", endpoint="c"))
    assert [item.id for item in in_order(steps, {})] == ["b", "z", "c", "d", "a"]


def test_a_step_stands_after_those_that_it_follows() -> None:
    last = Step("a", "a", PullImage("a"), ("c",), follows=("b",))
    assert [item.id for item in in_order((last, step("b"), step("c")), {})] == ["c", "b", "a"]


def test_a_chain_of_thousands_of_steps_has_an_order() -> None:
    chain = [step(f"s{number:05}", *([f"s{number + 1:05}"] if number < 4999 else [])) for number in range(5000)]
    assert [item.id for item in in_order(chain, {})] == [item.id for item in reversed(chain)]


def test_steps_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(CycleError):
        in_order((step("a", "b"), step("b", "c"), step("c", "a")), {})
