"""Looks of the live view, at engines in memory: what is silent rests for a while, and what answers is looked at all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dtnctl.cli.top.looking import PATIENCE, Looker
from dtnctl.client.workplace import observers, open_workplace
from tests.cli.small_site import run, two_engines, write
from tests.fakes.engine import World


class SteppingClock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def now(self) -> datetime:
        return datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[World, Looker, SteppingClock]]:
    with two_engines(tmp_path) as world, ExitStack() as stack:
        assert run(tmp_path, "apply", "--yes").returncode == 0
        workplace = open_workplace(tmp_path, lambda text: None)
        clock = SteppingClock()
        yield world, Looker(workplace, stack.enter_context(observers(workplace, 5.0)), clock), clock


def _states(looker: Looker) -> dict[str, str]:
    return {line.key: line.cells[1].text for line in looker.look().tables[0].lines}


def test_a_silent_endpoint_rests_and_is_asked_again_later(scene: tuple[World, Looker, SteppingClock]) -> None:
    world, looker, clock = scene
    assert _states(looker) == {"a": "answers", "b": "answers"}
    world.set_mode("b", "down")
    assert _states(looker) == {"a": "answers", "b": "silent"}
    world.set_mode("b", "up")
    assert _states(looker) == {"a": "answers", "b": "silent"}, "it rests although it would answer"
    clock.sleep(PATIENCE + 1)
    assert _states(looker) == {"a": "answers", "b": "answers"}


def test_a_look_shows_sessions_and_no_rate_without_an_agent(scene: tuple[World, Looker, SteppingClock]) -> None:
    _, looker, _ = scene
    frame = looker.look()
    assert frame.head == "small · 2 endpoints · 1 session · 0 transfers run"
    assert [[cell.text for cell in line.cells][:3] for line in frame.tables[2].lines] == [["s", "STARTED", "a, b"]]
    assert not looker.knows_rates()


def test_one_picture_is_printed_as_text(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        ran = run(tmp_path, "top", "--once", "--label", "")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("small · 2 endpoints · 1 session · 0 transfers run\n\nENDPOINT")
    assert "ABSENT" in ran.stdout


def test_without_a_terminal_it_says_what_to_use(tmp_path: Path) -> None:
    write(tmp_path, {"a": "unix:///nowhere/none.sock", "b": "unix:///nowhere/none.sock"})
    ran = run(tmp_path, "top")
    assert (ran.returncode, ran.stdout) == (64, "")
    assert ran.stderr.startswith("the screen needs a terminal; `dtnctl top --once` prints one picture as plain text")
