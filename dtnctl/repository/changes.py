"""Changes of state files that belong together: they are checked as a whole, and written only if the site is valid with them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from dtnctl.errors import ConfigError, UsageError
from dtnctl.model.layout import fields_at
from dtnctl.model.nearest import suggestion
from dtnctl.model.site import KINDS
from dtnctl.model.source import Source
from dtnctl.repository.formatting import model_of, standard_text
from dtnctl.repository.load import SITE_FILE, SUFFIXES, is_passed_over, load_site, name_problem_of
from dtnctl.repository.write import put
from dtnctl.repository.yaml_edit import NoFieldError, remove_at, render_value, set_at
from dtnctl.repository.yaml_source import parse_source
from dtnctl.repository.yaml_text import Order, render_scalar

Where: TypeAlias = str | Sequence[str | int]


@dataclass(slots=True)
class _Change:
    """A file's text as it was when it was first asked for, and as it will be; None where there is no file."""

    before: str | None
    after: str | None


@dataclass(slots=True)
class Changes:
    """Files are named as `sessions/climate`, and `site`. At the end of a `with` they are written; after an error nothing is.

    Files are written one after the other: a machine that stops in between leaves whole files, some of them new; after an error all are
    as they were. UsageError for a name
    that no state file can have.
    """

    root: Path
    folder: str
    now: datetime
    _changes: dict[Path, _Change] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.write()

    def read(self, name: str) -> dict[str, Any]:
        """What the file says, with the changes so far. UsageError if there is none, ConfigError if it cannot be read."""
        path, text = self._existing(name)
        source = Source(self._shown(path))
        parse_source(text.encode(), source)
        if source.problems:
            raise ConfigError(source.problems)
        return dict(source.value or {})

    def create(self, name: str, fields: Mapping[str, object]) -> None:
        """A new file with these fields. UsageError if there is one."""
        path = self._path(name)
        if self._change(path).after is not None:
            raise UsageError(f"{self._shown(path)} exists already")
        try:
            text = "".join(f"{render_scalar(key)}: {render_value(value)}\n" for key, value in fields.items()) or "{}\n"
        except TypeError as error:
            raise UsageError(f"{self._shown(path)}: {error}; try text, a number, a truth value, a list or a mapping") from None
        self._change(path).after = standard_text(text, path, self._shown(path))

    def set(self, name: str, where: Where, value: object) -> None:
        """One field, by its key or by the keys and list indices that lead to it; all else stays, comments too.

        The file gets its standard form, as `fmt` writes it. UsageError for a list index that is not there.
        """
        self._edit(name, where, lambda text, order, path: set_at(text, order, path, value))

    def unset(self, name: str, where: Where) -> None:
        """Without that field and the comments above it. UsageError if it is not there."""
        self._edit(name, where, remove_at)

    def remove(self, name: str) -> None:
        """Without that file. UsageError if there is none."""
        path, _ = self._existing(name)
        self._change(path).after = None

    def write(self) -> tuple[str, ...]:
        """Writes what has changed; returns the files' names from the root.

        ConfigError with everything that would be wrong, and UsageError if a file has changed since it was asked for: nothing is written.
        """
        changes = {path: change for path, change in self._changes.items() if change.after != change.before}
        if changes:
            self._check(changes)
        for path, change in changes.items():
            if _text_of(path) != change.before:
                raise UsageError(f"{self._shown(path)} has changed meanwhile; nothing was written")
        self._write(changes)
        self._changes.clear()
        return tuple(self._shown(path) for path in changes)

    def _write(self, changes: Mapping[Path, _Change]) -> None:
        """All of them; should one not be possible, those before it are as they were."""
        written: list[Path] = []
        try:
            for path, change in changes.items():
                written.append(path)
                put(path, change.after)
        except BaseException:
            for path in written:
                if _text_of(path) == changes[path].after:
                    put(path, changes[path].before)
            raise

    def _edit(self, name: str, where: Where, edit: Callable[[str, Order, Sequence[str | int]], str]) -> None:
        path, text = self._existing(name)
        model = model_of(path)
        text = standard_text(text, path, self._shown(path))
        keys = (where,) if isinstance(where, str) else tuple(where)
        if not keys:
            raise UsageError("a field is named by its key, or by the keys that lead to it")
        try:
            self._change(path).after = edit(text, lambda location: list(fields_at(model, location)) if model is not None else [], keys)
        except NoFieldError as error:
            raise UsageError(f"{self._shown(path)} has no field {'.'.join(map(str, keys))} ({error} is not there)") from None
        except TypeError as error:
            raise UsageError(f"{self._shown(path)}: {error}; try text, a number, a truth value, a list or a mapping") from None

    def _existing(self, name: str) -> tuple[Path, str]:
        path = self._path(name)
        text = self._change(path).after
        if text is None:
            raise UsageError(f"there is no file {self._shown(path)}")
        return path, text

    def _change(self, path: Path) -> _Change:
        if path not in self._changes:
            text = _text_of(path)
            self._changes[path] = _Change(text, text)
        return self._changes[path]

    def _path(self, name: str) -> Path:
        """The file that has this name, or will have it."""
        state = self.root / self.folder
        if name == Path(SITE_FILE).stem:
            return state / SITE_FILE
        kind, _, stem = name.partition("/")
        if kind not in KINDS:
            raise UsageError(f"no state file can be named {name}; try {suggestion(kind, KINDS, 'sessions/NAME')}")
        if (problem := name_problem_of(stem)) is not None:
            raise UsageError(f"no state file can be named {name}: {problem}")
        known = (state / kind / f"{stem}{suffix}" for suffix in SUFFIXES)
        return next((path for path in known if path.exists()), state / kind / f"{stem}{SUFFIXES[0]}")

    def _check(self, changes: Mapping[Path, _Change]) -> None:
        """Loads a copy of the state with the changes."""
        with tempfile.TemporaryDirectory(prefix="dtnctl-") as copy:
            shutil.copytree(self.root / self.folder, Path(copy) / self.folder, ignore=_passed_over)
            for path, change in changes.items():
                there = Path(copy) / path.relative_to(self.root)
                there.parent.mkdir(exist_ok=True)
                there.unlink(missing_ok=True)
                if change.after is not None:
                    there.write_bytes(change.after.encode())
            load_site(Path(copy), self.folder, self.now)

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.root))


def _passed_over(folder: str, names: Sequence[str]) -> set[str]:
    """What loading does not read, such as the locks that editors put beside a file."""
    del folder
    return {name for name in names if is_passed_over(name)}


def _text_of(path: Path) -> str | None:
    """With its own line ends; None where there is no file. UsageError for one that is no text, or cannot be read."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {path}: it is not UTF-8 text") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
