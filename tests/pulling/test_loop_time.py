"""When rounds begin: by the monotonic clock, and once for any number of triggers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dtnctl.pulling.loop import Terms
from dtnctl.pulling.outcomes import ApplyResult
from tests.pulling.scene import Following, Scene, following


@dataclass
class JumpingClock:
    """A wall clock that jumps by years at each look, and a monotonic one on which each look takes a second."""

    seconds: float = 0.0
    looks: int = 0

    def monotonic(self) -> float:
        self.seconds += 1.0
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> datetime:
        self.looks += 1
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=365 * (-1) ** self.looks * self.looks)


@dataclass
class CountedRuns:
    """Runs that do nothing but count, and end the loop after some."""

    most: int
    triggers: int = 1000
    following: Following | None = None
    count: int = 0

    def mistakes(self, tree: Path) -> str:
        return ""

    def apply(self, tree: Path, events: Path, reviewed: Path | None = None, log: Path | None = None) -> ApplyResult:
        assert self.following is not None
        loop = self.following.loop
        self.count += 1
        for _ in range(self.triggers):
            loop.waking.trigger()
        if self.count == self.most:
            loop.waking.stop(15)
        return ApplyResult(0, "success")


def test_wall_clock_that_jumps_neither_hurries_nor_holds_up_the_rounds(scene: Scene) -> None:
    """A loop that asked the wall clock would wait for years or not at all: its looks are counted by the monotonic one."""
    clock, runs = JumpingClock(), CountedRuns(3, triggers=0)
    with following(scene.folder, scene.repository, clock=clock, runs=runs, terms=Terms(0.5)) as loop:
        runs.following = loop
        loop.loop.run()
        assert runs.count == 3
        assert [run.seconds for run in loop.loop.journal.runs] == [1.0]


def test_thousand_triggers_during_a_run_are_one_fetch(scene: Scene) -> None:
    runs = CountedRuns(2)
    with following(scene.folder, scene.repository, runs=runs, terms=Terms(600.0)) as loop:
        runs.following = loop
        loop.loop.run()
        assert runs.count == 2, "the first round's triggers began the second one, long before the interval was over"
