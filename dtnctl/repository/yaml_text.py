"""The standard text of a YAML file: keys in a given order, two spaces, comments kept where they belong.

Scalars are copied as they are written, quotes and all, so that nothing is said differently. A comment belongs to the key
or item that follows it, or to the one that it stands beside. Files with anchors or tags are refused before this.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import yaml

from dtnctl.model.site import Location
from dtnctl.model.source import Source
from dtnctl.repository.yaml_source import LOADER, parse_source

Order: TypeAlias = Callable[[Location], Sequence[str]]

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")
_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./:@+-]*")
_MODELINE = "# yaml-language-server:"


class Comment(NamedTuple):
    """A comment, or an empty line (no text); lines and columns count from 0."""

    line: int
    column: int
    text: str
    is_beside: bool  # something stands before it on its line


@dataclass(slots=True)
class Block:
    """A list or mapping with an item on each line, and the comments after its last one."""

    items: list[Item]
    footer: list[str]


@dataclass(slots=True)
class Item:
    """One key (`name:`) or list item (`-`). The value is a block, or the lines of a scalar, or one line of `[…]` or `{…}`."""

    key: str
    head: str
    before: list[str]
    value: list[str] | Block
    beside: str


def comments_of(text: str) -> list[Comment]:
    """Every comment of a YAML text, in order; a `#` inside a scalar is none."""
    return [comment for comment in _trivia(text) if comment.text]


def format_yaml(text: str, order: Order) -> str:
    """The standard text of one document that is a mapping. `order` gives the keys of a place in their order."""
    header, block = read_blocks(text, order)
    return write_blocks(header, block, order)


def read_blocks(text: str, order: Order) -> tuple[list[str], Block]:
    """The comments that belong to the file, and its fields with their own."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    root = yaml.compose(text, Loader=LOADER)
    assert isinstance(root, yaml.MappingNode)
    reader = _Reader(text, order)
    if not root.value:
        return reader.take(root.start_mark.line), Block([], _without_final_blanks(reader.take(len(text))))
    block = reader.block(root, (), -1)
    block.footer = _without_final_blanks([*block.footer, *reader.take(len(text))])
    return _take_header(block), block


def open_inline(lines: Sequence[str]) -> Block | None:
    """A list or mapping that stands on these lines, with an item on each line instead; None for another value."""
    text = "\n".join(lines)
    node = yaml.compose(text, Loader=LOADER)
    reader = _Reader(text, lambda _: ())
    if isinstance(node, yaml.MappingNode):
        return Block([Item(key.value, f"{reader.inline(key)}:", [], [reader.inline(value)], "") for key, value in node.value], [])
    if isinstance(node, yaml.SequenceNode):
        return Block([Item(str(index), "-", [], [reader.inline(value)], "") for index, value in enumerate(node.value)], [])
    return None if text.strip() else Block([], [])


def write_blocks(header: list[str], block: Block, order: Order) -> str:
    """The text of these."""
    if not block.items:
        return "\n".join([*_paragraphs(header), "{}", *block.footer]) + "\n"
    _sort(block, order(()))
    body = _without_leading_blanks(_lines(block, 0))
    return "\n".join([*_without_leading_blanks(_paragraphs(header)), *body]) + "\n"


def _take_header(block: Block) -> list[str]:
    """Comments above the first key that belong to the file: up to the last empty line or modeline."""
    before = block.items[0].before
    end = max((index + 1 for index, line in enumerate(before) if not line or line.startswith(_MODELINE)), default=0)
    header = before[:end]
    del before[:end]
    return header


def _sort(block: Block, keys: Sequence[str]) -> None:
    """Known keys in their order, the others after them as they were."""
    block.items.sort(key=lambda item: keys.index(item.key) if item.key in keys else len(keys))


# --- comments and empty lines -------------------------------------------------------------------------------


def _trivia(text: str) -> Iterator[Comment]:
    for number, line in enumerate(_without_scalars(text).split("\n")):
        match = _COMMENT.search(line)
        if match is not None:
            is_beside = bool(line[: match.start()].strip(" \t-?:"))
            yield Comment(number, match.start(), match[0].rstrip(), is_beside)
        elif not line.strip():
            yield Comment(number, 0, "", is_beside=False)


def _without_scalars(text: str) -> str:
    """The text with `x` for every character of a scalar, line for line and column for column."""
    pieces: list[str] = []
    position = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.ScalarEvent):
            written = _written(text, event)
            start = _index(event)
            end = start + len(written)
            if event.style in ("|", ">"):  # a comment may stand on the line of the indicator
                start += len(written.partition("\n")[0])
            first, *others = text[start:end].split("\n")
            pieces += [text[position:start], "\n".join(["x" * len(first), *("x" * max(1, len(line)) for line in others)])]
            position = end
    return "".join(pieces) + text[position:]


