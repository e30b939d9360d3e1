"""What the agent changed on this host and how it found it: one file that survives kill -9 and reboots.

A change is written here before it is made. After a crash there is at worst a change that was not made yet: it is made then,
or restored to what it still is.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

from dtn_agent.protocol import Held, HeldEntry

DEFAULT_PATH = Path("/var/lib/dtn-agent/ledger.json")
T = TypeVar("T", bound=HeldEntry)
# The list of each class of entries, by its name in the file.
SECTIONS: Mapping[type[HeldEntry], str] = {get_args(field.annotation)[0]: name for name, field in Held.model_fields.items()}


class Ledger:
    """The file, read and written as a whole. `now` of what it holds is never stored: the kernel reports that.

    What a newer agent wrote into it and this one does not know stays: after a downgrade and another upgrade it is still there.
    """

    def __init__(self, path: Path = DEFAULT_PATH) -> None:
        self.path = path
        self.lock = threading.RLock()

    def read(self) -> Held:
        """What is held; nothing where there is no file yet. ValueError if the file is not one of ours: it is never overwritten then."""
        return Held.model_validate(self._stored())

    def section(self, kind: type[T]) -> Section[T]:
        """The entries of this class."""
        return Section(self, kind)

    def drop(self, *entries: HeldEntry) -> None:
        """Forget these, of whatever classes, in one write; none takes no write."""
        if not entries:
            return
        kinds = {type(entry) for entry in entries}
        gone = {kind: {entry.identity for entry in entries if type(entry) is kind} for kind in kinds}

        def edit(held: Held) -> Held:
            return _updated(held, {kind: [entry for entry in _list(held, kind) if entry.identity not in gone[kind]] for kind in kinds})

        self.write(edit)

    def write(self, edit: Callable[[Held], Held]) -> Held:
        """Replace what is held by what `edit` makes of it, on disk before this returns; one writer at a time."""
        with self.lock:
            stored = self._stored()
            before = Held.model_validate(stored)
            held = edit(before)
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self.path.with_suffix(".draft")
            with open(draft, "wb", opener=_private) as file:
                file.write(json.dumps(_with_unknown(held, before, stored), indent=1).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
            _sync_folder(self.path.parent)
            return held

    def _stored(self) -> dict[str, Any]:
        """What the file says, known or not; ValueError if it is no JSON object."""
        try:
            stored = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except RecursionError as error:
            raise ValueError(f"{self.path} is not a ledger: it is nested too deeply") from error
        if not isinstance(stored, dict):
            raise ValueError(f"{self.path} is not a ledger: it is no JSON object")
        return stored


class Section(Generic[T]):
    """The ledger's entries of one class. Each change is on disk before its method returns."""

    def __init__(self, ledger: Ledger, kind: type[T]) -> None:
        self._ledger = ledger
        self._kind = kind

    def all(self) -> tuple[T, ...]:
        return _list(self._ledger.read(), self._kind)

    def get(self, *identity: str) -> T | None:
        return next((entry for entry in self.all() if entry.identity == identity), None)

    def put(self, entry: T) -> None:
        """In the place of the one with the same identity, else last; then by rank."""
        self._edit(lambda entries: {**{other.identity: other for other in entries}, entry.identity: entry}.values())

    def put_last(self, entry: T) -> None:
        """The same, but after all others of its rank."""
        self._edit(lambda entries: [*(other for other in entries if other.identity != entry.identity), entry])

    def change(self, *identity: str, **fields: object) -> None:
        """Set these fields of the entry as it stands there by now; nothing if it is not there."""
        self._edit(lambda entries: [entry.model_copy(update=fields) if entry.identity == identity else entry for entry in entries])

    def drop(self, *identity: str) -> None:
        self._edit(lambda entries: [entry for entry in entries if entry.identity != identity])

    def _edit(self, edit: Callable[[Iterable[T]], Iterable[T]]) -> None:
        def edited(held: Held) -> Held:
            return _updated(held, {self._kind: sorted(edit(_list(held, self._kind)), key=lambda entry: entry.rank)})

        self._ledger.write(edited)


def _list(held: Held, kind: type[T]) -> tuple[T, ...]:
    entries: tuple[T, ...] = getattr(held, SECTIONS[kind])
    return entries


def _updated(held: Held, entries: Mapping[type[HeldEntry], Iterable[HeldEntry]]) -> Held:
    return held.model_copy(update={SECTIONS[kind]: tuple(items) for kind, items in entries.items()})


# --- what a newer agent wrote -----------------------------------------------------------------------------------------


def _with_unknown(held: Held, before: Held, stored: Mapping[str, Any]) -> dict[str, Any]:
    """`held` as JSON, with the keys that only `stored` has: at the top, and in entries that are still there. `before` is `stored`, read."""
    result = _merged(held.model_dump(mode="json"), stored)
    for kind, name in SECTIONS.items():
        known = {entry.identity: text for entry, text in zip(_list(before, kind), stored.get(name, ()), strict=True)}
        result[name] = [_merged(text, known.get(entry.identity, {})) for entry, text in zip(_list(held, kind), result[name], strict=True)]
    return result


def _merged(known: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """What we know, with the keys that only `stored` has, and the same for the objects in it."""
    result = {**{key: value for key, value in stored.items() if key not in known}, **known}
    for key, value in known.items():
        if isinstance(value, dict) and isinstance(stored.get(key), dict):
            result[key] = _merged(value, stored[key])
    return result


# --- the file ---------------------------------------------------------------------------------------------------------


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(path: Path) -> None:
    """The new name is on disk, too."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
