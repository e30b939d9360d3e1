"""Long lists, a page at a time: filtered here, so that a browser never holds more rows than a page has. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from dtnctl.render.html import Html, address, element, joined
from dtnctl.web.pages.tables import Heading, Row, table
from dtnctl.web.pages.words import rank

T = TypeVar("T")
ROWS = 100  # of one page
MOST_FILTER = 200  # characters


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a list is asked for: words that a row must all have, a state, a page. Pages count from 1."""

    filter: str = ""
    state: str = ""
    page: int = 1

    @property
    def words(self) -> tuple[str, ...]:
        """The filter's words, whatever their case."""
        return tuple(self.filter.casefold().split())

    def takes(self, texts: Sequence[str], state: str) -> bool:
        """Whether a row with these texts in this state is asked for."""
        if self.state and state != self.state:
            return False
        whole = " ".join((*texts, state)).casefold()
        return all(word in whole for word in self.words)

    def address(self, name: str, page: int = 1, state: str | None = None) -> str:
        """Where another page of it is, or another state."""
        return address(name, filter=self.filter, state=self.state if state is None else state, page=page if page > 1 else 0)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a filtered list: where it begins, and how many rows the list has with and without the filter."""

    start: int
    found: int
    total: int
    page: int
    pages: int


def asked_of(query: dict[str, str]) -> Asked:
    """What an address asks for; a page that is no number is the first one."""
    page = query.get("page", "")
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 10 else 1
    return Asked(query.get("filter", "")[:MOST_FILTER].strip(), query.get("state", "")[:MOST_FILTER], max(1, number))


def sheet_of(rows: Sequence[T], total: int, asked: Asked) -> tuple[Sequence[T], Sheet]:
    """The rows of the page that is asked for, or of the last one there is."""
    pages = max(1, -(-len(rows) // ROWS))
    page = min(asked.page, pages)
    start = (page - 1) * ROWS
    return rows[start : start + ROWS], Sheet(start, len(rows), total, page, pages)


class HasState(Protocol):
    """A row of a report that can be chosen by its state."""

    @property
    def state(self) -> str: ...


R = TypeVar("R", bound=HasState)


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """How a kind of object is listed. `name`: its address, and what several of them are called. `texts`: what the filter looks at."""

    name: str
    caption: str
    headings: Sequence[Heading]
    texts: Callable[[R], Sequence[str]]
    row: Callable[[R], Row]

    def sheet(self, ordered: Sequence[R], asked: Asked) -> Html:
        """The filter, and the page of the list that is asked for."""
        states = Counter(row.state for row in ordered)
        found = [row for row in ordered if asked.takes(self.texts(row), row.state)]
        shown, sheet = sheet_of(found, len(ordered), asked)
        empty = f"None of the {self.name} matches the filter." if ordered else f"There are no {self.name}."
        rows = table(self.caption, self.headings, [self.row(row) for row in shown], empty=empty)
        form = filter_form(self.name, asked, sorted(states.items(), key=lambda item: rank(item[0])), self.name)
        return joined(form, element("div", rows, pager(self.name, asked, sheet, self.name), data_part="list"))


def filter_form(name: str, asked: Asked, states: Sequence[tuple[str, int]], what: str) -> Html:
    """The field and the states to choose from. Without a script it is a form like any other."""
    field = element("input", type="search", name="filter", value=asked.filter, id="filter", autocomplete="off", placeholder="/")
    kept = element("input", type="hidden", name="state", value=asked.state) if asked.state else None
    label = element("label", f"Filter {what}", for_="filter")
    form = element(
        "form", label, field, kept, element("button", "Filter", type="submit"), method="get", action=address(name), role="search"
    )
    choices = [_choice(name, asked, "", "all", sum(count for _, count in states))]
    choices += [_choice(name, asked, word, word, count) for word, count in states]
    shown = element("div", element("ul", choices, class_="choices", aria_label="States"), data_part="states")
    return element("div", form, shown, class_="controls")


def _choice(name: str, asked: Asked, state: str, words: str, count: int) -> Html:
    is_chosen = asked.state == state
    text = joined(words, " ", element("span", f"{count:,}", class_="count"))
    chosen = element("a", text, href=asked.address(name, state=state), aria_current="true" if is_chosen else None)
    return element("li", chosen, data_key=f"state {state}")


def pager(name: str, asked: Asked, sheet: Sheet, what: str) -> Html:
    """Which rows these are, and the pages before and after."""
    last = min(sheet.start + ROWS, sheet.found)
    of = f" of {sheet.total:,}" if sheet.found != sheet.total else ""
    words = f"{sheet.start + 1:,}–{last:,} of {sheet.found:,}{' found' if of else ''}{of} {what}" if sheet.found else f"0{of} {what}"
    before = _turn(name, asked, sheet.page - 1, "Previous", "prev") if sheet.page > 1 else None
    after = _turn(name, asked, sheet.page + 1, "Next", "next") if sheet.page < sheet.pages else None
    return element("nav", element("p", words, role="status"), before, after, class_="pager", aria_label=f"Pages of {what}")


def _turn(name: str, asked: Asked, page: int, words: str, rel: str) -> Html:
    return element("a", words, href=asked.address(name, page), rel=rel)
