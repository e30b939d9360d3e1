"""Reads a container's output from its engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from dtnctl.providers.docker.streams import frames

if TYPE_CHECKING:
    from dtnctl.providers.docker.connection import Connection


def log_chunks(connection: Connection, container: str, params: Mapping[str, str | int], seconds: float | None) -> Iterator[bytes]:
    """The answer as it arrives; `seconds` is the longest time without a byte."""
    response = connection.call(
        "GET",
        "/containers/{}/logs",
        container,
        params={"stdout": 1, "stderr": 1, **params},
        stream=True,
        timeout=(connection.client.timeouts.connect, seconds),
    )
    return connection.chunks(response)


def stamped_messages(connection: Connection, container: str, query: Mapping[str, str], *, is_tty: bool) -> Iterator[bytes]:
    """What was written until now, each message with its time and a blank before it. A terminal's output is cut into lines.

    A carriage return is no end of one: programs write it to go back to the line's start.
    """
    chunks = log_chunks(connection, container, {**query, "timestamps": 1}, connection.client.timeouts.read)
    if is_tty:
        return iter(BytesIO(b"".join(chunks)))
    return (body for _, body in frames(chunks))
