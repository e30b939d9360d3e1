"""What a call of Docker's API becomes at the wire: itself for Docker, and for an engine that resembles it what that engine understands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from dtnctl.model.backends import DOCKER


class Dialect(Protocol):
    """All above it asks in Docker's words and gets answers in these. Pure."""

    @property
    def backend(self) -> str:
        """The name of its row in dtnctl/model/backends.py."""

    @property
    def guards_names_only(self) -> bool:
        """Whether it removes a network that is in use, if it is asked by its id."""

    @property
    def connects_blindly(self) -> bool:
        """Whether it takes a second connection to a network for the first, and keeps one that it could not make."""

    def path(self, method: str, path: str, version: str) -> str:
        """The path of a call, with the API's version; `{}` stand for names."""

    def names(self, path: str, names: Iterable[str]) -> tuple[str, ...]:
        """What fills them."""

    def known(self, path: str) -> Any:
        """The answer to a read that need not be sent; None if it must."""

    def answer(self, path: str, raw: Any) -> Any:
        """The decoded answer to a read."""

    def body(self, path: str, body: Any) -> Any:
        """The body of a write."""

    def container_body(self, body: Mapping[str, Any], image: Mapping[str, Any]) -> Any:
        """The body that creates a container of the image, whose inspection that is."""

    def params(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The query of a write."""


class DockerDialect:
    """Docker's own."""

    backend = DOCKER.name
    guards_names_only = False
    connects_blindly = False

    def path(self, method: str, path: str, version: str) -> str:  # noqa: ARG002  others look at it
        return f"/v{version}{path}"

    def names(self, path: str, names: Iterable[str]) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(names)

    def known(self, path: str) -> Any:  # noqa: ARG002
        return None

    def answer(self, path: str, raw: Any) -> Any:  # noqa: ARG002
        return raw

    def body(self, path: str, body: Any) -> Any:  # noqa: ARG002
        return body

    def container_body(self, body: Mapping[str, Any], image: Mapping[str, Any]) -> Any:  # noqa: ARG002
        return body

    def params(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        return params
