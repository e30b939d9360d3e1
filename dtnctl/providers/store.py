"""What leases, records and markers are kept in: names on an endpoint, each with labels and small files, behind which nothing runs.

A backend keeps them as it can: Docker in containers that are never started, Kubernetes in Leases and ConfigMaps. Methods raise as
those of providers/base.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from dtnctl.model.ledger import Entry
from dtnctl.model.resources import Pairs


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file to put into a container or a store. Parent folders that are missing are made with `folder_mode`, same owner."""

    path: str
    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    folder_mode: int = 0o755


@dataclass(frozen=True, slots=True)
class Stored:
    """A name that is taken, by us or others. `id` is of what holds it now, never that of a later holder; only its store reads it.

    `folder` is where the host keeps the files, as asked for when the name was claimed; empty where they go with the holder.
    """

    name: str
    id: str
    labels: Mapping[str, str]
    folder: str = ""


class StoreReader(Protocol):
    """What a client that cannot write sees of it. `holder` is an id or a name."""

    def find(self, name: str) -> Stored | None:
        """Who has the name; None if it is free."""

    def read(self, holder: str, path: str) -> Mapping[str, Entry]:
        """The file at `path`, or all below the folder, by path. NotFoundError if there is none, or no such holder."""

    def size(self, holder: str, path: str) -> int | None:
        """Bytes of the file at `path`; None if there is none. Costs much less than reading it."""

    def last_beat(self, holder: str) -> bytes:
        """What the newest beat wrote; empty before the first one and when the holder is gone."""


class Store(StoreReader, Protocol):
    """The same of a client that can write."""

    def claim(self, name: str, labels: Pairs, *, folder: str = "") -> str:
        """Take the name and return the holder's id: of two who do this at once exactly one succeeds, the other gets a ConflictError.

        What `dtnctl.kind` among the labels says decides what it becomes: a lease, the record of transfers, a marker. With `folder` the
        files stay when the holder is removed: in that folder of the host, or as durably as the backend can.
        """

    def beat(self, holder: str, text: bytes) -> None:
        """Write that the holder lives, which all who look at it see change. NotFoundError when it was removed."""

    def write(self, holder: str, entries: tuple[FileEntry, ...]) -> None:
        """Put files in, in one call; each is whole or as it was before. NotFoundError if there is no such holder."""

    def remove(self, holder: str) -> None:
        """Release the name. By id only that holder goes; one that is gone is success."""
