"""Brings images to an endpoint: from a registry, and the empty one that needs none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.providers.docker.archive import empty_image
from dtnctl.providers.docker.registry import Reference, RegistryLogin, login_for, parse_reference
from dtnctl.providers.text import shortened

if TYPE_CHECKING:
    from dtnctl.providers.docker.connection import Connection
    from dtnctl.providers.docker.view import View

SILENT_SECONDS = 600.0  # a registry that sends nothing for so long has given up


def pull(connection: Connection, view: View, image: str) -> None:
    """Pull it, with the login of its registry if there is one; check the digest if the reference has one."""
    reference = parse_reference(image)
    login = login_for(image, view.registries, view.root, view.secrets)
    try:
        _pull(connection, reference, login)
    except EngineError as error:
        # `from None`: the causes repeat what the registry said, which is where a secret could show.
        raise _retold(error, image, login) from None
    if reference.digest:
        _check_digest(connection, image, reference)


def _pull(connection: Connection, reference: Reference, login: RegistryLogin | None) -> None:
    limits = (connection.client.timeouts.connect, SILENT_SECONDS)
    response = connection.call(
        "POST",
        "/images/create",
        params={"fromImage": reference.repository, "tag": reference.version},
        headers=login.header if login is not None else {},
        stream=True,
        timeout=limits,
    )
    raise_stream_error(connection.chunks(response))


def _retold(error: EngineError, image: str, login: RegistryLogin | None) -> EngineError:
    text = login.redact(str(error)) if login is not None else str(error)
    kind = type(error) if isinstance(error, (NotFoundError, ConflictError)) else EngineError
    return kind(f"cannot pull {image}: {text}", error.status)


def _check_digest(connection: Connection, image: str, reference: Reference) -> None:
    found = connection.get("/images/{}/json", image).get("RepoDigests") or ()
    if not any(item.endswith(f"@{reference.digest}") for item in found):
        raise EngineError(f"pulled {image}, but what came has another digest: {', '.join(found) or 'none'}")


def import_empty(connection: Connection, repository: str, tag: str) -> None:
    """Make an image of nothing."""
    response = connection.call(
        "POST",
        "/images/create",
        params={"fromSrc": "-", "repo": repository, "tag": tag},
        data=empty_image(),
        headers={"Content-Type": "application/tar"},
        stream=True,
    )
    raise_stream_error(connection.chunks(response))


def raise_stream_error(chunks: Iterable[bytes]) -> None:
    """Read a progress stream to its end: the engine says 200 before it starts, and what goes wrong then is a message in it."""
    for message in _messages(chunks):
        detail = message.get("errorDetail") or {}
        text = message.get("error") or detail.get("message")
        if text:
            raise EngineError(shortened(str(text)), int(detail.get("code") or 0))


def _messages(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The JSON objects of the stream, one a line; a line that is none is skipped."""
    buffer = b""
    for chunk in chunks:
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            yield from _message(line)
    yield from _message(buffer)


def _message(line: bytes) -> Iterator[dict[str, Any]]:
    try:
        value = json.loads(line)
    except ValueError:
        return
    if isinstance(value, dict):
        yield value
