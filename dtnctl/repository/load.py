"""Loads `state/` into a Site, or raises one ConfigError with everything that is wrong in it.

The folder is the kind, the stem is the name, one object a file. Files are read here; what their values may be is the
models' business, and what they may refer to is references.py's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from dtnctl.errors import ConfigError, NotAllowedError, Problem
from dtnctl.model.bound_paths import only_vlans, over_paths
from dtnctl.model.bound_tools import by_declared_tools
from dtnctl.model.explain import explain
from dtnctl.model.fields import check_name
from dtnctl.model.layout import keeps_text
from dtnctl.model.nearest import nearest
from dtnctl.model.site import KINDS, Declarations, Document, Site
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.source import Source
from dtnctl.model.validation.known import MOST_PROBLEMS
from dtnctl.model.validation.owner_rules import find_owner_problems
from dtnctl.model.validation.paths import find_provider_problems
from dtnctl.model.validation.references import find_reference_problems
from dtnctl.model.validation.secrets import find_secret_problems
from dtnctl.model.written import Written
from dtnctl.printable import is_visible
from dtnctl.repository.source_cache import SourceCache
from dtnctl.repository.source_file import read_source

M = TypeVar("M", bound=Written)
SUFFIXES = (".yaml", ".yml")
SITE_FILE = "site.yaml"
BUILDING = threading.Lock()  # pydantic builds a model's validator in the thread that needs it first, and two at once spoil it


@dataclass(slots=True)
class Reading:
    """What could be read, and every problem so far. `broken` holds the names of files that exist but say nothing usable."""

    folder: str
    cache: SourceCache | None = None
    settings: Document[SiteSettings] | None = None
    found: dict[str, dict[str, Document[Any]]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    declared: Declarations = field(default_factory=Declarations)  # all that was found, once everything is read
    broken: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in KINDS})
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    is_listed: bool = True  # whether every folder could be listed; otherwise the names that exist are not known

    @property
    def is_full(self) -> bool:
        """Whether there are more problems than one run lists: no further file is read."""
        return len(self.problems) > MOST_PROBLEMS

    def report(self, file: str, code: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(file, 1, 1, code, message, hint))


def load_site(root: Path, folder: str = "state", now: datetime | None = None, cache: SourceCache | None = None) -> Site:
    """The validated site in `root/folder`. Raises ConfigError with all problems of all files, the same with and without a cache."""
    return _site_of(read_state(root, folder, now or datetime.now(UTC), cache))


def validate_state(root: Path, folder: str = "state", now: datetime | None = None) -> Site:
    """The same; also raises what is against an endpoint's `allow:`, which a plan would block: NotAllowedError if that is all."""
    time = now or datetime.now(UTC)
    reading = read_state(root, folder, time)
    refused = find_owner_problems(reading.declared, time, reading.broken) if reading.is_listed else []
    if refused and not reading.problems:
        raise NotAllowedError(refused)
    reading.problems += refused
    return _site_of(reading)


def _site_of(reading: Reading) -> Site:
    if reading.problems or reading.settings is None:
        raise ConfigError(reading.problems)
    return Site(settings=reading.settings, **{kind: getattr(reading.declared, kind) for kind in KINDS})


def read_state(root: Path, folder: str, now: datetime, cache: SourceCache | None = None) -> Reading:
    """Everything in `root/folder` that can be read, with every problem. `now` decides which sessions have expired."""
    reading = Reading(Path(folder).as_posix(), cache)
    state = root / folder
    if not _is_folder(state):
        reading.report(reading.folder, "E0121", "there is no such folder", "`dtnctl init` in an empty folder")
        return reading
    for entry in _entries(state, reading.folder, reading):
        _read_top(entry, reading)
    site_file = f"{reading.folder}/{SITE_FILE}"
    if reading.is_listed and site_file not in reading.files:
        reading.report(site_file, "E0121", "is missing; it names the site", "`name: …` in it, or `dtnctl init`")
    reading.declared = declared = declared_by(reading.found)
    if reading.is_listed and not reading.is_full:
        reading.problems += find_reference_problems(declared, now, reading.broken)
    if reading.settings is not None:
        reading.problems += find_secret_problems(reading.settings, declared)
        reading.problems += find_provider_problems(reading.settings, declared.paths, declared.endpoints)
    if reading.is_full:
        del reading.problems[MOST_PROBLEMS:]
        reading.report(
            reading.folder, "E0126", f"more than {MOST_PROBLEMS} problems; the others are not listed", "to correct the first ones"
        )
    return reading


