"""Reads the bytes of one YAML file into plain values, and knows where each of them stands. Meaning is left to the models.

Values are built from the parser's events in one pass, so that size, depth and aliases are bounded before anything is
made of them. Plain words that YAML 1.1 and YAML 1.2 read differently (`no`, `22:22`, `017`) are refused: people's
editors and other tools would not agree with us about what the file says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

import yaml

from dtnctl.model.site import Location, Mark
from dtnctl.model.source import MAX_PROBLEMS, Source
from dtnctl.printable import name_of, unseen

MAX_DEPTH = 32
MAX_DIGITS = 18
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_OLD_BOOL = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?|\.[0-9]+(?:[eE][-+][0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DIVISIVE = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"  # numbers in 1.2: 1e3, -.5, 017
    r"|0o[0-7]+"
    r"|[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+][0-9]+)?)"  # numbers in 1.1: 1_000
    r"|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"  # base 60 in 1.1: 22:22
)

_PLAIN_WORDS = {
    "mapping values are not allowed in this context": ("a `:` stands where no key can be", "quotes around the value, or less indentation"),
    "could not find expected ':'": ("this line is not `key: value`", "a `:` and a space after the key, or more indentation"),
    "did not find expected key": ("no key where one was expected", "the same indentation as the lines above"),
    "did not find expected '-' indicator": ("a list goes on without `-`", "`- ` at the start of the line, or more indentation"),
    "did not find expected ',' or ']'": ("the list that starts with `[` is not closed", "a `]`"),
    "did not find expected ',' or '}'": ("the mapping that starts with `{` is not closed", "a `}`"),
    "did not find expected node content": ("a value is missing here", "a value, or close what was opened"),
    "found unexpected end of stream": ("the quotes are never closed", "the same quote at the end of the text"),
    "found unknown escape character": ("unknown escape after `\\` in double quotes", "single quotes, or `\\\\` for a backslash"),
    "block sequence entries are not allowed in this context": ("a list cannot start here", "the `-` on a line of its own, or [a, b]"),
    "found undefined tag handle": ("a tag (`!…`) has no meaning here", "quotes around the text"),
    "found incompatible YAML document": ("this YAML version is not known", "to remove the %YAML line"),
}


class _GiveUpError(Exception):
    """The rest of the file cannot be read; its problem is already reported."""


def parse_source(data: bytes, source: Source, loader: Any = LOADER) -> None:
    """Fills the source from the bytes of its file. Never raises."""
    text = _decode(data, source)
    if text is None:
        return
    try:
        _Builder(source, yaml.parse(text, Loader=loader)).build()
    except _GiveUpError:
        source.value = None
    except yaml.MarkedYAMLError as error:
        source.value = None
        _report_syntax(source, text, error)


# --- bytes and text -----------------------------------------------------------------------------------------


def _decode(data: bytes, source: Source) -> str | None:
    whole = Mark(1, 1)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        source.report(whole, "E0103", "is UTF-16, not UTF-8", "to save it as UTF-8")
        return None
    if data.startswith(b"\xef\xbb\xbf"):
        source.report(whole, "E0103", "starts with a byte order mark", "to save it as UTF-8 without BOM")
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        place = _place(data[: error.start].decode())
        source.report(place, "E0103", f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8", "to save it as UTF-8")
        return None
    return None if _refuse_unseen(text, source) else text


def _refuse_unseen(text: str, source: Source) -> bool:
    """Reports what reviewers do not see, or take for something else: for YAML some of it ends a line, and with it a comment."""
    places = list(islice(unseen(text), MAX_PROBLEMS + 1))
    for place in places:
        character = text[place]
        where = _place(text[:place])
        if unicodedata.category(character) == "Cc":
            hint = "LF or CRLF at the end of each line" if character == "\r" else "to remove it"
            source.report(where, "E0104", f"control character {name_of(character)}", hint)
        else:
            escape = character.encode("unicode_escape").decode("ascii")
            hint = "a plain space" if unicodedata.category(character) == "Zs" else f'to remove it, or "{escape}" in double quotes'
            source.report(where, "E0125", f"a character that reviewers do not see as what it is: {name_of(character)}", hint)
    return bool(places)


def _place(before: str) -> Mark:
    """The place right after this text."""
    return Mark(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _report_syntax(source: Source, text: str, error: yaml.MarkedYAMLError) -> None:
    problem, mark = error.problem or "cannot be read", error.problem_mark or error.context_mark
    if problem == "found unexpected end of stream" and error.context_mark is not None:
        mark = error.context_mark
    place = Mark(1, 1) if mark is None else Mark(mark.line + 1, mark.column + 1)
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or (line[place.column - 1 : place.column] == "\t"):
        source.report(place, "E0106", "a tab in the indentation", "spaces")
    elif problem.startswith("found character ") and "cannot start any token" in problem:
        found = line[place.column - 1 : place.column]
        shown = "a backtick" if found == "`" else f"`{found}`"
        source.report(place, "E0105", f"text cannot start with {shown}", "quotes around the text")
    else:
        message, hint = _PLAIN_WORDS.get(problem, (f"this is not YAML: {problem}", ""))
        source.report(place, "E0105", message, hint)


# --- events to values ---------------------------------------------------------------------------------------


class _Builder:
    """Builds plain values from parser events, and reports what does not belong into a state file."""

    def __init__(self, source: Source, events: Iterator[Any]) -> None:
        self.source = source
        self.events = events

    def build(self) -> None:
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.source.report(_mark(event), "E0108", "a second document starts here", "one file for each object")
                    raise _GiveUpError
                self._root(next(self.events))
        if documents == 0:
            self.source.report(Mark(1, 1), "E0107", "is empty", "to write the object, or remove the file")

    def _root(self, event: Any) -> None:
        if isinstance(event, yaml.MappingStartEvent):
            self.source.value = self._value(event, ())
            self.source.marks[()] = Mark(1, 1)
        elif isinstance(event, yaml.ScalarEvent) and event.value == "" and event.implicit[0]:
            self.source.report(Mark(1, 1), "E0107", "is empty", "to write the object, or remove the file")
        else:
            what = "a list" if isinstance(event, yaml.SequenceStartEvent) else "a single value"
            self.source.report(_mark(event), "E0109", f"the file is {what}, not a mapping", "`key: value` lines")
            raise _GiveUpError

    def _value(self, event: Any, location: Location) -> Any:
        if len(location) > MAX_DEPTH:
            self._give_up_on_depth(event)
        if isinstance(event, yaml.ScalarEvent):
            self.source.marks[location] = _mark(event)
            return self._scalar(event, location)
        if isinstance(event, yaml.AliasEvent):
            hint = "to write the value again, or share it by a profile's `extends:`"
            self.source.refuse(location, _mark(event), "E0113", f"aliases (`*{event.anchor}`) are not read", hint)
            return None
        self._refuse_properties(event, location)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(location)
        return self._mapping(location)

    def _sequence(self, location: Location) -> list[Any]:
        items: list[Any] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            here = (*location, len(items))
            self.source.marks[here] = _mark(event)
            items.append(self._value(event, here))
        return items

    def _mapping(self, location: Location) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, location)
            if key is None or key in items:
                if key is not None:
                    first = self.source.keys[(*location, key)].line
                    self.source.report(_mark(event), "E0110", f"the key `{key}` is written twice, first on line {first}", "to remove one")
                self._skip(next(self.events))
                continue
            here = (*location, key)
            self.source.marks[here] = self.source.keys[here] = _mark(event)
            items[key] = self._value(next(self.events), here)
        return items

    def _key(self, event: Any, location: Location) -> str | None:
        """The key's text; None if it cannot be one."""
        if not isinstance(event, yaml.ScalarEvent):
            self._skip(event)
            self.source.refuse(location, _mark(event), "E0111", "a key must be text, not a list, a mapping or an alias")
            return None
        key: str = event.value
        if self._refuse_properties(event, (*location, key)) or not _is_plain(event):
            return key
        if key == "<<":
            hint = "a profile's `extends:`, or to write the keys out"
            self.source.refuse(location, _mark(event), "E0112", "merge keys (`<<`) are not read", hint)
            return None
        kind = _plain_kind(key)
        if kind is not None:
            self.source.refuse(location, _mark(event), "E0111", f"the key `{key}` is {kind}, not text", f'"{key}" in quotes')
            return None
        return key

    def _scalar(self, event: Any, location: Location) -> Any:
        text: str = event.value
        if self._refuse_properties(event, location) or not _is_plain(event):
            return text
        try:
            value = _plain_value(text)
        except _UnclearError as error:
            self.source.refuse(location, _mark(event), error.code, error.message, error.hint)
            return text
        if value is not text:
            self.source.words[location] = text
        return value

    def _refuse_properties(self, event: Any, location: Location) -> bool:
        """Anchors and tags have no use in a file that holds one object."""
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self.source.refuse(location, _mark(event), "E0116", f"the tag `{tag}` has no meaning here", "to remove it")
        if event.anchor is not None:
            self.source.refuse(location, _mark(event), "E0113", f"anchors (`&{event.anchor}`) are not read", "to remove it")
        return event.tag is not None or event.anchor is not None

    def _skip(self, event: Any) -> None:
        """Reads past a value that is not used."""
        depth = 0
        while True:
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                depth += 1
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
            if depth == 0:
                return
            if depth > MAX_DEPTH:
                self._give_up_on_depth(event)
            event = next(self.events)

    def _give_up_on_depth(self, event: Any) -> NoReturn:
        """The parser's own time grows with the square of the depth."""
        self.source.report(_mark(event), "E0117", f"nested deeper than {MAX_DEPTH} levels")
        raise _GiveUpError


