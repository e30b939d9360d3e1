"""Turns pydantic's complaints about one file into problems in plain words, each at its place, with what to try."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from dtnctl.model.engine_addresses import FORMS
from dtnctl.model.fields import shown
from dtnctl.model.layout import fields_at, model_at
from dtnctl.model.near_misses import number_in
from dtnctl.model.nearest import nearest, suggestion
from dtnctl.model.other_words import key_advice, value_advice
from dtnctl.model.site import Location, Mark
from dtnctl.model.source import MAX_PROBLEMS, Source

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_WORDS_OF_TRUTH = {("restart", "false"): '"no" in quotes', ("restart", "true"): "always"}
_SHORT_FORMS = {
    "Attachment": "a network's name or a mapping",
    "Ulimit": "a number or a mapping",
    "Volume": "text or a mapping",
}
_FORMS = {
    "docker": FORMS,
    "restart": '"no", always, unless-stopped, on-failure or on-failure:3',
    "from": "ENDPOINT:/path",
    "to": "ENDPOINT:/path",
}


def explain(errors: Iterable[ErrorDetails], model: type[BaseModel], source: Source) -> None:
    """Adds a problem for every error; several about one field (the arms of a union) become one."""
    grouped: dict[tuple[Location, str], list[ErrorDetails]] = {}
    for error in errors:
        grouped.setdefault(_place(error, source), []).append(error)
    for (location, kind), group in grouped.items():
        if len(source.problems) > MAX_PROBLEMS:
            return  # no further one is listed, and each would be compared with every key
        if not _is_reported(location, source):
            _Explanation(model, source, location, group).report(kind)


def _place(error: ErrorDetails, source: Source) -> tuple[Location, str]:
    """Where it is in the file, and what kind. pydantic's own path has union arms and keys of short forms in it as well."""
    kind = error["type"]
    *way, last = error["loc"] or ("",)
    location: Location = ()
    for part in way:
        location = (*location, part) if (*location, part) in source.marks else location
    if kind in ("missing", "extra_forbidden"):
        return (*location, last), kind
    known = (*location, last) in source.marks
    return ((*location, last) if known else location), "type" if kind in _WANTED else kind


def _is_reported(location: Location, source: Source) -> bool:
    return any(location[:length] in source.reported for length in range(1, len(location) + 1))


class _Explanation:
    """One field, and everything that pydantic says about it."""

    def __init__(self, model: type[BaseModel], source: Source, location: Location, errors: list[ErrorDetails]) -> None:
        self.model = model
        self.source = source
        self.location = location
        self.error = errors[0]
        self.wanted = _wanted(errors)

    def report(self, kind: str) -> None:
        match kind:
            case "missing":
                self._missing()
            case "extra_forbidden":
                self._unknown()
            case "type":
                self._wrong_type()
            case "literal_error":
                self._not_a_choice()
            case "string_pattern_mismatch":
                form = _FORMS[str(self.location[-1])]
                self._report("E0206", f"{self._field()} cannot be {shown(self.error['input'])}", form)
            case "value_error":
                self._refused_by_us()
            case _:
                self._out_of_range()

    def _missing(self) -> None:
        *parent, key = self.location
        inside = f" in `{path(tuple(parent))}`" if parent else ""
        self._report("E0202", f"the key `{key}` is missing{inside}", f"`{key}: …`")

    def _unknown(self) -> None:
        *parent, key = self.location
        holder = model_at(self.model, tuple(parent))
        fields = fields_at(self.model, tuple(parent))
        inside = f" in `{path(tuple(parent))}`" if parent else ""
        advice = key_advice(holder.__name__ if holder is not None else "", str(key), fields, fields_at(self.model, (*parent, "settings")))
        hint = advice or suggestion(str(key), fields, "to remove it")
        mark = self.source.keys.get(self.location, self._mark())
        self.source.report(mark, "E0201", f"unknown key `{key}`{inside}", hint)

    def _wrong_type(self) -> None:
        value, wanted = self.error["input"], _either(self.wanted)
        word = self.source.words.get(self.location)
        hint = ""
        if "text" in self.wanted and word:
            hint = _WORDS_OF_TRUTH.get((str(self.location[-1]), word), f'"{word}" in quotes')
        elif isinstance(value, str) and (number := number_in(str(self.location[-1]), value, self.wanted)):
            hint = number
        elif wanted == "a list" and not isinstance(value, (dict, type(None))):
            hint = f"[{_plain(value, word)}]"
        elif wanted == "a mapping" and isinstance(value, list):
            hint = "`key: value` lines without `-`"
        elif value is None:
            hint = "a value, or to remove the key"
        self._report("E0203", f"{self._field()} must be {wanted}, not {_found(value, word)}", hint)

    def _not_a_choice(self) -> None:
        choices = re.findall(r"'([^']*)'", self.error["ctx"]["expected"])
        value = self.error["input"]
        hint = ""
        if isinstance(value, str):
            hint = value_advice(str(self.location[-1]), value) or nearest(value, choices)
        self._report("E0204", f"{self._field()} cannot be {shown(value)}, only {_either(choices)}", hint)

    def _refused_by_us(self) -> None:
        """Our own validators: about one field, or about several that do not go together."""
        message = str(self.error["ctx"]["error"])
        if isinstance(self.error["input"], dict):
            self._report("E0207", f"`{path(self.location)}`: {message}" if self.location else message)
        else:
            self._report("E0206", f"{self._field()}: {message}")

    def _out_of_range(self) -> None:
        context = self.error.get("ctx", {})
        value = shown(self.error["input"])
        match self.error["type"]:
            case "greater_than_equal":
                self._report("E0205", f"{self._field()} cannot be {value}", f"{context['ge']:g} or more")
            case "less_than_equal":
                self._report("E0205", f"{self._field()} cannot be {value}", f"{context['le']:g} or less")
            case "too_long" | "string_too_long" as kind:
                noun = "entries" if kind == "too_long" else "characters"
                self._report("E0205", f"{self._field()} is too long", f"{context['max_length']} {noun} at most")
            case _:
                self._report("E0205", f"{self._field()} is empty", "at least one")

    def _field(self) -> str:
        return f"`{path(self.location)}`"

    def _mark(self) -> Mark:
        location = self.location
        while location not in self.source.marks:
            location = location[:-1]
        return self.source.marks[location]

    def _report(self, code: str, message: str, hint: str = "") -> None:
        self.source.report(self._mark(), code, message, hint)


def path(location: Location) -> str:
    """`overrides.dtn1.volumes[0].source`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _wanted(errors: list[ErrorDetails]) -> list[str]:
    """What may stand here; a union has an error for each of its arms."""
    forms = [_SHORT_FORMS.get(error.get("ctx", {}).get("class_name", ""), _WANTED.get(error["type"], "")) for error in errors]
    found = [form for form in dict.fromkeys(forms) if form]
    return [form for form in found if form != "a whole number" or "a number" not in found]


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _found(value: Any, word: str | None) -> str:
    match value:
        case None:
            return word or "empty"
        case bool():
            return str(word)
        case int() | float():
            return f"the number {word}"
        case str():
            return f"the text {shown(value)}"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _plain(value: Any, word: str | None) -> str:
    return word if word is not None else str(value)[:40]
