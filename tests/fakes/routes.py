"""The Engine API's paths: which function answers which, with the status that dockerd gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tests.fakes import container_routes, other_routes
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError
from tests.fakes.execs import ExecFunction
from tests.fakes.messages import Request, Response

Handler: TypeAlias = Callable[[Engine, Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes: the handler and the object it speaks of."""

    handler: Handler
    kind: str
    target: str
    action: str

    def label(self, name: str) -> str:
        """The path with the object's id replaced by `name`: equal in every run."""
        parts = [self.kind, name, self.action] if self.target else [self.kind, self.action]
        return "/" + "/".join(part for part in parts if part)


class Routes:
    """Finds the handler of a request."""

    def __init__(self, exec_programs: dict[str, ExecFunction]) -> None:
        self._exact: dict[tuple[str, str], Handler] = {}
        self._on_object: dict[tuple[str, str, str], Handler] = {}
        for tables in (container_routes.table(exec_programs), other_routes.table()):
            for key, handler in tables.items():
                self._add(key, handler)

    def _add(self, key: str, handler: Handler) -> None:
        method, path = key.split(" ")
        kind, braces, action = path.strip("/").partition("/{id}")
        if braces:
            self._on_object[method, kind, action.strip("/")] = handler
        else:
            self._exact[method, path] = handler

    def find(self, method: str, path: str) -> Route:
        """The route of an unversioned or versioned path; 501 for what this engine does not have, so that it is not taken for a 404."""
        path = _without_version(path)
        exact = self._exact.get((method, path))
        if exact is not None:
            kind, _, action = path.strip("/").partition("/")
            return Route(exact, kind, "", action)
        kind, _, rest = path.strip("/").partition("/")
        target, _, action = rest.rpartition("/")
        handler = self._on_object.get((method, kind, action))
        if target.strip("/") and handler is not None:
            return Route(handler, kind, target.strip("/"), action)
        handler = self._on_object.get((method, kind, ""))
        if rest and handler is not None and (kind == "images" or "/" not in rest.strip("/")):
            return Route(handler, kind, rest.strip("/"), "")
        raise EngineError(501, f"the in-memory engine does not have {method} {path}")


def _without_version(path: str) -> str:
    if not path.startswith("/v1."):
        return path
    return "/" + path[4:].partition("/")[2]
