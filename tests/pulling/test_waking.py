"""Waiting ends by a trigger and by a signal; many triggers are one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from dtnctl.pulling.waking import Waking


@pytest.fixture
def waking() -> Iterator[Waking]:
    with contextlib.closing(Waking()) as waking:
        yield waking


def test_trigger_that_came_before_the_waiting_ends_it(waking: Waking) -> None:
    waking.trigger()
    assert waking.wait(1000.0)


def test_many_triggers_are_one(waking: Waking) -> None:
    for _ in range(100_000):
        waking.trigger()
    assert waking.wait(1000.0)
    assert not waking.wait(0.0)


def test_time_that_is_over_is_no_trigger(waking: Waking) -> None:
    assert not waking.wait(0.0)
    assert not waking.wait(-1.0)


def test_stop_ends_the_waiting_for_good(waking: Waking) -> None:
    waking.stop(15)
    assert not waking.wait(1000.0)
    waking.trigger()
    assert not waking.wait(1000.0)
    assert (waking.is_stopped, waking.signal_number) == (True, 15)
