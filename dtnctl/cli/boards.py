"""Where the progress of running transfers is shown: a table on a terminal that is drawn again in place, or lines now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from dtnctl.cli.messages import say
from dtnctl.runtime.transfers.meter import Meters

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

    from dtnctl.model.progress import Measured

LINES_SECONDS = 10.0  # between the lines of one transfer where stderr is no terminal
DRAWN_PER_SECOND = 2


class Board(Protocol):
    """Shows what the meters say, from the first transfer on until it is closed."""

    def refresh(self, changed: Measured) -> None:
        """One transfer has reported."""

    def open(self) -> None:
        """A transfer began; called for each."""

    def close(self) -> None:
        """Nothing is shown any more."""


class LineBoard:
    """A line for each transfer every `seconds`, also while it reports nothing, and one when all its bytes are there."""

    def __init__(self, meters: Meters, seconds: float = LINES_SECONDS, write: Callable[[str], None] = say) -> None:
        self._meters, self._seconds, self._write = meters, seconds, write
        self._closed = threading.Event()
        self._whole: set[str] = set()  # transfers of which a line said that all is there
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Start to write, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
            self._thread.start()

    def refresh(self, changed: Measured) -> None:
        """Nothing between two lines, but for the last report."""
        from dtnctl.render.progress import render_transfer_progress

        if changed.total is None or changed.bytes != changed.total:
            self._whole.discard(changed.transfer)
        elif changed.transfer not in self._whole:
            self._whole.add(changed.transfer)
            self._write(render_transfer_progress(changed))

    def close(self) -> None:
        self._closed.set()

    def write_all(self, now: float) -> None:
        """A line for each transfer that runs."""
        from dtnctl.render.progress import render_transfer_progress

        for measured in self._meters.measured(now):
            self._write(render_transfer_progress(measured))

    def _run(self) -> None:
        while not self._closed.wait(self._seconds):
            self.write_all(time.monotonic())


class TerminalBoard:
    """One row for each running transfer below all other lines, drawn in place; what else is written to stderr goes above it."""

    def __init__(self, meters: Meters, console: Console | None = None) -> None:
        self._meters, self._console = meters, console
        self._live: Live | None = None

    def open(self) -> None:
        """Start to draw, once. The cursor stays visible: the second Ctrl-C ends the program without asking anything of it."""
        if self._live is not None:
            return
        from rich.console import Console
        from rich.live import Live

        console = self._console or Console(stderr=True)
        self._live = Live(
            console=console, get_renderable=self._table, refresh_per_second=DRAWN_PER_SECOND, transient=True, redirect_stdout=False
        )
        self._live.start()
        console.show_cursor(True)

    def refresh(self, changed: Measured) -> None:
        """It is drawn twice a second in any case."""

    def close(self) -> None:
        """The rows go; what happened is in the lines above them."""
        if self._live is not None:
            self._live.stop()

    def _table(self) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        from dtnctl.render.progress import progress_cells

        table = Table.grid(padding=(0, 2, 0, 0))
        for measured in self._meters.measured(time.monotonic()):
            name, size, share, rates, rest = (Text(cell, no_wrap=True, overflow="ellipsis") for cell in progress_cells(measured))
            table.add_row(name, ProgressBar(measured.total or None, measured.bytes, width=16), share, size, rates, rest)
        return table


class NoBoard:
    """Nothing is shown: --quiet, or events on stdout say it."""

    def open(self) -> None:
        """Nothing."""

    def refresh(self, changed: Measured) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
