"""Takes the engine's streams apart: stdout and stderr share one connection in frames of an 8-byte head and a body. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

HEAD = struct.Struct(">BxxxL")  # stream number, three zero bytes, length of the body
STDOUT, STDERR = 1, 2


def frames(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """(stream, bytes) in the order of arrival, however the bytes were cut into chunks. A cut-off last frame gives what is there."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while (end := _end_of_frame(buffer)) is not None:
            yield HEAD.unpack_from(buffer)[0], bytes(buffer[HEAD.size : end])
            del buffer[:end]
    if len(buffer) > HEAD.size:
        yield HEAD.unpack_from(buffer)[0], bytes(buffer[HEAD.size :])


def _end_of_frame(buffer: bytearray) -> int | None:
    """Where the first frame ends, if all of it is there."""
    if len(buffer) < HEAD.size:
        return None
    end = HEAD.size + int(HEAD.unpack_from(buffer)[1])
    return end if len(buffer) >= end else None
