"""What a conversion makes: state files, and a note with file and line for everything that will not be as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dtnctl.errors import UsageError
from dtnctl.model.drivers import BUILT_IN, DRIVERS
from dtnctl.model.fields import check_name
from dtnctl.model.site import KINDS
from dtnctl.model.site_settings import SiteSettings
from dtnctl.repository.converting.foreign import Foreign, Location
from dtnctl.repository.formatting import format_text
from dtnctl.repository.starter import new_identity, site_name
from dtnctl.repository.write import write_atomically
from dtnctl.repository.yaml_text import render_scalar

# dropped: what is said there does nothing here. changed: it will not be as it was. refused: it cannot be expressed; a person must decide.
Effect = Literal["dropped", "changed", "refused"]
LONGEST_NAME = 40
# Names of variables whose values are not copied: state files are read by everyone who reads the repository.
SECRET = re.compile(r"PASS|SECRET|TOKEN|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that is not the same afterwards."""

    where: str
    effect: Effect
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.effect}: {self.text}"


@dataclass(slots=True)
class Conversion:
    """State files by kind and name, where each of them comes from, and the notes in the order of the files that were read."""

    files: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    origins: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    interfaces: dict[str, str] = field(default_factory=dict)  # by network, the interface that carried it
    left_out: set[tuple[str, Location]] = field(default_factory=set)  # files and ways in them

    def note(self, where: str, effect: Effect, text: str) -> None:
        """The same note of the same place is one."""
        note = Note(where, effect, text)
        if note not in self.notes:
            self.notes.append(note)

    def dropped(self, item: Foreign, text: str) -> None:
        self.left_out.add((item.file, item.location))
        self.note(item.where(), "dropped", text)

    def changed(self, item: Foreign, text: str) -> None:
        self.note(item.where(), "changed", text)

    def refused(self, item: Foreign, text: str) -> None:
        self.left_out.add((item.file, item.location))
        self.note(item.where(), "refused", text)

    def note_unread(self, top: Foreign) -> None:
        """A note for every key that no step looked at, so that no field is lost silently. Keys that begin with x- are the user's own."""
        for key, item in list(top.unread(self._is_left_out)):
            self.dropped(item, f"`{key}` is not converted")

    def _is_left_out(self, item: Foreign) -> bool:
        return (item.file, item.location) in self.left_out or str(item.location[-1:]).startswith("('x-")

    def name_of(self, kind: str, name: str, item: Foreign) -> str:
        """The name of an object here: the same, or one that is allowed and free."""
        if (kind, name) not in self.names:
            wanted = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")[:LONGEST_NAME].rstrip("-_") or kind
            taken = {ours for (of, _), ours in self.names.items() if of == kind}
            ours, number = wanted, 2
            while ours in taken:
                ours, number = f"{wanted[: LONGEST_NAME - 4]}-{number}", number + 1
            check_name(ours)
            if ours != name:
                self.changed(item, f"{kind} `{name}` is called `{ours}`: names have letters, digits, - and _")
            self.names[kind, name] = ours
        return self.names[kind, name]

    def first_route(self, names: Iterable[str]) -> str:
        """The network, of these, on which engines put the default route: the first by name that can have one. Empty if none can."""
        return min((name for name in names if self._can_route(name)), default="")

    def _can_route(self, name: str) -> bool:
        if name in BUILT_IN:
            return BUILT_IN[name].has_default_route
        fields = self.files.get(("networks", name), {"driver": "bridge", "internal": True})
        row = DRIVERS[fields["driver"]]
        mode = row.mode(fields.get("mode"))
        routes = row.has_default_route or "gateway" in fields or "gateway6" in fields or (mode is not None and mode.routes_alone)
        return bool(routes) and not fields.get("internal")

    def put(self, kind: str, name: str, fields: Mapping[str, Any], where: str) -> None:
        """A state file: `kind` as its folder is called."""
        self.files[kind, name] = dict(fields)
        self.origins[kind, name] = where


def write_conversion(conversion: Conversion, root: Path, folder: str) -> list[str]:
    """Writes the files below `root/folder`, and site.yaml where there is none; returns their names. Overwrites nothing: UsageError."""
    texts = {f"{folder}/{kind}/{name}.yaml": _text(kind, fields, conversion) for (kind, name), fields in _ordered(conversion)}
    if not (root / folder / "site.yaml").exists():
        identity = new_identity()
        name = site_name(root.resolve().name, identity)
        texts[f"{folder}/site.yaml"] = format_text(f"name: {render_scalar(name)}\nid: {identity}\n", SiteSettings)
    existing = sorted(name for name in texts if (root / name).exists())
    if existing:
        raise UsageError(f"nothing is written, because these files exist already: {', '.join(existing)}; try another --out")
    for name, text in texts.items():
        write_atomically(root / name, text)
    return sorted(texts)


def _ordered(conversion: Conversion) -> Sequence[tuple[tuple[str, str], Mapping[str, Any]]]:
    return sorted(conversion.files.items())


def _text(kind: str, fields: Mapping[str, Any], conversion: Conversion) -> str:
    name = next(name for (of, name), item in conversion.files.items() if of == kind and item is fields)
    lines = [f"# converted from {conversion.origins[kind, name]}", "", *_mapping(fields, 0)]
    return format_text("\n".join(lines) + "\n", KINDS[kind])


def _mapping(fields: Mapping[str, Any], indent: int) -> list[str]:
    if not fields:
        return ["{}"]
    lines: list[str] = []
    for key, value in fields.items():
        head = f"{' ' * indent}{render_scalar(key)}:"
        if isinstance(value, dict) and value and indent < 4:
            lines += [head, *_mapping(value, indent + 2)]
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            lines += [head, *(f"{' ' * (indent + 2)}- {_flow(item)}" for item in value)]
        else:
            lines.append(f"{head} {_flow(value)}")
    return lines


def _flow(value: Any) -> str:
    """The value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{render_scalar(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return render_scalar(value)