def declared_by(found: Mapping[str, Mapping[str, Document[Any]]]) -> Declarations:
    """The documents of each kind; transfers with the site's own tools that they name, networks with what their paths decide."""
    read = Declarations(**found)
    networks = over_paths(read.networks, read.paths, only_vlans(read.paths))
    return replace(read, transfers=by_declared_tools(read.transfers, read.tools), networks=networks)


def _read_top(entry: Path, reading: Reading) -> None:
    if reading.is_full:
        return
    if entry.name == SITE_FILE:
        reading.settings = _read_object(entry, "site", SiteSettings, reading)
    elif entry.name in KINDS:
        _read_kind(entry, entry.name, KINDS[entry.name], reading)
    else:
        file = f"{reading.folder}/{shown_name(entry.name)}"
        similar = nearest(entry.name, [*KINDS, SITE_FILE])
        reading.report(file, "E0120", "is not read", f"`{similar}`" if similar else f"one of {SITE_FILE}, {', '.join(KINDS)}")


def _read_kind(directory: Path, kind: str, model: type[Written], reading: Reading) -> None:
    where = f"{reading.folder}/{kind}"
    first_files: dict[str, str] = {}
    for entry in _entries(directory, where, reading):
        if reading.is_full:
            return
        file = f"{where}/{shown_name(entry.name)}"
        if entry.suffix not in SUFFIXES:
            reading.report(file, "E0120", *_not_read(entry))
        elif (name_problem := name_problem_of(entry.stem)) is not None:
            reading.report(file, "E0118", name_problem, "another file name")
        elif entry.stem in first_files:
            reading.report(file, "E0119", f"{kind[:-1]} `{entry.stem}` has a second file: {first_files[entry.stem]}", "to remove one")
        else:
            first_files[entry.stem] = file
            document = _read_object(entry, entry.stem, model, reading)
            if document is None:
                reading.broken[kind].add(entry.stem)
            else:
                reading.found[kind][entry.stem] = document


def _not_read(entry: Path) -> tuple[str, str]:
    """Why an entry of a kind's folder is not read, and what to do with it."""
    if _is_folder(entry):
        return "is a folder; folders in a kind are not read", "another place or another name for it"
    if entry.suffix in (".orig", ".rej"):
        return "is left from a merge or a patch that did not apply whole", f"to look at {entry.with_suffix('').name}, and to remove this"
    return "is not read: its name does not end in .yaml", "another place or another name for it"


def _entries(directory: Path, where: str, reading: Reading) -> Iterator[Path]:
    """What a folder holds, in name order, without hidden files and READMEs."""
    try:
        entries = sorted(directory.iterdir(), key=lambda entry: (entry.stem, entry.name))
    except OSError as error:
        reading.is_listed = False
        reading.report(where, "E0101", f"cannot be read: {(error.strerror or 'unknown reason').lower()}", "a folder of YAML files")
        return
    yield from (entry for entry in entries if not is_passed_over(entry.name))


def is_passed_over(name: str) -> bool:
    """Hidden files, READMEs, and what editors keep beside a file while it is edited."""
    return name.startswith((".", "README")) or name.endswith(("~", ".swp", ".swo", ".bak")) or (name.startswith("#") and name.endswith("#"))


def _read_object(path: Path, name: str, model: type[M], reading: Reading) -> Document[M] | None:
    """The file's object, or None after reporting what is wrong with it."""
    folder = reading.folder if model is SiteSettings else f"{reading.folder}/{path.parent.name}"
    source = read_source(path, f"{folder}/{shown_name(path.name)}", reading.cache)
    reading.files.append(source.file)
    value = validate(source, model)
    reading.problems += source.problems
    return None if value is None else Document(name, source.file, value, source.marks)


def validate(source: Source, model: type[M]) -> M | None:
    """The source's value as an object of the model; None, and problems in the source, if it is not one."""
    if not isinstance(source.value, dict):
        return None
    _take_texts(source, model)
    with BUILDING:
        model.model_rebuild()  # does nothing but the first time
    try:
        value = model.model_validate(source.value, by_alias=True, by_name=False)
    except ValidationError as error:
        explain(error.errors(include_url=False), model, source)
        return None
    return None if source.problems else value


def _take_texts(source: Source, model: type[Written]) -> None:
    """Numbers become the very text that was written wherever the model wants text and takes numbers for it."""
    for location, word in source.words.items():
        if keeps_text(model, location):
            *way, last = location
            holder = source.value
            for part in way:
                holder = holder[part]
            if holder[last] is not None:
                holder[last] = word


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def shown_name(name: str) -> str:
    """A file name that can be printed, whatever bytes it has."""
    if name.isascii() and name.isprintable():
        return name
    return "".join(char if is_visible(char) else "?" for char in name)


def name_problem_of(stem: str) -> str | None:
    try:
        check_name(shown_name(stem))
    except ValueError as error:
        return str(error)
    return None
