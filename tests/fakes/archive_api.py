"""Putting files into containers and getting them out, running or not."""

from __future__ import annotations

import base64
import json
import posixpath

from tests.fakes import files, mounts
from tests.fakes.clock import stamp
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError, not_found
from tests.fakes.state import Container, Node, Tree

GO_DIRECTORY = 1 << 31


def put(engine: Engine, term: str, path: str, data: bytes) -> None:
    """Extract a tar at `path`, which must be a folder that exists."""
    container = engine.container(term)
    try:
        tree, inner, _ = mounts.View(engine, container, from_inside=False).find(path)
    except files.PathMissing:
        raise _missing(path, term) from None
    files.unpack(tree, inner, data)


def get(engine: Engine, term: str, path: str) -> tuple[bytes, str]:
    """(tar of `path`, the stat header)."""
    container = engine.container(term)
    tree, inner = _find(engine, container, term, path)
    return _pack(tree, inner, path), _stat(tree[inner], path)


def head(engine: Engine, term: str, path: str) -> str:
    """The stat header alone."""
    container = engine.container(term)
    tree, inner = _find(engine, container, term, path)
    return _stat(tree[inner], path)


def _find(engine: Engine, container: Container, term: str, path: str) -> tuple[Tree, str]:
    view = mounts.View(engine, container, from_inside=False)
    try:
        tree, inner, _ = view.find(path)
    except files.PathMissing:
        raise _missing(path, term) from None
    return tree, inner


def _missing(path: str, term: str) -> EngineError:
    return not_found(f"Could not find the file {path} in container {term}")


def _pack(tree: Tree, inner: str, path: str) -> bytes:
    return files.pack(tree, inner, posixpath.basename(files.normal(path)) or "/")


def _stat(node: Node, path: str) -> str:
    mode = node.mode | {"dir": GO_DIRECTORY}.get(node.kind, 0)
    facts = {
        "name": posixpath.basename(files.normal(path)) or "/",
        "size": 4096 if node.kind == "dir" else len(node.content),
        "mode": mode,
        "mtime": stamp(node.mtime) if node.mtime else "1970-01-01T00:00:00Z",
        "linkTarget": "",
    }
    return base64.b64encode(json.dumps(facts).encode()).decode()
