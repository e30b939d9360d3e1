"""Keys for in-band authentication (DH-HMAC-CHAP). A reboot needs them, so they are kept: beside the ledger, in a file for root only."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

from dtn_agent.protocol.volumes import key_print

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """`host` is what the initiator proves itself with, `controller` the target, if it must."""

    host: str | None = None
    controller: str | None = None

    @property
    def print(self) -> str:
        return key_print(self.host, self.controller)


NO_KEYS = Keys()
Stored: TypeAlias = Mapping[str, object]


class KeyFile:
    """Keys by what they are for, such as `export/SITE/VOLUME`. Each change is on disk before its method returns."""

    def __init__(self, path: Path, changing: threading.RLock | None = None) -> None:
        """`changing`: the lock of all who change this file."""
        self.path = path
        self._changing = changing or threading.RLock()

    def get(self, *name: str) -> Keys:
        """No keys also where they cannot be read: `why_lost` says which."""
        return _keys(self._read()[0].get("/".join(name)))

    def why_lost(self, key_print: str, *name: str) -> str:
        """Why keys that belong to it, by their fingerprint, are not there; empty if they are, or none belong to it."""
        if not key_print or self.get(*name) != NO_KEYS:
            return ""
        what = self._read()[1] or "are not stored on this host any more"
        return f"its keys {what} ({self.path.name}); `dtnctl apply` sends them again"

    def put(self, *name: str, keys: Keys) -> None:
        """No keys: forget them. A file that cannot be read is kept beside the new one."""
        self.put_all({name: keys})

    def put_all(self, changes: Mapping[tuple[str, ...], Keys]) -> None:
        """All of them, or none: volumes of one host that had other keys each would take them from each other."""
        changed = {"/".join(name): keys for name, keys in changes.items()}
        with self._changing:
            stored, fault = self._read()
            kept = {key: value for key, value in stored.items() if key not in changed}
            wanted = {**kept, **{key: asdict(keys) for key, keys in changed.items() if keys != NO_KEYS}}
            if wanted != stored:
                self._write(wanted, keeps_former=bool(fault))

    def forget_others(self, purpose: str, known: Collection[tuple[str, ...]]) -> None:
        """Forget keys for this purpose that belong to none of these: an agent that was killed had stored them, and nothing else yet."""
        names = {"/".join((purpose, *name)) for name in known}
        with self._changing:
            stored, _ = self._read()
            lost = [key for key in stored if key.startswith(f"{purpose}/") and key not in names]
            self._draft.unlink(missing_ok=True)
            self.put_all({tuple(key.split("/")): NO_KEYS for key in lost})

    @property
    def _draft(self) -> Path:
        return self.path.with_suffix(".draft")

    def _read(self) -> tuple[Stored, str]:
        """What is stored, and why that cannot be read: then it is nothing."""
        try:
            stored = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}, ""
        except (OSError, ValueError, RecursionError) as error:
            return {}, f"cannot be read: {error}"
        return (stored, "") if isinstance(stored, dict) else ({}, "cannot be read: the file is no JSON object")

    def _write(self, stored: Stored, *, keeps_former: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self._draft, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(json.dumps(stored, indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        if keeps_former:
            log.warning("%s cannot be read; it is kept as %s", self.path, self.path.with_suffix(".unreadable"))
            self.path.replace(self.path.with_suffix(".unreadable"))
        self._draft.replace(self.path)


def _keys(stored: object) -> Keys:
    """Two texts, or none of either; of anything else no keys are known."""
    if not isinstance(stored, dict) or not stored.keys() <= {"host", "controller"}:
        return NO_KEYS
    return Keys(**stored) if all(value is None or isinstance(value, str) for value in stored.values()) else NO_KEYS
