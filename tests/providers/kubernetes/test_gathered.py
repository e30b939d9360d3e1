"""Endpoints of a namespace that look at the same moment share a list, which is never older than what they asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from dtnctl.providers.kubernetes.gathered import Gathered
from dtnctl.providers.kubernetes.identity import Json

PATIENCE = 30.0


def answers(*names: str) -> Callable[[], list[Json]]:
    left = iter(names)
    return lambda: pods(next(left))


def pods(name: str) -> list[Json]:
    return [{"name": name}]


def test_who_comes_while_others_are_waited_for_gets_their_answer() -> None:
    gathered, ask = Gathered(PATIENCE), answers("one", "two")
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(gathered.items, "pods", 2, ask) for _ in range(2)]
        assert [future.result(PATIENCE) for future in both] == [pods("one")] * 2


def test_a_list_that_is_under_way_is_not_given_to_who_comes_later() -> None:
    gathered, began, may_end = Gathered(), threading.Event(), threading.Event()

    def slow() -> list[Json]:
        began.set()
        assert may_end.wait(PATIENCE)
        return pods("old")

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(gathered.items, "pods", 1, slow)
        assert began.wait(PATIENCE)
        assert gathered.items("pods", 1, answers("new")) == pods("new")
        may_end.set()
        assert first.result(PATIENCE) == pods("old")


def test_other_lists_are_asked_by_themselves_and_missing_members_are_not_waited_for_long() -> None:
    gathered = Gathered()
    assert [gathered.items(path, 9, answers(path)) for path in ("a", "b", "a")] == [pods(path) for path in ("a", "b", "a")]


def test_where_the_list_fails_each_has_an_error_of_its_own() -> None:
    gathered = Gathered(PATIENCE)

    def fails(name: str) -> str:
        def ask() -> list[Json]:
            raise ValueError(name)

        with pytest.raises(ValueError, match="of") as caught:
            gathered.items("pods", 2, ask)
        return str(caught.value)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(fails, ["of a", "of b"])) == ["of a", "of b"]
