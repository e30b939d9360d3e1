"""The screen of the live view, by Textual: four tables, a line above, keys below. It shows frames; a thread of its own makes them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import ClassVar, TypeVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.coordinate import Coordinate
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import DataTable, Footer, Input, Static

from dtnctl.cli.top.tables import Frame, Line, Table
from dtnctl.cli.top.text import ROLES
from dtnctl.errors import DtnctlError
from dtnctl.printable import printable_text
from dtnctl.render.text import Role

STYLES: dict[Role, str] = {"create": "green", "destroy": "red", "update": "yellow", "dim": "dim"}
Part = TypeVar("Part", bound=Widget)
NAMES = ("endpoints", "interfaces", "sessions", "transfers")


class Looked(Message):
    """A look has ended: with a frame, or with what went wrong."""

    def __init__(self, frame: Frame | None = None, problem: str = "") -> None:
        super().__init__()
        self.frame = frame
        self.problem = problem


class Board(DataTable[Text]):
    """A table whose key for details stands with the other keys."""

    BINDINGS: ClassVar[list[BindingType]] = [("enter", "select_cursor", "Details")]


class Details(ModalScreen[None]):
    """All that is known of one line."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,enter,q", "dismiss", "Back")]
    CSS = """
    Details { align: center middle; }
    Details VerticalScroll { width: 90%; height: 80%; border: round $primary; padding: 0 1; background: $surface; }
    """

    def __init__(self, title: str, details: tuple[tuple[str, str], ...]) -> None:
        super().__init__()
        self._title = title
        self._details = details

    def compose(self) -> ComposeResult:
        """A line for each field."""
        width = max((len(name) for name, _ in self._details), default=0)
        lines = [Text.assemble((f"{name:>{width}}  ", "dim"), value) for name, value in self._details]
        with VerticalScroll() as box:
            box.border_title = Text(self._title)
            box.border_subtitle = "Esc: back"
            yield Static(Text("\n").join(lines) if lines else Text("nothing more is known"))


