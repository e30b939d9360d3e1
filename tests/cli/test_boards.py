"""Progress of several transfers: rows on a terminal, lines where there is none."""

from __future__ import annotations

import io

from rich.console import Console

from dtnctl.cli.boards import LineBoard, TerminalBoard
from dtnctl.runtime.transfers.finish import Progress
from dtnctl.runtime.transfers.meter import Meters

MEBI = 1024**2


def two() -> Meters:
    meters = Meters()
    meters.begin("run13", 0.0)
    meters.begin("run14", 0.0)
    meters.feed(Progress("run14", 100 * MEBI, 200 * MEBI, 10.0 * MEBI, 10.0), 5.0)
    return meters


def test_lines_are_written_for_each_transfer_also_for_one_that_reports_nothing() -> None:
    lines: list[str] = []
    LineBoard(two(), write=lines.append).write_all(13.0)
    assert lines == [
        "run13  0 B  nothing moved for 13 s",
        "run14  100.00 MiB of 200.00 MiB  50 %  10.0 MiB/s, average 20.0 MiB/s  ETA 10 s",
    ]


def test_a_line_says_that_all_is_there_at_once_and_no_other_report_does() -> None:
    lines: list[str] = []
    meters = two()
    board = LineBoard(meters, write=lines.append)
    for moved in (150, 200, 200):  # a mover repeats its last report
        board.refresh(meters.feed(Progress("run14", moved * MEBI, 200 * MEBI, None, None), 10.0))
    assert lines == ["run14  200.00 MiB of 200.00 MiB  100 %  20.0 MiB/s, average 20.0 MiB/s"]


def test_lines_come_while_the_board_is_open_and_end_when_it_is_closed() -> None:
    lines: list[str] = []
    board = LineBoard(two(), seconds=0.001, write=lines.append)
    board.open()
    board.open()
    thread = board._thread
    assert thread is not None
    while len(lines) < 4:
        thread.join(0.001)
    board.close()
    thread.join(60)
    assert not thread.is_alive()


def test_a_terminal_has_a_row_for_each_transfer_that_is_gone_at_the_end() -> None:
    screen = io.StringIO()
    board = TerminalBoard(two(), Console(file=screen, force_terminal=True, width=120))
    board.open()
    board.open()
    assert board._live is not None
    board._live.refresh()
    shown = screen.getvalue()
    board.close()
    rows = [line for line in shown.splitlines() if "run14" in line]
    assert "100.00 MiB of 200.00 MiB" in rows[-1]
    assert "run13" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # the cursor is visible all the time
    assert screen.getvalue().endswith("\x1b[2K")  # the rows were removed


def test_a_board_that_showed_nothing_closes_without_a_word() -> None:
    screen = io.StringIO()
    TerminalBoard(two(), Console(file=screen, force_terminal=True, width=120)).close()
    assert screen.getvalue() == ""
