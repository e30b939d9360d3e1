"""What of the state files is not as a commit has it: the files, and of those that are there in both the fields with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dtnctl.errors import DtnctlError
from dtnctl.model.secret_words import NOT_SHOWN, is_hidden, shown_value
from dtnctl.model.site import Location
from dtnctl.model.source import Source
from dtnctl.repository.git_objects import GitObjects, run_git
from dtnctl.repository.source_file import MAX_BYTES, fill_source, read_source

LONGEST = 80  # characters of a value


@dataclass(frozen=True, slots=True)
class StateChanges:
    """`lines` for a person, in the order of files. `trouble` is why it is not known what changed; empty if it is."""

    lines: tuple[str, ...] = ()
    trouble: str = ""


def state_changes(root: Path, folder: str, commit: str) -> StateChanges:
    """What the files in the folder have that the commit has not, committed since or not."""
    try:
        if not run_git(root, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", codes=(0, 1, 128)):
            return StateChanges(trouble=f"commit {commit[:7]} is not in this clone; `git fetch --unshallow` may bring it")
        listed = run_git(root, "diff", "--name-only", "--no-renames", "--relative", "-z", commit, "--", folder)
        new = run_git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", folder)
        names = sorted({*listed.split("\0"), *new.split("\0")} - {""})
        with GitObjects(root) as objects:
            prefix = run_git(root, "rev-parse", "--show-prefix")
            lines = tuple(
                line for name in names for line in _of_file(root, name, objects.read_small(f"{commit}:{prefix}{name}", MAX_BYTES))
            )
    except DtnctlError as error:
        return StateChanges(trouble=str(error))
    return StateChanges(lines)


def _of_file(root: Path, name: str, before: tuple[int, bytes] | None) -> Iterator[str]:
    is_there = (root / name).is_file()
    if before is None or not is_there:
        yield f"{name}: {'new' if is_there else 'removed'}"
        return
    size, content = before
    if size > MAX_BYTES or not name.endswith((".yaml", ".yml")):
        yield f"{name}: changed"
        return
    yield from _of_sources(fill_source(Source(name), content), read_source(root / name, name))


def content_changes(name: str, before: bytes | None, after: bytes | None) -> Iterator[str]:
    """The same lines of one file whose content is known before and after; None: there was no such file."""
    if before is None or after is None:
        yield f"{name}: {'new' if before is None else 'removed'}"
        return
    yield from _of_sources(fill_source(Source(name), before), fill_source(Source(name), after))


def _of_sources(old: Source, new: Source) -> Iterator[str]:
    if old.problems or new.problems:
        yield f"{new.file}: changed"
        return
    yield from _of_fields(old, new)


def _of_fields(old: Source, new: Source) -> Iterator[str]:
    one, other = dict(_fields(old.value)), dict(_fields(new.value))
    for location in sorted(one.keys() | other.keys(), key=lambda item: tuple(map(str, item))):
        if one.get(location) != other.get(location):
            mark = new.marks.get(location)
            place = f"{new.file}:{mark.line}" if mark is not None and location in other else new.file
            yield f"{place}: {'.'.join(map(str, location)) or 'content'} {_change(location, one, other)}"


def _change(location: Location, one: Mapping[Location, Any], other: Mapping[Location, Any]) -> str:
    before, after = _shown(location, one), _shown(location, other)
    if before == after and before != NOT_SHOWN:
        return f"{_cut(before)} → the same but for what is not shown"
    return f"{_cut(before)} → {_cut(after)}"


def _fields(value: Any, location: Location = ()) -> Iterator[tuple[Location, Any]]:
    """Each field with its value; a list is one value."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _fields(item, (*location, key))
    else:
        yield location, value


def _shown(location: Location, values: Mapping[Location, Any]) -> str:
    """The value without secrets: not even how long they are is said of those in lists and options."""
    if location not in values:
        return "(not written)"
    return NOT_SHOWN if is_hidden(location) else shown_value(values[location])


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