def _written(text: str, scalar: Any) -> str:
    """A scalar as written. Empty lines after a block scalar are its own only if it keeps them (`|+`)."""
    written = text[_index(scalar) : scalar.end_mark.index]
    if scalar.style not in ("|", ">"):
        return written
    header = _BLOCK_HEADER.match(written)
    return written.removesuffix("\n") if header is not None and "+" in header[0] else written.rstrip("\n")


def _index(node: Any) -> int:
    return int(node.start_mark.index)


# --- reading ------------------------------------------------------------------------------------------------


class _Reader:
    """Turns nodes into blocks and items, and gives every comment to one of them."""

    def __init__(self, text: str, order: Order) -> None:
        self.text = text
        self.order = order
        self.trivia = deque(_trivia(text))
        self.last_line = -1  # of the values so far

    def take(self, end_line: int) -> list[str]:
        """The comments and empty lines above a line that belong to no key yet."""
        return [comment.text for comment in self._take(end_line)]

    def _take(self, end_line: int) -> list[Comment]:
        taken: list[Comment] = []
        while self.trivia and self.trivia[0].line < end_line:
            taken.append(self.trivia.popleft())
        return taken

    def block(self, node: Any, location: Location, parent_column: int) -> Block:
        column = node.start_mark.column
        if isinstance(node, yaml.MappingNode):
            pairs = [(f"{self.inline(key)}:", key.value, key, value) for key, value in node.value]
        else:
            pairs = [("-", index, value, value) for index, value in enumerate(node.value)]
        lines = [*(first.start_mark.line for _, _, first, _ in pairs[1:]), len(self.text)]
        items = [
            self._item(head, (*location, key), first, value, column, next_line)
            for (head, key, first, value), next_line in zip(pairs, lines, strict=True)
        ]
        return Block(items, self._footer(node, parent_column))

    def _item(self, head: str, location: Location, first: Any, value: Any, column: int, next_line: int) -> Item:
        before = self.take(first.start_mark.line)
        beside = ""
        if _is_block(value):
            starts_below = head != "-" and _first_line(value) > first.start_mark.line
            if starts_below and self.trivia and self.trivia[0].line == first.start_mark.line:
                beside = self.trivia.popleft().text
            block = self.block(value, location, column)
            if isinstance(value, yaml.MappingNode):
                _sort(block, self.order(location))
            return Item(str(location[-1]), head, before, block, beside)
        lines = self._scalar_lines(value, column) if isinstance(value, yaml.ScalarNode) else [self.inline(value, location)]
        self.last_line = value.start_mark.line + len(lines) - 1
        inside = self._take(min(self.last_line + 1, next_line))
        if inside and inside[-1].is_beside:
            beside = inside.pop().text
        before += [comment.text for comment in inside if comment.text]
        return Item(str(location[-1]), head, before, lines, beside)

    def _footer(self, node: Any, parent_column: int) -> list[str]:
        """Comments after the last item that are indented deeper than what the block belongs to."""
        if node.flow_style:
            self.last_line = node.end_mark.line
            return [text for text in self.take(self.last_line + 1) if text]
        footer: list[str] = []
        for line, comment in enumerate(self.trivia, start=self.last_line + 1):
            if comment.line != line or comment.is_beside or (comment.text and comment.column <= parent_column):
                break
            footer.append(comment.text)
        footer = _without_final_blanks(footer)
        for _ in footer:
            self.trivia.popleft()
        return footer

    def _scalar_lines(self, scalar: Any, column: int) -> list[str]:
        """The lines of a scalar, the second and later ones without the indentation of the whole."""
        first, *others = _written(self.text, scalar).split("\n")
        if scalar.style not in ("|", ">"):
            return [first, *(line.lstrip(" \t") for line in others)]
        header = _BLOCK_HEADER.match(first)
        assert header is not None
        explicit = re.search(r"[0-9]", header[0])
        if explicit is not None:
            depth = column + int(explicit[0])
        else:
            depth = next((len(line) - len(line.lstrip(" ")) for line in others if line.strip(" ")), 0)
        return [re.sub(r"[0-9]", "2", header[0]), *(line[depth:] for line in others)]

    def inline(self, node: Any, location: Location = ()) -> str:
        """A scalar, or a list or mapping on one line."""
        if isinstance(node, yaml.ScalarNode):
            return _written(self.text, node)
        if isinstance(node, yaml.SequenceNode):
            return f"[{', '.join(self.inline(item, (*location, index)) for index, item in enumerate(node.value))}]"
        keys = self.order(location)
        pairs = sorted(node.value, key=lambda pair: keys.index(pair[0].value) if pair[0].value in keys else len(keys))
        inside = [f"{self.inline(key)}: {self.inline(value, (*location, key.value)) or 'null'}" for key, value in pairs]
        return f"{{{', '.join(inside)}}}"


