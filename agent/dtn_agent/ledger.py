"""What the agent changed on this host and how it found it: one file that survives kill -9 and reboots.

A change is written here before it is made. Whoever comes after a crash finds at worst a change that was not made yet, which
is made again, or put back to what it still is.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dtn_agent.protocol import Held

DEFAULT_PATH = Path("/var/lib/dtn-agent/ledger.json")
# What tells an entry of a list from the others of it, in the words of the file.
IDENTITY: Mapping[str, tuple[str, ...]] = {
    "pfs": ("pci",),
    "vfs": ("pci",),
    "vlans": ("name",),
    "tuning": ("key",),
    "qos": ("container", "address"),
    "networks": ("id",),
    "endpoints": ("id",),
}


class Ledger:
    """The file, read and written as a whole. `now` of what it holds is never stored: the kernel tells that.

    What a newer agent wrote into it and this one does not know stays: after an upgrade that was undone and made again it is there.
    """

    def __init__(self, path: Path = DEFAULT_PATH) -> None:
        self.path = path
        self.lock = threading.RLock()

    def read(self) -> Held:
        """What is held; nothing where there is no file yet. ValueError if the file is not one of ours: it is never overwritten then."""
        return Held.model_validate(self._stored())

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

    def write(self, edit: Callable[[Held], Held]) -> Held:
        """Replace what is held by what `edit` makes of it, on disk before this returns; one writer at a time."""
        with self.lock:
            stored = self._stored()
            held = edit(Held.model_validate(stored))
            kept = with_unknown(held.model_dump(mode="json"), stored)
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self.path.with_suffix(".draft")
            with open(draft, "wb", opener=_private) as file:
                file.write(json.dumps(kept, indent=1).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
            _sync_folder(self.path.parent)
            return held


def with_unknown(known: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """What we know, with the keys that only `stored` has: at the top, and in entries that are still there."""
    result: dict[str, Any] = {**{key: value for key, value in stored.items() if key not in known}, **known}
    for name, identity in IDENTITY.items():
        before = {_identity(entry, identity): entry for entry in stored.get(name, ())}
        result[name] = [_entry_with_unknown(entry, before.get(_identity(entry, identity), {})) for entry in known[name]]
    return result


def _identity(entry: Mapping[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(entry.get(name) for name in names)


def _entry_with_unknown(known: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The same for one entry, and for the objects in it."""
    result = {**{key: value for key, value in stored.items() if key not in known}, **known}
    for key, value in known.items():
        if isinstance(value, dict) and isinstance(stored.get(key), dict):
            result[key] = _entry_with_unknown(value, stored[key])
    return result


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(path: Path) -> None:
    """The new name is on disk, too."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
