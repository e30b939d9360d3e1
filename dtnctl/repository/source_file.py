"""Reads one state file: its bytes, within bounds, and what they say, from an earlier run where the same bytes were read before."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from dtnctl.model.site import Mark
from dtnctl.model.source import Source
from dtnctl.repository.source_cache import SourceCache

MAX_BYTES = 1024 * 1024


def read_source(path: Path, file: str, cache: SourceCache | None = None) -> Source:
    """The file's value and places. Never raises: what is wrong stands in `problems`, and what has problems is never in the cache."""
    source = Source(file)
    data = _read_bytes(path, source)
    return source if data is None else fill_source(source, data, cache)


def fill_source(source: Source, data: bytes, cache: SourceCache | None = None) -> Source:
    """The same for bytes that are there already."""
    if cache is not None and cache.fill(data, source):
        return source
    from dtnctl.repository.yaml_source import parse_source  # with the YAML library, which a run without new files does not need

    parse_source(data, source)
    if cache is not None and not source.problems:
        cache.keep(data, source)
    return source


def _read_bytes(path: Path, source: Source) -> bytes | None:
    whole = Mark(1, 1)
    try:
        # Asked first: opening a named pipe with a YAML name would wait for ever.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            source.report(whole, "E0101", f"is {what}, a YAML file is expected", "another name for it")
            return None
        with path.open("rb") as stream:
            data = stream.read(min(status.st_size, MAX_BYTES) + 1)  # room for the largest file takes longer than reading a small one
            if len(data) > status.st_size:  # it has grown meanwhile
                data += stream.read(MAX_BYTES + 1 - len(data))
    except OSError as error:
        is_loop = error.errno == errno.ELOOP
        reason = "symbolic links that lead in a circle" if is_loop else (error.strerror or "unknown reason").lower()
        source.report(whole, "E0101", f"cannot be read: {reason}")
        return None
    return data if is_small(source, max(status.st_size, len(data))) else None


def is_small(source: Source, size: int) -> bool:
    """Whether a file of that size is read; else the source says that it is too large."""
    if size > MAX_BYTES:
        source.report(Mark(1, 1), "E0102", f"is too large: {size} bytes, at most {MAX_BYTES}", "to split it: one object a file")
    return size <= MAX_BYTES
