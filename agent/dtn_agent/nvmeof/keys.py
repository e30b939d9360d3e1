"""Keys for in-band authentication (DH-HMAC-CHAP). A reboot needs them, so they are kept: beside the ledger, in a file for root only."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from dtn_agent.protocol.volumes import key_print


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """`host` is what the initiator proves itself with, `controller` the target, if it must."""

    host: str | None = None
    controller: str | None = None

    @property
    def print(self) -> str:
        return key_print(self.host, self.controller)


NO_KEYS = Keys()
LOST = "its keys are not stored on this host any more (volume-keys.json); `dtnctl apply` sends them again"


class KeyFile:
    """Keys by what they are for, such as `export/SITE/VOLUME`. Each change is on disk before its method returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changing = threading.Lock()

    def get(self, *name: str) -> Keys:
        return Keys(**self._read().get("/".join(name), {}))

    def have_lost(self, key_print: str, *name: str) -> bool:
        """Whether keys belong to it, by their fingerprint, and none are stored."""
        return bool(key_print) and self.get(*name) == NO_KEYS

    def put(self, *name: str, keys: Keys) -> None:
        """No keys: forget them."""
        with self._changing:
            stored = self._read()
            wanted = {key: value for key, value in stored.items() if key != "/".join(name)}
            if keys != NO_KEYS:
                wanted["/".join(name)] = asdict(keys)
            if wanted != stored:
                self._write(wanted)

    def _read(self) -> dict[str, dict[str, str | None]]:
        try:
            stored: dict[str, dict[str, str | None]] = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        return stored

    def _write(self, stored: dict[str, dict[str, str | None]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.path.with_suffix(".draft")
        with open(draft, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(json.dumps(stored, indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
