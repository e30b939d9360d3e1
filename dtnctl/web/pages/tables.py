"""Tables and lists of facts: captions, headers that screen readers find, numbers aligned. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dtnctl.render.html import Child, Html, element, joined
from dtnctl.web.pages.words import or_dash, prose


@dataclass(frozen=True, slots=True)
class Heading:
    """One column. `number`: its cells stand right. `more`: a narrow screen leaves it out."""

    title: str
    number: bool = False
    more: bool = False
    code: bool = False

    @property
    def classes(self) -> str:
        """What its cells are styled by."""
        return " ".join(name for name in ("number", "more", "code") if getattr(self, name))


@dataclass(frozen=True, slots=True)
class Row:
    """Cells in the order of the headings; the first one names the row. `note`: a line of its own below, such as what is wrong."""

    key: str
    cells: Sequence[Child]
    note: Child = None


def table(caption: str, headings: Sequence[Heading], rows: Iterable[Row], *, empty: str, hides_caption: bool = False) -> Html:
    """The table, or the sentence `empty` where there is no row. Wider than the screen it scrolls in a region of its own."""
    rows = tuple(rows)
    if not rows:
        return element("p", empty, class_="empty")
    head = element("thead", element("tr", [element("th", item.title, scope="col", class_=item.classes) for item in headings]))
    body = element("tbody", [_row(headings, row) for row in rows])
    name = element("caption", caption, class_="for-readers" if hides_caption else "")
    return element("div", element("table", name, head, body), class_="scroll", tabindex=0, role="region", aria_label=caption)


def _row(headings: Sequence[Heading], row: Row) -> Html:
    first, *others = zip(headings, row.cells, strict=True)
    cells = [element("th", or_dash(first[1]), scope="row", class_=first[0].classes)]
    cells += [element("td", or_dash(cell), class_=heading.classes) for heading, cell in others]
    line = element("tr", cells, data_key=row.key)
    if not row.note:
        return line
    note = prose(row.note) if isinstance(row.note, str) else row.note
    return joined(line, element("tr", element("td", element("div", note), colspan=len(headings)), class_="note"))


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Names with their values; those without a value are left out."""
    shown = [(name, value) for name, value in pairs if value]
    return element("dl", [element("div", element("dt", name), element("dd", value)) for name, value in shown], class_="facts")


def link(text: Child, href: str, **more: str) -> Html:
    """A link inside of this site."""
    return element("a", text, href=href, **more)


def section(title: str, *children: Child, part: str = "", count: int | None = None, level: int = 2) -> Html:
    """A part of a page under its heading. A `part` with a name is replaced by itself as it is after the next look."""
    heading = element(f"h{level}", title, [" ", element("span", f"{count:,}", class_="count")] if count is not None else None)
    return element("section", heading, *children, data_part=part or None)
