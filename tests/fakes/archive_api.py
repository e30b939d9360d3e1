"""Putting files into containers and getting them out, running or not."""

from __future__ import annotations

import base64
import json
import posixpath
import tarfile

from tests.fakes import files, mounts
from tests.fakes.clock import stamp
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError, bad_request, not_found, server_error
from tests.fakes.state import Container, Node, Tree

GO_DIRECTORY = 1 << 31
GO_LINK = 1 << 27
GO_PIPE = 1 << 25


def put(engine: Engine, term: str, path: str, data: bytes, *, keep_kinds: bool) -> None:
    """Extract a tar at `path`, which must be a folder that exists. `keep_kinds`: no folder becomes a file or reverse."""
    container = engine.container(term)
    _require_path(path)
    view = mounts.View(engine, container, from_inside=False)
    try:
        tree, inner, writable = view.find(path)
    except files.PathMissing:
        raise _missing(path, term) from None
    if tree[inner].kind != "dir":
        raise server_error("extraction point is not a directory")
    if not writable:
        in_layer = tree is container.files
        raise server_error("container rootfs is marked read-only" if in_layer else "mounted volume is marked read-only")
    try:
        files.unpack(tree, inner, data, keep_kinds=keep_kinds)
    except files.KindConflict as error:
        raise server_error(f"Error processing tar file(exit status 1): {error}") from error
    except (tarfile.TarError, EOFError) as error:
        raise server_error("Error processing tar file(exit status 1): archive/tar: invalid tar header") from error


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


def _require_path(path: str) -> None:
    if not path:
        raise bad_request("bad parameter: pathcannot be empty")


def _find(engine: Engine, container: Container, term: str, path: str) -> tuple[Tree, str]:
    _require_path(path)
    view = mounts.View(engine, container, from_inside=False)
    tree, inner, _ = view.locate(path)
    try:
        # The last part is not followed: a link is answered as a link.
        parent = files.follow(tree, posixpath.dirname(inner))
    except files.PathMissing:
        raise _missing(path, term) from None
    found = files.normal(posixpath.join(parent, posixpath.basename(inner)))
    if found not in tree:
        raise _missing(path, term)
    return tree, found


def _missing(path: str, term: str) -> EngineError:
    return not_found(f"Could not find the file {path} in container {term}")


def _pack(tree: Tree, inner: str, path: str) -> bytes:
    return files.pack(tree, inner, posixpath.basename(files.normal(path)) or "/")


def _stat(node: Node, path: str) -> str:
    mode = node.mode | {"dir": GO_DIRECTORY, "link": GO_LINK, "pipe": GO_PIPE}.get(node.kind, 0)
    facts = {
        "name": posixpath.basename(files.normal(path)) or "/",
        "size": 4096 if node.kind == "dir" else len(node.content or node.target),
        "mode": mode,
        "mtime": stamp(node.mtime) if node.mtime else "1970-01-01T00:00:00Z",
        "linkTarget": node.target,
    }
    return base64.b64encode(json.dumps(facts).encode()).decode()
