"""Leases that threads of one run share."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import pytest

from dtnctl.errors import LockError
from dtnctl.providers.base import Engine
from dtnctl.runtime.lease import Leases, _Held
from dtnctl.runtime.shared_leases import REFUSED_SECONDS, SHARED_SECONDS, TURN_SECONDS, SharedLeases


class Clock:
    """Time that passes when a test says so; `asked` is set when somebody looks."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []
        self.asked = threading.Event()

    def monotonic(self) -> float:
        self.asked.set()
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)


class Taking:
    """Notes what is taken and released; the lease of an endpoint in `refuses` cannot be had, one in `silent` gives none."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.events: list[str] = []
        self.refuses: set[str] = set()
        self.silent: set[str] = set()
        self.shared = SharedLeases(self.take, self.clock)

    @contextlib.contextmanager
    def take(self, endpoint: str) -> Iterator[Leases]:
        if endpoint in self.refuses:
            raise LockError(f"{endpoint} is held by another")
        self.events.append(f"take {endpoint}")
        yield Leases(
            self.clock,
            held={endpoint: _Held(cast("Engine", self), "lease", self.clock.seconds)},
            refused={endpoint: LockError(f"check of {endpoint}")} if endpoint in self.silent else {},
        )
        self.events.append(f"release {endpoint}")


@pytest.fixture
def taking() -> Taking:
    return Taking()


def test_endpoints_are_taken_in_the_order_of_names_and_released(taking: Taking) -> None:
    taking.silent = {"b"}
    with taking.shared.hold(("b", "a", "b")) as moment:
        assert taking.events == ["take a", "take b"]
        moment.check("a")
        with pytest.raises(LockError, match="check of b"):
            moment.check("b")
    assert sorted(taking.events[2:]) == ["release a", "release b"]
    assert taking.clock.pauses == []


def test_who_comes_while_it_is_held_joins(taking: Taking) -> None:
    with taking.shared.hold(("a", "b")):
        with taking.shared.hold(("b", "c")):
            assert taking.events == ["take a", "take b", "take c"]
        assert taking.events[3:] == ["release c"]
    assert sorted(taking.events[4:]) == ["release a", "release b"]


def test_it_is_held_until_the_last_one_has_left(taking: Taking) -> None:
    with contextlib.ExitStack() as second:
        with taking.shared.hold(("a",)):
            second.enter_context(taking.shared.hold(("a",)))
        assert taking.events == ["take a"]
    assert taking.events == ["take a", "release a"]


def test_a_lease_that_cannot_be_had_is_an_error_for_each_and_leaves_nothing(taking: Taking) -> None:
    taking.refuses = {"b"}
    for _ in range(2):
        with pytest.raises(LockError), taking.shared.hold(("a", "b")):
            pass
    assert taking.events == ["take a", "release a"] * 2
    taking.refuses = set()
    with taking.shared.hold(("a", "b")):
        assert taking.events[4:] == ["take a", "take b"]


@pytest.mark.parametrize(
    ("silent", "seconds", "pauses"),
    [(set[str](), SHARED_SECONDS, [TURN_SECONDS]), ({"a"}, REFUSED_SECONDS, [])],
    ids=["taken", "refused"],
)
def test_after_a_while_no_thread_joins_and_other_runs_have_their_turn(
    taking: Taking, silent: set[str], seconds: float, pauses: list[float]
) -> None:
    """An endpoint that gave no lease is soon asked again, and no other run waits for its turn there."""
    taking.silent = silent
    inside = threading.Event()

    def second() -> None:
        with taking.shared.hold(("a",)):
            inside.set()

    late = threading.Thread(target=second)
    with taking.shared.hold(("a",)):
        taking.clock.seconds = seconds
        taking.clock.asked.clear()
        late.start()
        assert taking.clock.asked.wait(60)
        assert not inside.is_set()
        assert taking.events == ["take a"]
    late.join(60)
    assert inside.is_set()
    assert taking.events == ["take a", "release a"] * 2
    assert taking.clock.pauses == pauses


def test_who_comes_while_it_is_taken_waits_and_joins(taking: Taking) -> None:
    begun, go_on, joined = threading.Event(), threading.Event(), threading.Event()
    take = taking.take

    @contextlib.contextmanager
    def slowly(endpoint: str) -> Iterator[Leases]:
        begun.set()
        assert go_on.wait(60)
        with take(endpoint) as leases:
            yield leases

    taking.shared.take = slowly

    def hold(after: threading.Event | None = None) -> None:
        with taking.shared.hold(("a",)):
            assert after is None or after.wait(60)
            joined.set()

    threads = [threading.Thread(target=hold, args=(joined,)), threading.Thread(target=hold)]
    threads[0].start()
    assert begun.wait(60)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert taking.events == ["take a", "release a"]


def test_a_lease_that_was_lost_is_not_joined_but_taken_again(taking: Taking) -> None:
    lost, begun, inside = Leases(taking.clock, lost={"a": "somebody removed it"}), threading.Event(), threading.Event()
    given = iter([lost])
    take = taking.take

    @contextlib.contextmanager
    def taken_over(endpoint: str) -> Iterator[Leases]:
        with take(endpoint) as leases:
            yield next(given, leases)

    taking.shared.take = taken_over

    def second() -> None:
        with taking.shared.hold(("a",)) as moment:
            begun.set()
            moment.check("a")
            inside.set()

    late = threading.Thread(target=second)
    with taking.shared.hold(("a",)) as first:
        taking.clock.asked.clear()
        late.start()
        assert taking.clock.asked.wait(60)
        with pytest.raises(LockError, match="was lost"):
            first.check("a")
    late.join(60)
    assert inside.is_set()
    assert taking.events == ["take a", "release a"] * 2
