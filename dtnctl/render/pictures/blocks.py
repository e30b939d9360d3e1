"""Rectangular parts of a picture that are put below and beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dtnctl.render.pictures.svg import number


@dataclass(frozen=True, slots=True)
class Block:
    """A part and its size in pixels; drawn from its own upper left corner."""

    width: float
    height: float
    body: str


def placed(block: Block, x: float, y: float) -> str:
    """The block somewhere in a picture."""
    return f'<g transform="translate({number(x)} {number(y)})">{block.body}</g>\n'


def stacked(blocks: Sequence[Block], gap: float = 0) -> Block:
    """One below the other."""
    y, parts = 0.0, []
    for block in blocks:
        parts.append(placed(block, 0, y))
        y += block.height + gap
    return Block(max((block.width for block in blocks), default=0), max(0.0, y - gap), "".join(parts))


def beside(blocks: Sequence[Block], gap: float = 0) -> Block:
    """One right of the other, from the same upper edge."""
    x, parts = 0.0, []
    for block in blocks:
        parts.append(placed(block, x, 0))
        x += block.width + gap
    return Block(max(0.0, x - gap), max((block.height for block in blocks), default=0), "".join(parts))
