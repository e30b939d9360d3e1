"""The store of a Docker endpoint: containers of an empty image that are never started, whose names the engine gives to one only.

The holder of files that must outlive it has a folder of the host in it: the archive API writes there although it never runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dtnctl.errors import NotFoundError
from dtnctl.model.ledger import LEDGER_MOUNT, Entry
from dtnctl.model.resources import ContainerSeen, Pairs
from dtnctl.providers.store import FileEntry, Stored

BEAT_FILE = "/lease/beat"


class Readable(Protocol):
    """What it needs of a client that cannot write."""

    def inspect(self, container: str) -> ContainerSeen: ...

    def read_files(self, container: str, path: str) -> Mapping[str, bytes]: ...

    def read_entries(self, container: str, path: str) -> Mapping[str, Entry]: ...

    def file_size(self, container: str, path: str) -> int | None: ...


class Writable(Readable, Protocol):
    """What it needs of one that can."""

    def create_placeholder(self, name: str, labels: Pairs, *, binds: Pairs = ()) -> str:
        """Create a container of the empty image that is never started; returns its id. A taken name is a ConflictError.

        The empty image is imported when it is missing. `binds` are (host folder, container path), made on the host if missing.
        """

    def write_files(self, container: str, entries: tuple[FileEntry, ...]) -> None: ...

    def remove(self, container: str, *, force: bool = False) -> None: ...


class PlaceholderReader:
    """A StoreReader."""

    def __init__(self, observer: Readable) -> None:
        self._observer = observer

    def find(self, name: str) -> Stored | None:
        try:
            seen = self._observer.inspect(name)
        except NotFoundError:
            return None
        folder = next((mount.source for mount in seen.spec.mounts if mount.target == LEDGER_MOUNT), "")
        return Stored(seen.name, seen.id, seen.labels, folder)

    def read(self, holder: str, path: str) -> Mapping[str, Entry]:
        return self._observer.read_entries(holder, path)

    def size(self, holder: str, path: str) -> int | None:
        return self._observer.file_size(holder, path)

    def last_beat(self, holder: str) -> bytes:
        try:
            return self._observer.read_files(holder, BEAT_FILE).get(BEAT_FILE, b"")
        except NotFoundError:
            return b""


class PlaceholderStore(PlaceholderReader):
    """A Store."""

    def __init__(self, engine: Writable) -> None:
        super().__init__(engine)
        self._engine = engine

    def claim(self, name: str, labels: Pairs, *, folder: str = "") -> str:
        return self._engine.create_placeholder(name, labels, binds=((folder, LEDGER_MOUNT),) if folder else ())

    def beat(self, holder: str, text: bytes) -> None:
        self._engine.write_files(holder, (FileEntry(BEAT_FILE, text),))

    def write(self, holder: str, entries: tuple[FileEntry, ...]) -> None:
        self._engine.write_files(holder, entries)

    def remove(self, holder: str) -> None:
        self._engine.remove(holder)