class Top(App[None]):
    """`look` makes a frame and may take long; it is called by one thread, every `every` seconds after the last one was shown."""

    TITLE = "dtnctl top"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "quit", "Quit"),
        ("s", "sort", "Sort"),
        ("r", "turn", "Reverse"),
        ("slash", "filter", "Filter"),
        ("p", "pause", "Pause"),
        ("escape", "clear", "All"),
    ]
    CSS = """
    #head { height: 1; padding: 0 1; background: $primary-darken-2; color: $text; }
    #problem { height: auto; padding: 0 1; color: $error; display: none; }
    DataTable { height: 1fr; min-height: 3; scrollbar-size-horizontal: 0; background: $background; }
    DataTable { border-top: solid $primary; border-title-color: $text; }
    DataTable:focus { border-top: heavy $accent; }
    #filter { dock: bottom; display: none; height: 3; }
    """

    def __init__(self, look: Callable[[], Frame], every: float) -> None:
        super().__init__()
        self._look = look
        self._every = every
        self.frame = Frame("the first look is under way", ())
        self._words = ""
        self._sorting: dict[str, int | None] = dict.fromkeys(NAMES)
        self._reversed: dict[str, bool] = dict.fromkeys(NAMES, False)
        self._lines: dict[str, tuple[Line, ...]] = {}
        self._is_paused = False
        self._ended = threading.Event()
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self.defect: BaseException | None = None
        self.ended_by = 0
        self.is_looking = False

    def compose(self) -> ComposeResult:
        """The line above, the tables, and the line in which a filter is typed."""
        yield Static(id="head")
        yield Static(id="problem")
        for name in NAMES:
            yield Board(id=name, cursor_type="row")
        yield Input(id="filter", placeholder="words to look for in every table; Enter keeps them, Esc shows all")
        yield Footer()

    def on_ready(self) -> None:
        """Begin to look, now that there is something to show it on."""
        self._own_loop = asyncio.get_running_loop()
        self._part("#endpoints", Board).focus()
        self._show_head()
        threading.Thread(target=self._watch, name="top", daemon=True).start()

    def on_unmount(self) -> None:
        """No further look is begun."""
        self._ended.set()

    # --- looking, in a thread of its own ---

    def _watch(self) -> None:
        while not self._ended.is_set():
            if not self._is_paused and not self._look_once():
                return
            self._ended.wait(self._every)

    def _look_once(self) -> bool:
        """Whether to go on. What goes wrong is shown; a defect ends the program with its traceback."""
        self.is_looking = True
        try:
            self._say(Looked(self._look()))
        except DtnctlError as error:
            self._say(Looked(problem=str(error)))
        except Exception as error:  # noqa: BLE001  # raised again by the command, when the terminal is itself again
            self.defect = error
            self._say(Looked())
            return False
        finally:
            self.is_looking = False
        return True

    def _say(self, looked: Looked) -> None:
        if not self._ended.is_set():
            self.post_message(looked)

    def on_looked(self, looked: Looked) -> None:
        """Show what came of a look."""
        if self.defect is not None:
            self.exit(return_code=1)
        elif not self._is_leaving():
            self.show(looked.frame, looked.problem)

    def end(self, number: int) -> None:
        """A signal came: leave the terminal as it was. Called by its handler, so the loop is woken."""
        self.ended_by = self.ended_by or number
        if self._own_loop is not None:
            self._own_loop.call_soon_threadsafe(self.exit)

    # --- showing ---

    def _part(self, selector: str, kind: type[Part]) -> Part:
        """A part of the view, also while details are above it."""
        return self.screen_stack[0].query_one(selector, kind)

    def _is_leaving(self) -> bool:
        """Whether the screen is being taken down."""
        return not self.screen_stack or not self.screen_stack[0].query("#problem")

    def show(self, frame: Frame | None, problem: str) -> None:
        """Show a new frame; without one the last one stays, with what went wrong above it."""
        self.frame = frame or self.frame
        line = self._part("#problem", Static)
        line.update(Text(printable_text(problem)))
        line.display = bool(problem)
        self._show_head()
        self._show_tables()

    def _show_head(self) -> None:
        words = [self.frame.head, *(["paused"] if self._is_paused else []), *([f"only: {self._words}"] if self._words else [])]
        self._part("#head", Static).update(Text(" · ".join(words)))

    def _show_tables(self) -> None:
        for table in self.frame.tables:
            self._show_table(table)

    def _show_table(self, table: Table) -> None:
        shown = self._part(f"#{table.name}", Board)
        column, is_reversed = self._sorting[table.name], self._reversed[table.name]
        lines = table.chosen(self._words, column, is_reversed=is_reversed)
        order = f" by {table.columns[column].header}{' ↓' if is_reversed else ' ↑'}" if column is not None else ""
        count = f"{len(lines):,}" if len(lines) == len(table.lines) else f"{len(lines):,} of {len(table.lines):,}"
        shown.border_title = f"{table.name} {count}{order}"
        if not shown.columns:
            for item in table.columns:
                shown.add_column(Text(item.header, justify="right" if item.right else "left"), key=item.header)
        self._fill(shown, table, lines)

    def _fill(self, shown: Board, table: Table, lines: tuple[Line, ...]) -> None:
        """Cells that changed, where the lines are those of before; else all of them, with the cursor on the line that it was on."""
        before = self._lines.get(table.name, ())
        self._lines[table.name] = lines
        if [line.key for line in before] == [line.key for line in lines]:
            for row, (old, new) in enumerate(zip(before, lines, strict=True)):
                for column, cell in enumerate(new.cells):
                    if cell != old.cells[column]:
                        shown.update_cell_at(Coordinate(row, column), _cell(cell.text, table, column), update_width=True)
            return
        at = before[shown.cursor_row].key if 0 <= shown.cursor_row < len(before) else ""
        shown.clear()
        for line in lines:
            shown.add_row(*(_cell(cell.text, table, column) for column, cell in enumerate(line.cells)), key=line.key)
        if (place := next((index for index, line in enumerate(lines) if line.key == at), None)) is not None:
            shown.move_cursor(row=place)

    # --- keys ---

    def _chosen(self) -> Table | None:
        """The table that the keys are about."""
        name = self.focused.id if isinstance(self.focused, Board) else NAMES[0]
        return next((table for table in self.frame.tables if table.name == name), None)

    def action_sort(self) -> None:
        """By the next column; after the last one in the order in which they come."""
        if (table := self._chosen()) is not None:
            column = self._sorting[table.name]
            after = 0 if column is None else column + 1
            self._sorting[table.name] = after if after < len(table.columns) else None
            self._show_table(table)

    def action_turn(self) -> None:
        """The other way round."""
        if (table := self._chosen()) is not None:
            self._reversed[table.name] = not self._reversed[table.name]
            self._show_table(table)

    def action_filter(self) -> None:
        """Type the words that lines must have."""
        line = self._part("#filter", Input)
        line.display = True
        line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while they are typed."""
        self._words = event.value.strip()
        self._show_head()
        self._show_tables()

    def on_input_submitted(self) -> None:
        """Keep them, and go back to the tables."""
        self._end_filter()

    def _end_filter(self) -> None:
        self._part("#filter", Input).display = False
        self._part("#endpoints", Board).focus()

    def action_clear(self) -> None:
        """Show all lines again."""
        self._part("#filter", Input).value = ""
        self._end_filter()

    def action_pause(self) -> None:
        """Look no more, or look again."""
        self._is_paused = not self._is_paused
        self._show_head()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter on a line."""
        lines = self._lines.get(event.data_table.id or "", ())
        if event.cursor_row < len(lines):
            line = lines[event.cursor_row]
            self.push_screen(Details(line.key, line.details))


def _cell(text: str, table: Table, column: int) -> Text:
    role = ROLES.get(text)
    return Text(text, style=STYLES.get(role, "") if role is not None else "", justify="right" if table.columns[column].right else "left")
