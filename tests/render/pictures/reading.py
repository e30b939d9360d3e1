"""An SVG picture as its reader has it: texts with the places where they stand, and titles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from dtnctl.render.pictures.svg import width_of

SVG = "{http://www.w3.org/2000/svg}"
SIZES = {"title": 18, "head": 14, "name": 13, "small": 11, "tiny": 10, "key": 10}
NAMED = {"aria-labelledby", "id"}


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `left` to `right` is where it may reach in the widest of the usual fonts."""

    words: str
    left: float
    right: float
    baseline: float
    size: float

    def covers(self, other: Text) -> bool:
        """Whether they share more than a hair of the paper."""
        is_beside = self.right <= other.left + 1 or other.right <= self.left + 1
        first, second = sorted((self, other), key=lambda item: item.baseline)
        return not is_beside and second.baseline - second.size * 0.75 < first.baseline


def texts(document: str) -> list[Text]:
    """Every text of the picture, where it stands."""
    return list(_texts(ElementTree.fromstring(document), 0, 0))


def _texts(element: ElementTree.Element, x: float, y: float) -> Iterator[Text]:
    if (moved := element.get("transform", "")).startswith("translate("):
        right, down = moved.removeprefix("translate(").rstrip(")").split()
        x, y = x + float(right), y + float(down)
    if element.tag == f"{SVG}text":
        words = element.text or ""
        size = next((SIZES[name] for name in element.get("class", "").split() if name in SIZES), 12)
        width = width_of(words, size)
        left = x + float(element.get("x", "0")) - {"start": 0.0, "middle": width / 2, "end": width}[element.get("text-anchor", "start")]
        yield Text(words, left, left + width, y + float(element.get("y", "0")), size)
    for part in element:
        yield from _texts(part, x, y)


def words_of(document: str) -> str:
    """All that can be read, with a space between."""
    return " ".join(item.words for item in texts(document))


def titles(document: str) -> list[str]:
    """What shows under a pointer."""
    root = ElementTree.fromstring(document)
    return [part.text or "" for group in root.iter(f"{SVG}g") for part in group.findall(f"{SVG}title")]


def size_of(document: str) -> tuple[float, float]:
    root = ElementTree.fromstring(document)
    return float(root.attrib["width"]), float(root.attrib["height"])
