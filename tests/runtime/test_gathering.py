"""Threads that want something of one place at the same time: served together, and each with its own answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from dtnctl.errors import EngineError
from dtnctl.runtime.gathering import MOST, Gathering

SOON = 20.0


class Held:
    """Serves by doubling; each call waits until it is let go, and is noted."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.refusals: dict[int, Exception] = {}

    def serve(self, wanted: Sequence[int]) -> Sequence[int]:
        self.calls.append(list(wanted))
        self.begun.release()
        assert self.go.acquire(timeout=SOON)
        for each in wanted:
            if each in self.refusals:
                raise self.refusals[each]
        return [2 * each for each in wanted]


class Scene:
    """A gathering, and threads that call it. `arrive` returns when the thread waits in it."""

    def __init__(self, pool: ThreadPoolExecutor, patience: float = SOON) -> None:
        self.held = Held()
        self.gathering: Gathering[int, int] = Gathering(patience)
        self.pool = pool

    def arrive(self, wanted: int, key: str = "here") -> Future[int]:
        before = self._waiting(key)
        future = self.pool.submit(self.gathering.call, key, wanted, self.held.serve)
        begun = len(self.held.calls)
        while self._waiting(key) == before and len(self.held.calls) == begun and not future.done():
            threading.Event().wait(0.001)
        return future

    def _waiting(self, key: str) -> int:
        return len(self.gathering._waiting.get(key, ()))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(MOST + 4) as made:
        yield made


def first(scene: Scene, wanted: int = 1) -> Future[int]:
    """A call that is under way."""
    future = scene.pool.submit(scene.gathering.call, "here", wanted, scene.held.serve)
    assert scene.held.begun.acquire(timeout=SOON)
    return future


def test_what_arrives_while_a_call_is_under_way_goes_into_the_next_one(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool)
    alone = first(scene)
    together = [scene.arrive(wanted) for wanted in (2, 3, 4)]
    scene.held.go.release(2)
    assert [alone.result(SOON), *(future.result(SOON) for future in together)] == [2, 4, 6, 8]
    assert scene.held.calls == [[1], [2, 3, 4]]


def test_where_others_are_expected_the_first_one_waits_for_them(pool: ThreadPoolExecutor) -> None:
    held, gathering = Held(), Gathering[int, int](longest_wait=SOON)
    gathering.expects = True
    held.go.release()
    futures = [pool.submit(gathering.call, "here", wanted, held.serve) for wanted in range(MOST)]
    assert [future.result(SOON) for future in futures] == [2 * wanted for wanted in range(MOST)]
    assert len(held.calls) == 1


def test_who_is_expected_and_does_not_come_is_not_waited_for_long(pool: ThreadPoolExecutor) -> None:
    held, gathering = Held(), Gathering[int, int](longest_wait=0.001)
    gathering.expects = True
    held.go.release(2)
    assert [pool.submit(gathering.call, "here", wanted, held.serve).result(SOON) for wanted in (1, 2)] == [2, 4]
    assert held.calls == [[1], [2]]


def test_another_place_is_not_waited_for(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool)
    alone = first(scene)
    other = pool.submit(scene.gathering.call, "there", 5, scene.held.serve)
    assert scene.held.begun.acquire(timeout=SOON)
    scene.held.go.release(2)
    assert (alone.result(SOON), other.result(SOON)) == (2, 10)
    assert scene.held.calls == [[1], [5]]


def test_more_than_one_call_takes_go_in_several(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool)
    alone = first(scene)
    together = [scene.arrive(wanted) for wanted in range(MOST + 2)]
    scene.held.go.release(3)
    assert [future.result(SOON) for future in together] == [2 * wanted for wanted in range(MOST + 2)]
    assert alone.result(SOON) == 2
    assert [len(call) for call in scene.held.calls] == [1, MOST, 2]


def test_a_call_that_takes_long_holds_up_those_in_it_alone(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool, patience=0.001)
    slow = first(scene)
    second = first(scene, 2)
    scene.held.go.release(2)
    assert (slow.result(SOON), second.result(SOON)) == (2, 4)
    assert scene.held.calls == [[1], [2]]


def test_a_refusal_reaches_everyone_that_was_refused(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool)
    scene.held.refusals[3] = EngineError("no")
    alone = first(scene)
    together = [scene.arrive(wanted) for wanted in (2, 3)]
    scene.held.go.release(2)
    assert alone.result(SOON) == 2
    for future in together:
        with pytest.raises(EngineError, match="no"):
            future.result(SOON)
    assert scene.held.calls == [[1], [2, 3]]


def test_an_error_of_the_program_is_one_threads_alone_and_the_others_are_served(pool: ThreadPoolExecutor) -> None:
    scene = Scene(pool)
    scene.held.refusals[2] = ZeroDivisionError("a defect")
    alone = first(scene)
    together = [scene.arrive(wanted) for wanted in (2, 3)]
    scene.held.go.release(8)
    assert alone.result(SOON) == 2
    results = [future.exception(SOON) or future.result() for future in together]
    assert isinstance(results[0], ZeroDivisionError)
    assert results[1] == 6 or isinstance(results[1], ZeroDivisionError)
    assert scene.held.calls[:2] == [[1], [2, 3]]
    scene.held.refusals.clear()
    assert pool.submit(scene.gathering.call, "here", 7, scene.held.serve).result(SOON) == 14
    assert scene.held.calls[-1] == [7]
