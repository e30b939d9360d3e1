"""What state files said in earlier runs, by their bytes: then no parser runs, and the YAML library is not imported.

Kept are plain values and places as JSON, of files without a problem; models and checks judge them as they judge what was just read. Nothing
depends on the cache: what cannot be read, is damaged, or may be another user's is read from the file again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from dtnctl import __version__
from dtnctl.model.site import Location, Mark
from dtnctl.model.source import Source

MOST_ENTRIES = 32768  # of half a kilobyte or so; a repository may have 10,000 transfers that have finished
SELDOM = "00"  # the end of the names at which it is looked whether there are too many: one of 256
LARGEST_ENTRY = 16 * 1024**2  # bytes; a state file has at most one MiB
OTHERS_MAY_WRITE = 0o022
CHECKSUM = 64  # hexadecimal digits of SHA-256, before the text that they are of


def user_cache(environment: Mapping[str, str]) -> SourceCache | None:
    """The cache below XDG_CACHE_HOME or ~/.cache; None where that is not the user's own, or what reads files cannot be identified."""
    home = environment.get("HOME", "")
    base = environment.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    reader, folder = _reader(), Path(base, "dtnctl", "sources")
    if not folder.is_absolute() or not reader:
        return None
    above = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), None)
    return SourceCache(folder, reader) if above is not None and _is_ours(above) else None


def _reader() -> str:
    """What turns bytes into values: another version of it may read them in another way."""
    yaml, here = find_spec("yaml"), Path(__file__)
    if yaml is None or yaml.origin is None:
        return ""
    files = [Path(yaml.origin), here.with_name("yaml_source.py"), here, here.parents[1] / "printable.py"]
    try:
        states = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    except OSError:
        return ""
    return repr((__version__, sys.version, states))


def _is_ours(folder: Path) -> bool:
    """A real folder of this user, in which no other one may write."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & OTHERS_MAY_WRITE


@dataclass(frozen=True, slots=True)
class SourceCache:
    """One file an entry, written whole or not at all. `reader` identifies what read the files. Several processes may use one folder."""

    folder: Path
    reader: str
    most: int = MOST_ENTRIES

    def fill(self, data: bytes, source: Source) -> bool:
        """Fill the source with what a file of these bytes said; False, and nothing is filled, if that is not known."""
        try:
            kept = json.loads(_checked(_read(self._entry(data))))
            marks, keys = _marks(kept["marks"]), _marks(kept["keys"])
            words = {tuple(location): str(word) for location, word in kept["words"]}
            source.value, source.marks, source.keys, source.words = kept["value"], marks, keys, words
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return True

    def keep(self, data: bytes, source: Source) -> None:
        """Keep what a file of these bytes said. A cache that cannot be written is left alone."""
        text = json.dumps(
            {
                "value": source.value,
                "marks": [[location, [mark.line, mark.column]] for location, mark in source.marks.items()],
                "keys": [[location, [mark.line, mark.column]] for location, mark in source.keys.items()],
                "words": [[location, word] for location, word in source.words.items()],
            }
        ).encode()
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_ours(self.folder):
                entry = self._entry(data)
                if entry.endswith(SELDOM):
                    self._make_room()
                _write(entry, hashlib.sha256(text).hexdigest().encode() + text)

    def _entry(self, data: bytes) -> str:
        return f"{self.folder}/" + hashlib.sha256(self.reader.encode() + b"\0" + data).hexdigest()

    def _make_room(self) -> None:
        """With too many entries the older half goes; one that another process has removed meanwhile is gone."""
        with os.scandir(self.folder) as entries:
            if next(islice(entries, self.most, None), None) is None:
                return
        aged = sorted((path.lstat().st_mtime_ns, path) for path in self.folder.iterdir())
        for _, path in aged[: len(aged) // 2]:
            path.unlink(missing_ok=True)


def _marks(items: Iterable[Any]) -> dict[Location, Mark]:
    return {tuple(location): Mark(line, column) for location, (line, column) in items}


def _read(entry: str) -> bytes:
    """The bytes of an entry that this user wrote. OSError."""
    number = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & OTHERS_MAY_WRITE:
            raise PermissionError(f"{entry} may be another user's")
        return os.read(number, min(status.st_size, LARGEST_ENTRY))  # a buffer for the largest one takes longer than all the rest
    finally:
        os.close(number)


def _checked(content: bytes) -> bytes:
    """The text after its checksum. ValueError if it is another one's."""
    checksum, text = content[:CHECKSUM], content[CHECKSUM:]
    if hashlib.sha256(text).hexdigest().encode() != checksum:
        raise ValueError("the checksum does not match")
    return text


def _write(entry: str, content: bytes) -> None:
    part = Path(f"{entry}.{os.getpid()}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(content)
        part.replace(entry)
    except OSError:
        part.unlink(missing_ok=True)
        raise
