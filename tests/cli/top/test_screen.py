"""The screen, driven by Textual's own pilot: keys, small terminals, and looks that take long or go wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from dtnctl.cli.top.screen import Board, Details, Top
from dtnctl.cli.top.tables import Frame
from dtnctl.errors import UnreachableError
from tests.cli.top.frames import frame, large_frame

NEVER = 3600.0
Play = Callable[[Top, Pilot[Any]], Awaitable[None]]


def play(look: Callable[[], Frame], scene: Play, *, size: tuple[int, int] = (80, 24), every: float = NEVER) -> Top:
    """Run the screen, wait for its first frame, and play the scene."""

    async def run() -> Top:
        app = Top(look, every)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: bool(app.frame.tables) or app.defect is not None)
            await scene(app, pilot)
        return app

    return asyncio.run(run())


async def until(pilot: Pilot[Any], is_so: Callable[[], bool]) -> None:
    """Let the screen work until it is so; the test's own limit ends what never is."""
    while not is_so():
        await pilot.pause(0.01)
    await pilot.pause()


def cells(app: Top, name: str) -> list[list[str]]:
    board = app.query_one(f"#{name}", Board)
    return [[str(cell) for cell in board.get_row_at(index)] for index in range(board.row_count)]


def first_column(app: Top, name: str) -> list[str]:
    return [row[0] for row in cells(app, name)]


def head(app: Top) -> str:
    return str(app.query_one("#head", Static).content)


def test_all_four_tables_are_on_a_screen_of_eighty_by_twenty_four() -> None:
    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        assert first_column(app, "endpoints") == ["a", "b"]
        assert cells(app, "interfaces")[0][2:6] == ["80.00 Gb/s", "4.00 Gb/s", "100 Gb/s", "80 %"]
        assert first_column(app, "sessions") == ["one", "two"]
        assert cells(app, "transfers")[0][:6] == ["now", "running", "30 %", "2.79 GiB", "8.00 Gb/s", "7 s"]
        for name in ("endpoints", "interfaces", "sessions", "transfers"):
            region = app.query_one(f"#{name}", Board).region
            assert region.height >= 4
            assert region.y > 0
            assert region.y + region.height <= 23

    play(frame, scene)


def test_sorting_goes_through_the_columns_and_turns_round() -> None:
    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        app.query_one("#transfers", Board).focus()
        await pilot.press("s")
        assert first_column(app, "transfers") == ["done", "late", "now", "quiet"]
        await pilot.press("r")
        assert first_column(app, "transfers") == ["quiet", "now", "late", "done"]
        assert "by TRANSFER ↓" in str(app.query_one("#transfers", Board).border_title)
        await pilot.press(*["s"] * 8)
        assert first_column(app, "transfers") == ["now", "quiet", "done", "late"]

    play(frame, scene)


def test_a_filter_applies_while_it_is_typed_and_escape_shows_all() -> None:
    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        await pilot.press("slash", *"b:/x", "enter")
        assert first_column(app, "transfers") == ["done"]
        assert first_column(app, "endpoints") == []
        assert "only: b:/x" in head(app)
        assert not app.query_one("#filter", Input).display
        await pilot.press("escape")
        assert len(first_column(app, "transfers")) == 4

    play(frame, scene)


def test_enter_shows_all_that_is_known_of_a_line_and_escape_goes_back() -> None:
    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        await pilot.press("tab", "tab", "tab", "down", "down", "enter")
        assert isinstance(app.screen, Details)
        shown = str(app.screen.query_one(Static).content)
        assert "a:/x" in shown
        assert "succeeded" in shown
        await pilot.press("escape")
        assert not isinstance(app.screen, Details)

    play(frame, scene)


def test_the_view_goes_on_below_the_details() -> None:
    looks = 0

    def look() -> Frame:
        nonlocal looks
        looks += 1
        return frame(silent=looks > 3)

    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        await pilot.press("enter")
        assert isinstance(app.screen, Details)
        await until(pilot, lambda: looks > 6)
        await pilot.press("escape")
        assert "1 silent" in head(app)

    play(look, scene, every=0.01)


def test_q_ends_it() -> None:
    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        await pilot.press("q")
        await pilot.pause()
        assert app.return_code == 0

    play(frame, scene)


def test_a_look_that_takes_long_stops_no_key_and_there_is_never_a_second_one() -> None:
    """As it is with an endpoint that gives no answer."""
    running, most, looks = 0, 0, 0
    goes_on = threading.Event()
    lock = threading.Lock()

    def look() -> Frame:
        nonlocal running, most, looks
        with lock:
            running, looks = running + 1, looks + 1
            most = max(most, running)
        if looks > 1:
            goes_on.wait(30)
        with lock:
            running -= 1
        return frame(silent=looks > 1)

    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: looks == 2)
        await pilot.press("tab", "tab", "s", "r")
        assert first_column(app, "sessions") == ["two", "one"]
        assert app.is_looking
        goes_on.set()
        await until(pilot, lambda: "1 silent" in head(app))

    play(look, scene, every=0.001)
    assert most == 1


def test_a_pause_looks_no_more_until_it_ends() -> None:
    looks = 0

    def look() -> Frame:
        nonlocal looks
        looks += 1
        return frame()

    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        await pilot.press("p")
        await until(pilot, lambda: not app.is_looking)
        seen = looks
        for _ in range(20):
            await pilot.pause(0.005)
        assert looks <= seen + 1, "one may have begun before the key"
        assert "paused" in head(app)
        await pilot.press("p")
        await until(pilot, lambda: looks > seen + 1)

    play(look, scene, every=0.001)


def test_what_goes_wrong_is_shown_and_the_last_frame_stays() -> None:
    looks = 0

    def look() -> Frame:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise UnreachableError("the network is [bold]gone[/bold]\x07")
        return frame()

    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.query_one("#problem", Static).display or looks > 2)
        assert first_column(app, "endpoints") == ["a", "b"]
        await until(pilot, lambda: looks > 2 and not app.query_one("#problem", Static).display)

    play(look, scene, every=0.05)


def test_a_defect_ends_it_and_is_kept_for_the_command() -> None:
    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: app.return_code is not None)

    def look() -> Frame:
        raise ZeroDivisionError

    app = play(look, scene)
    assert isinstance(app.defect, ZeroDivisionError)
    assert app.return_code == 1


def test_a_signal_leaves_the_terminal_as_it_was() -> None:
    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        app.end(15)
        await until(pilot, lambda: app.return_code is not None)

    assert play(frame, scene).ended_by == 15


def test_the_cursor_stays_on_its_line_when_others_come() -> None:
    frames = iter([frame(silent=True), *[frame()] * 1000])

    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        board = app.query_one("#sessions", Board)
        await until(pilot, lambda: "silent" not in head(app))
        assert str(board.get_row_at(board.cursor_row)[0]) == "two"

    play(lambda: next(frames), scene, every=0.05)


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 12)])
def test_a_large_site_is_shown_on_any_screen(size: tuple[int, int]) -> None:
    async def scene(app: Top, pilot: Pilot[Any]) -> None:
        assert len(first_column(app, "sessions")) == 1000
        await pilot.press("tab", "tab", "end")

    play(large_frame, scene, size=size)
