"""Logs of several endpoints as one stream of whole lines, in the order in which they arrive."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from queue import Queue

LONGEST = 64 * 1024  # bytes of a line that has no end: what is there by then is shown
WAITING = 1000  # lines that may wait for a slow reader

Line = tuple[str, bytes]


def log_lines(sources: Mapping[str, Iterator[bytes]]) -> Iterator[Line]:
    """(source, line with its end) until all sources have ended. The first error of a source is raised when the others have ended."""
    queue: Queue[Line | tuple[str, None] | tuple[str, Exception]] = Queue(WAITING)
    for name, chunks in sources.items():
        threading.Thread(target=_read, args=(name, chunks, queue), name=f"logs {name}", daemon=True).start()
    errors, left = [], len(sources)
    while left:
        name, item = queue.get()
        if isinstance(item, bytes):
            yield name, item
            continue
        left -= 1
        errors += [item] if item is not None else []
    if errors:
        raise errors[0]


def _read(name: str, chunks: Iterator[bytes], queue: Queue[Line | tuple[str, None] | tuple[str, Exception]]) -> None:
    try:
        for line in whole_lines(chunks):
            queue.put((name, line))
    except Exception as error:  # noqa: BLE001  # whatever it is belongs to whoever reads the lines, and is raised there
        queue.put((name, error))
    else:
        queue.put((name, None))


def whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines, however they were cut into chunks; the last one gets its end if it has none."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
        if len(rest) >= LONGEST:
            yield rest + b"\n"
            rest = b""
    if rest:
        yield rest + b"\n"
