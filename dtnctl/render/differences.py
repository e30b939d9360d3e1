"""How two plans differ, in the words of plans: which changes are in one of them only, and what of the others is not the same.

Plans are compared as values, in the form that `--out PLAN.json` has: a plan that was reviewed may come from such a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dtnctl.model.secret_words import NOT_SHOWN, is_hidden, shown_text

Json = Mapping[str, Any]
NOTHING = "(none)"
EMPTY: tuple[object, ...] = (None, "", [], {})
PROGRESS = re.compile(r" at \d+ %(?=, (not )?resumable)")  # of running transfers: it moves by itself


def plan_differences(before: Json, after: Json) -> list[str]:
    """Lines for a reader, from two plans as JSON documents. What is done is compared where what is shown is the same."""
    old, new = _changes(before), _changes(after)
    lines = [f"no longer planned: {name}" for name in sorted(old.keys() - new.keys())]
    lines += [f"planned now: {name}" for name in sorted(new.keys() - old.keys())]
    lines += _changed(old, new)
    return lines or _changed(_steps(before), _steps(after)) or _unlike_steps(before, after)


def _changed(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
    lines = []
    for name in sorted(old.keys() & new.keys()):
        found = [f"    {label}: {one} → {other}" for label, one, other in _differing(old[name], new[name])]
        lines += [f"{name}:", *found] if found else []
    return lines


def _differing(old: Json, new: Json) -> Iterator[tuple[str, str, str]]:
    """Label and both texts of what is not the same, in the order of labels. deepdiff finds it, however deep; the words are ours."""
    from deepdiff import DeepDiff
    from deepdiff.helper import notpresent

    found = []
    for items in DeepDiff(_named(old), _named(new), view="tree").values():
        for item in items:
            one, other = (None if value is notpresent else value for value in (item.t1, item.t2))
            way = item.path(output_format="list")
            label = ".".join(map(str, way))
            shown = _hidden if is_hidden(label.split(".")) else _text
            found.append((label, shown(one), shown(other)))
    yield from sorted(found)


def _named(value: Any) -> Any:
    """The value with pairs of a name and a text by their names, so that what differs is named and not counted."""
    if isinstance(value, dict):
        return {key: _named(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if value and all(isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) for item in value):
        return {name: _named(item) for name, item in value}
    return [_named(item) for item in value]


def _text(value: object) -> str:
    """The value as a person reads it: no brackets and quotes of a programming language."""
    if value in EMPTY:
        return NOTHING
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{key} {_hidden(item) if is_hidden((key,)) else _text(item)}" for key, item in value.items() if key != "type")
        case list():
            return ", ".join(_text(item) for item in value)
        case _:
            return shown_text(str(value))


def _hidden(value: object) -> str:
    return NOTHING if value in EMPTY else NOT_SHOWN


def _changes(document: Json) -> dict[str, Json]:
    """What each change shows, by what it is about. Places and causes may differ without another thing being done."""
    return {f"{item['mark']} {item['kind']}/{item['name']} @ {item['endpoint']}": dict(_shown(item)) for item in document["changes"]}


def _shown(change: Json) -> Iterator[tuple[str, str]]:
    yield from ((field["field"], f"{field['before'] or NOTHING} to {field['after'] or NOTHING}") for field in change["fields"])
    yield from ((pair["label"], pair["value"]) for pair in (*change["allocations"], *change["kept"]))
    yield from ((label, PROGRESS.sub("", change[label])) for label in ("code", "interrupts", "summary"))


def _steps(document: Json) -> dict[str, Json]:
    return {f"step {item['id']}": item["action"] for item in document["steps"]}


def _unlike_steps(before: Json, after: Json) -> list[str]:
    old, new = _steps(before), _steps(after)
    return [f"no longer done: {name}" for name in sorted(old.keys() - new.keys())] + [
        f"done now: {name}" for name in sorted(new.keys() - old.keys())
    ]