# --- plain scalars ------------------------------------------------------------------------------------------


class _UnclearError(Exception):
    """A plain scalar that we do not read."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        self.code, self.message, self.hint = code, message, hint
        super().__init__(message)


def _is_plain(event: Any) -> bool:
    return bool(event.implicit[0]) and not event.style


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _plain_value(text: str) -> Any:
    """What a plain scalar means where YAML 1.1 and 1.2 agree; text that is no number or word of YAML is itself."""
    if text in _BOOL:
        return _BOOL[text]
    if _NULL.fullmatch(text):
        return None
    if text.lower() in _OLD_BOOL and text in (text.lower(), text.upper(), text.capitalize()):
        truth = _OLD_BOOL[text.lower()]
        raise _UnclearError("E0114", f"`{text}` is {truth} in YAML 1.1 and text in YAML 1.2", f'{truth}, or "{text}" in quotes')
    if not text[0].isdecimal() and text[0] not in "+-.":
        return text
    return _number(text)


def _number(text: str) -> Any:
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    if _INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise _UnclearError("E0115", f"the number `{shown}` is too large", "quotes, if it is text")
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise _UnclearError("E0115", f"the number `{shown}` is too large", "quotes, if it is text")
        return value
    if _NOT_FINITE.fullmatch(text):
        raise _UnclearError("E0115", f"`{text}` is no number that can be used", f'"{text}" in quotes, if it is text')
    if _DIVISIVE.fullmatch(text):
        hint = f'"{shown}" in quotes, or the number in plain decimal digits'
        raise _UnclearError("E0114", f"`{shown}` is one thing in YAML 1.1 and another in YAML 1.2", hint)
    return text


def _plain_kind(text: str) -> str | None:
    """What a plain key would be read as, if that is not text."""
    try:
        value = _plain_value(text)
    except _UnclearError:
        return "a number or a truth value for some readers of YAML"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a truth value"
    return None if isinstance(value, str) else "a number"
