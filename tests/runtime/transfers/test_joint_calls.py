"""What transfers of one run do by one call, and what each does by itself when that was refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar, cast

import pytest

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.providers.base import Engine, FileEntry, Ran
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.providers.docker.store import PlaceholderStore
from dtnctl.runtime.transfers.joined import Command
from dtnctl.runtime.transfers.joint_calls import JointCalls
from dtnctl.runtime.transfers.keys import editing
from tests.runtime.transfers.test_joined import Here

SOON = 20.0
T = TypeVar("T")


@dataclass
class Slow(Here):
    """This machine as an engine whose first call waits until it is let go; files of a name in `refuses` are refused."""

    endpoint: str = "slow"
    begun: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    refuses: dict[str, Exception] = field(default_factory=dict)
    written: list[list[str]] = field(default_factory=list)
    locked: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def _wait(self) -> None:
        if not self.begun.is_set():
            self.begun.set()
            assert self.go.wait(SOON)

    def run(self, container: str, command: tuple[str, ...], *, user: str = "") -> Ran:
        self.locked.append(editing(cast("Engine", self), container).locked())
        self._wait()
        return super().run(container, command, user=user)

    @property
    def store(self) -> PlaceholderStore:
        return PlaceholderStore(cast("DockerEngine", self))

    def write_files(self, container: str, entries: tuple[FileEntry, ...]) -> None:
        del container
        self.written.append([entry.path for entry in entries])
        self._wait()
        for entry in entries:
            if entry.path in self.refuses:
                raise self.refuses[entry.path]


def while_one_is_under_way(slow: Slow, first: Callable[[], object], *others: Callable[[], T]) -> list[Future[T]]:
    """The results of the others, which came while the first call was under way."""
    with ThreadPoolExecutor(len(others) + 1) as pool:
        pool.submit(first)
        assert slow.begun.wait(SOON)
        arrived = threading.Barrier(len(others) + 1)

        def arrive(other: Callable[[], T]) -> T:
            arrived.wait(SOON)
            return other()

        futures = [pool.submit(arrive, other) for other in others]
        arrived.wait(SOON)
        slow.go.set()
    return futures


def test_each_transfer_has_its_own_answers_and_what_all_ask_is_asked_once() -> None:
    slow, calls = Slow(), JointCalls()
    engine = cast("Engine", slow)
    asked: list[tuple[Command, ...]] = [(("echo", "all"), ("echo", str(number))) for number in range(6)]
    first = lambda: calls.ask(engine, "c", (("true",),), "me")  # noqa: E731
    futures = while_one_is_under_way(slow, first, *(lambda mine=mine: calls.ask(engine, "c", mine, "me") for mine in asked))
    for number, future in enumerate(futures):
        answers = future.result(SOON)
        assert {command: ran.stdout for command, ran in answers.items()} == {
            ("echo", "all"): b"all\n",
            ("echo", str(number)): f"{number}\n".encode(),
        }
    assert len(slow.asked) < 1 + len(asked)


@pytest.mark.parametrize("edits", [False, True])
def test_keys_are_edited_by_one_command_at_a_time(edits: bool) -> None:
    slow, calls = Slow(), JointCalls()
    slow.go.set()
    calls.ask(cast("Engine", slow), "c", (("true",),), "me", edits=edits)
    assert slow.locked == [edits]
    assert not editing(cast("Engine", slow), "c").locked()


def entry(path: str) -> tuple[FileEntry, ...]:
    return (FileEntry(path, b""),)


def test_files_that_are_refused_together_are_written_one_by_one() -> None:
    slow, calls = Slow(refuses={"/bad": EngineError("no room")}), JointCalls()
    engine = cast("Engine", slow)
    first = lambda: calls.write(engine, "c", entry("/first"))  # noqa: E731
    futures = while_one_is_under_way(
        slow, first, lambda: calls.write(engine, "c", entry("/good")), lambda: calls.write(engine, "c", entry("/bad"))
    )
    assert futures[0].result(SOON) is None
    with pytest.raises(EngineError, match="no room"):
        futures[1].result(SOON)
    assert slow.written[0] == ["/first"]
    assert ["/bad"] in slow.written or slow.written[-1] == ["/bad"]


@pytest.mark.parametrize("refusal", [EngineError("no"), UnreachableError("gone")])
def test_alone_a_write_says_what_the_engine_says_and_is_not_tried_twice(refusal: Exception) -> None:
    slow, calls = Slow(refuses={"/bad": refusal}), JointCalls()
    slow.go.set()
    with pytest.raises(type(refusal), match=str(refusal)):
        calls.write(cast("Engine", slow), "c", entry("/bad"))
    assert slow.written == [["/bad"]]
