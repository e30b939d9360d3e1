"""What a call of Docker's API becomes at the wire: itself for Docker, and for an engine that resembles it what that engine understands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from dtnctl.model.backends import DOCKER
from dtnctl.model.drivers import HOST_NETWORK


class Dialect(Protocol):
    """All above it asks in Docker's words and gets answers in these. Pure, but for what an engine is asked only once."""

    @property
    def backend(self) -> str:
        """The name of its row in dtnctl/model/backends.py."""

    @property
    def guards_names_only(self) -> bool:
        """Whether it removes a network that is in use, if it is asked by its id."""

    @property
    def connects_blindly(self) -> bool:
        """Whether it takes a second connection to a network for the first, and keeps one that it could not make."""

    def admit(self) -> None:
        """UnreachableError for an engine that is not worked with. May wait for its answer: asked before writes and after refusals."""

    def identity(self, networks: Iterable[Mapping[str, Any]]) -> str:
        """What outlives the engine's restarts and is another one where another engine answers, by its networks; empty if nothing is."""

    def path(self, method: str, path: str, version: str) -> str:
        """The path of a call, with the API's version; `{}` stand for names."""

    def names(self, path: str, names: Iterable[str]) -> tuple[str, ...]:
        """What fills them."""

    def known(self, path: str) -> Any:
        """The answer to a read that need not be sent; None if it must."""

    def answer(self, path: str, raw: Any) -> Any:
        """The decoded answer to a read."""

    def check_is_due(self, container: Mapping[str, Any]) -> bool:
        """Whether the health check of the container, whose inspection that is, should have run by now and did not."""

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

    def admit(self) -> None:
        """Every Docker of a known version is worked with."""

    def identity(self, networks: Iterable[Mapping[str, Any]]) -> str:
        """The id of the host's network, which an engine makes once and keeps with its data."""
        return next((str(raw["Id"]) for raw in networks if raw["Name"] == HOST_NETWORK), "")

    def path(self, method: str, path: str, version: str) -> str:  # noqa: ARG002  others look at it
        return f"/v{version}{path}"

    def names(self, path: str, names: Iterable[str]) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(names)

    def known(self, path: str) -> Any:  # noqa: ARG002
        return None

    def answer(self, path: str, raw: Any) -> Any:  # noqa: ARG002
        return raw

    def check_is_due(self, container: Mapping[str, Any]) -> bool:  # noqa: ARG002
        return False

    def body(self, path: str, body: Any) -> Any:  # noqa: ARG002
        return body

    def container_body(self, body: Mapping[str, Any], image: Mapping[str, Any]) -> Any:  # noqa: ARG002
        return body

    def params(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        return params
