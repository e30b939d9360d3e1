"""Reads YAML and JSON of other programs into plain values, and knows the line of each of them. Their own rules: nothing is refused here
that those programs accept, except what cannot be read at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dtnctl.errors import UsageError
from dtnctl.printable import printable_text

Location = tuple[str | int, ...]
MAX_BYTES = 16 * 1024**2
MAX_NODES = 1_000_000


@dataclass(frozen=True, slots=True)
class Foreign:
    """A value in a file of another program. `lines` has the line of each value below it, by its way from the file's top.

    `asked` are the ways in the whole file that were looked at.
    """

    file: str
    value: Any
    lines: Mapping[Location, int] = field(default_factory=dict)
    location: Location = ()
    asked: set[Location] = field(default_factory=set)

    def where(self, *keys: str | int) -> str:
        """`file:line` of a value below this one, or of the nearest one above it."""
        location = (*self.location, *keys)
        while location and location not in self.lines:
            location = location[:-1]
        return f"{self.file}:{self.lines.get(location, 1)}"

    def at(self, *keys: str | int) -> Foreign:
        """The value below; None as a value where there is none."""
        value = self.value
        for count, key in enumerate(keys, 1):
            self.asked.add((*self.location, *keys[:count]))
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                value = None
        return Foreign(self.file, value, self.lines, (*self.location, *keys), self.asked)

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> Iterator[tuple[str, Foreign]]:
        """Each key of a mapping with its value, in the file's order; nothing for other values."""
        if isinstance(self.value, dict):
            for key in self.value:
                yield str(key), self.at(key)

    def unread(self, is_left_out: Callable[[Foreign], bool]) -> Iterator[tuple[str, Foreign]]:
        """Keys below this value that were not looked at, but for those below something that is left out with all that it holds."""
        if is_left_out(self):
            return
        below = self.value.items() if isinstance(self.value, dict) else enumerate(self.value) if isinstance(self.value, list) else ()
        for key, value in below:
            item = Foreign(self.file, value, self.lines, (*self.location, key), self.asked)
            if isinstance(key, str) and item.location not in self.asked and not is_left_out(item):
                yield key, item
            else:
                yield from item.unread(is_left_out)

    def entries(self) -> Iterator[Foreign]:
        """Each item of a list; the value itself where it is a single one that is not null."""
        if isinstance(self.value, list):
            yield from (self.at(index) for index in range(len(self.value)))
        elif self.value is not None:
            yield self


def read_foreign(path: Path, shown: str) -> Foreign:
    """The file's value. UsageError if it cannot be read, with the place."""
    try:
        data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {(error.strerror or 'unknown reason').lower()}") from error
    if data is None:
        raise UsageError(f"{shown} is too large: at most {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8")
        node = yaml.compose(text, Loader=_Loader)
        lines: dict[Location, int] = {}
        value = None if node is None else _Values(lines).value_of(node, ())
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown} is not UTF-8") from error
    except RecursionError as error:
        raise UsageError(f"{shown} is nested too deeply") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{shown}:{_place(error, text)}: is not YAML: {printable_text(_problem(error))}") from error
    return Foreign(shown, value, lines)


def _place(error: yaml.YAMLError, text: str) -> str:
    """`line:column`; the reader counts characters from the start."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        return f"{before.count(chr(10)) + 1}:{error.position - (before.rfind(chr(10)) + 1) + 1}"
    mark = getattr(error, "problem_mark", None)
    return "1:1" if mark is None else f"{mark.line + 1}:{mark.column + 1}"


def _problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"unacceptable character #x{error.character:04x}"
    return str(getattr(error, "problem", error))


class _Loader(yaml.SafeLoader):
    """Merge keys are resolved as those programs do it; tags other than YAML's own are refused."""


class _Values:
    """Plain values of nodes. An alias is the value that it stands for; a bound keeps a small file from becoming a large value."""

    def __init__(self, lines: dict[Location, int]) -> None:
        self.lines = lines
        self.count = 0

    def value_of(self, node: Any, location: Location) -> Any:
        self._count()
        self.lines.setdefault(location, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.value_of(item, (*location, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _count(self) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            raise yaml.YAMLError("it has too many values")

    def _mapping(self, node: Any, location: Location) -> dict[Any, Any]:
        self._count()  # merge keys reach a mapping by ways of their own
        found: dict[Any, Any] = {}
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    for name, item in self._mapping(merged, location).items() if isinstance(merged, yaml.MappingNode) else ():
                        found.setdefault(name, item)
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and isinstance(key, yaml.ScalarNode):
                self.lines[*location, key.value] = key.start_mark.line + 1
                found[key.value] = self.value_of(value, (*location, key.value))
        return found


def _scalar(node: Any) -> Any:
    """As YAML 1.1 reads it, which those programs' libraries do; a time stays the text that it is written as."""
    if node.tag == "tag:yaml.org,2002:timestamp":
        return node.value
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    except (ValueError, LookupError):  # a tag whose value is none of its kind, such as `!!bool x`
        return node.value
    finally:
        loader.dispose()