def _is_block(node: Any) -> bool:
    """Whether a list or mapping is written with an item on each line: as it was, and where `[` or `{` go over several lines."""
    if isinstance(node, yaml.ScalarNode) or not node.value:
        return False
    return not node.flow_style or node.start_mark.line != node.end_mark.line


def _first_line(node: Any) -> int:
    first = node.value[0]
    return int((first[0] if isinstance(first, tuple) else first).start_mark.line)


# --- writing ------------------------------------------------------------------------------------------------


def _lines(block: Block, indent: int) -> list[str]:
    lines: list[str] = []
    previous: list[str] | Block = []
    for item in block.items:
        # The first line of an inner block stands beside the dash, so what is above it goes above the dash.
        inner = _pop_above(item.value) if item.head == "-" and isinstance(item.value, Block) else []
        lines += _indented(_above(item.before + inner, previous), indent)
        lines += _item_lines(item, indent)
        previous = item.value
    return lines + _indented(_above(block.footer, previous), indent)


def _above(trivia: list[str], previous: list[str] | Block) -> list[str]:
    """After a text that keeps its final line ends (`|+`) an empty line would be one more of them."""
    return _without_leading_blanks(_paragraphs(trivia)) if _is_open(previous) else _paragraphs(trivia)


def _is_open(value: list[str] | Block) -> bool:
    if isinstance(value, Block):
        return not value.footer and _is_open(value.items[-1].value)
    return len(value) > 1 and value[0].startswith(("|", ">")) and "+" in value[0]


def _item_lines(item: Item, indent: int) -> list[str]:
    space, beside = " " * indent, f"  {item.beside}" if item.beside else ""
    if isinstance(item.value, Block):
        if item.head != "-":
            return [f"{space}{item.head}{beside}", *_without_leading_blanks(_lines(item.value, indent + 2))]
        first, *others = _lines(item.value, indent + 2)
        return [f"{space}- {first.lstrip(' ')}", *others]
    first, *others = item.value
    text = f"{space}{item.head} {first}" if first else f"{space}{item.head}"
    rest = [f"{space}  {line}" if line else "" for line in others]
    if rest and not first.startswith(("|", ">")):
        return [text, *rest[:-1], rest[-1] + beside]
    return [text + beside, *rest]


def _pop_above(block: Block) -> list[str]:
    first = block.items[0]
    above, first.before = first.before, []
    return above + _pop_above(first.value) if first.head == "-" and isinstance(first.value, Block) else above


def _indented(lines: list[str], indent: int) -> list[str]:
    return [" " * indent + line if line else "" for line in lines]


def _without_leading_blanks(lines: list[str]) -> list[str]:
    start = next((index for index, line in enumerate(lines) if line), len(lines))
    return lines[start:]


def _without_final_blanks(lines: list[str]) -> list[str]:
    end = next((index for index in range(len(lines), 0, -1) if lines[index - 1]), 0)
    return lines[:end]


def _paragraphs(lines: list[str]) -> list[str]:
    """Comments with at most one empty line between them."""
    return [line for index, line in enumerate(lines) if line or index == 0 or lines[index - 1]]


# --- small edits --------------------------------------------------------------------------------------------


def set_field(text: str, key: str, value: object) -> str:
    """The text with one top-level field set; everything else, comments too, stays as it is. A new key goes to the end."""
    root = yaml.compose(text, Loader=LOADER)
    assert isinstance(root, yaml.MappingNode)
    for node, found in root.value:
        if node.value == key:
            end = _index(found) + len(_written(text, found)) if isinstance(found, yaml.ScalarNode) else found.end_mark.index
            space = "" if found.start_mark.index > node.end_mark.index + 1 else " "
            return f"{text[: found.start_mark.index]}{space}{render_scalar(value)}{text[end:]}"
    if root.flow_style or "\n..." in text:
        text = format_yaml(text, lambda _: ())
    return f"{text.rstrip()}\n{key}: {render_scalar(value)}\n"


def render_scalar(value: object) -> str:
    """The value as one YAML word: plain where that reads as the same, else in double quotes."""
    if not isinstance(value, str):
        return json.dumps(value)
    source = Source("")
    if _PLAIN.fullmatch(value):
        parse_source(f"x: {value}".encode(), source)
    return value if source.value == {"x": value} and not source.problems else json.dumps(value, ensure_ascii=False)
