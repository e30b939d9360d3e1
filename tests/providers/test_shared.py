"""What endpoints of one run share is made once, and closed when the last of them has left."""

from __future__ import annotations

import threading

import pytest

from dtnctl.providers.shared import Once, Shared


class Value:
    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


def test_members_of_a_key_have_one_value_which_the_last_to_leave_closes() -> None:
    shared = Shared()
    for key in ("a", "a", "b"):
        shared.join(key)
    assert (shared.members("a"), shared.members("c")) == (2, 0)
    first, other = shared.get("a", Value), shared.get("b", Value)
    assert shared.get("a", Value) is first is not other
    shared.leave("a")
    assert not first.is_closed
    shared.leave("a")
    assert (first.is_closed, other.is_closed) == (True, False)


def test_who_joins_again_gets_another_value_and_who_made_none_closes_none() -> None:
    shared = Shared()
    shared.join("a")
    shared.leave("a")
    shared.join("a")
    first = shared.get("a", Value)
    shared.leave("a")
    shared.join("a")
    assert shared.get("a", Value) is not first


def test_an_answer_is_asked_for_once_and_an_error_is_not_kept() -> None:
    once, asked = Once(), []

    def ask() -> int:
        asked.append(1)
        if len(asked) == 1:
            raise ValueError("busy")
        return len(asked)

    with pytest.raises(ValueError, match="busy"):
        once.get("version", ask)
    assert [once.get("version", ask), once.get("version", ask)] == [2, 2]


def test_who_waited_for_an_answer_that_failed_gets_an_error_of_its_own() -> None:
    once, began, may_end = Once(), threading.Event(), threading.Event()
    said: list[str] = []

    def first() -> None:
        began.set()
        may_end.wait(30)
        raise ValueError("of a")

    def get(ask: object) -> None:
        with pytest.raises(ValueError, match="of") as caught:
            once.get("login", ask)  # type: ignore[arg-type]  # either of the two
        said.append(str(caught.value))

    def second() -> None:
        raise ValueError("of b")

    threads = [threading.Thread(target=get, args=(first,))]
    threads[0].start()
    assert began.wait(30)
    threads.append(threading.Thread(target=get, args=(second,)))
    threads[1].start()
    may_end.set()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["of a", "of b"]
