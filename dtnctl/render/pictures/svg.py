"""The parts of an SVG picture: text, boxes, lines, and the whole with its title and description. Colours are classes (style.py).

Every text comes in here as it is and leaves escaped, on one line, without anything that a reader does not see.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Literal

from dtnctl.printable import printable_text
from dtnctl.render.pictures.style import STYLE
from dtnctl.render.text import cells, clip

WIDEST = 0.62  # of a character, in parts of the size of its font: what the widest of the usual fonts need
MARGIN = 24
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn, in pixels from the upper left corner. `description` says all that matters in words, for people who do not see it."""

    width: int
    height: int
    title: str
    description: str
    body: str


def standalone(picture: Picture) -> str:
    """A file of its own: light or dark as the reader's system is."""
    style = f"<style>{STYLE}</style>\n"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_svg(picture, "picture", style)}\n'


def inline(picture: Picture, identifier: str) -> str:
    """A part of a page that has STYLE in its own style sheet. `identifier` (letters, digits, dashes) is unique in that page."""
    return _svg(picture, identifier, "")


def _svg(picture: Picture, identifier: str, style: str) -> str:
    name = attribute(identifier)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="dtnctl-picture" role="img" aria-labelledby="{name}-title {name}-description" '
        f'width="{picture.width}" height="{picture.height}" viewBox="0 0 {picture.width} {picture.height}">\n'
        f'<title id="{name}-title">{content(picture.title)}</title>\n'
        f'<desc id="{name}-description">{content(picture.description)}</desc>\n'
        f'{style}<rect class="paper" width="{picture.width}" height="{picture.height}" rx="8"/>\n{picture.body}\n</svg>'
    )


# --- text -----------------------------------------------------------------------------------------------------------


def content(text: str) -> str:
    """Between two tags."""
    return escape(printable_text(text), quote=False)


def attribute(text: str) -> str:
    """Between two double quotes."""
    return escape(printable_text(text), quote=True)


def text(x: float, y: float, value: str, classes: str = "", *, anchor: Anchor = "start") -> str:
    """One line; `y` is where its letters stand."""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{number(x)}" y="{number(y)}"{where}{_classes(classes)}>{content(value)}</text>'


def fitted(value: str, width: float, size: float = 12) -> str:
    """The text, cut with an ellipsis where it would be wider than `width` pixels in a font of this size."""
    return clip(printable_text(value), max(1, int(width / (size * WIDEST))), "…")


def width_of(value: str, size: float = 12) -> float:
    """How many pixels the text may need in a font of this size."""
    return cells(printable_text(value)) * size * WIDEST


# --- shapes ---------------------------------------------------------------------------------------------------------


def box(x: float, y: float, width: float, height: float, classes: str = "", *, radius: float = 4) -> str:
    size = f'width="{number(width)}" height="{number(height)}"'
    return f'<rect x="{number(x)}" y="{number(y)}" {size} rx="{number(radius)}"{_classes(classes)}/>'


def line(x1: float, y1: float, x2: float, y2: float, classes: str = "") -> str:
    return f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"{_classes(classes)}/>'


def dot(x: float, y: float, radius: float, classes: str = "") -> str:
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"{_classes(classes)}/>'


def path(commands: str, classes: str = "") -> str:
    return f'<path d="{commands}"{_classes(classes)}/>'


def group(parts: Iterable[str], title: str = "") -> str:
    """Parts with a title that shows where a pointer rests on them."""
    shown = f"<title>{content(title)}</title>" if title else ""
    return f"<g>{shown}{''.join(parts)}</g>"


def number(value: float) -> str:
    """At most one decimal: the same bytes on every machine."""
    return f"{value:.1f}".removesuffix(".0")


def _classes(names: str) -> str:
    return f' class="{names}"' if names else ""
