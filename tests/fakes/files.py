"""File trees held in memory: normal paths, reading, writing, and tar in both directions."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Iterator

from tests.fakes.clock import SECOND
from tests.fakes.state import Node, Tree


class PathMissing(Exception):  # noqa: N818  # names the state; callers make the engine's error of it
    """Nothing is at this path."""


def normal(path: str) -> str:
    """`path` as an absolute path without `.`, `..`, doubled or trailing slashes."""
    return posixpath.normpath("/" + path.lstrip("/"))


def folder(mode: int = 0o755, mtime: int = 0) -> Node:
    return Node(kind="dir", mode=mode, mtime=mtime)


def empty_tree() -> Tree:
    return {"/": folder()}


def make_folders(tree: Tree, path: str, mtime: int = 0) -> None:
    """Make `path` and the folders above it, like `mkdir -p`."""
    path = normal(path)
    if path in tree:
        return
    make_folders(tree, posixpath.dirname(path), mtime)
    tree[path] = folder(mtime=mtime)


def write_file(tree: Tree, path: str, content: bytes, mode: int = 0o644, mtime: int = 0) -> None:
    """Put a file at `path`, making the folders above it."""
    path = normal(path)
    make_folders(tree, posixpath.dirname(path), mtime)
    tree[path] = Node(kind="file", content=content, mode=mode, mtime=mtime)


def remove_path(tree: Tree, path: str) -> None:
    """Remove `path` and everything below it; nothing there is fine."""
    path = normal(path)
    for found in [found for found in tree if found == path or found.startswith(path + "/")]:
        del tree[found]


def children(tree: Tree, path: str) -> list[str]:
    """The paths directly in folder `path`, sorted."""
    prefix = path if path == "/" else path + "/"
    return sorted(p for p in tree if p != path and p.startswith(prefix) and "/" not in p[len(prefix) :])


def walk(tree: Tree, top: str) -> Iterator[tuple[str, Node]]:
    """`top` and everything below it, folders before what they hold, in name order."""
    yield top, tree[top]
    if tree[top].kind == "dir":
        for child in children(tree, top):
            yield from walk(tree, child)


def pack(tree: Tree, top: str, name: str) -> bytes:
    """A tar of `top`, whose own entry is called `name`, as the archive API sends it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, node in walk(tree, top):
            inside = path[len(top) :].lstrip("/")
            _add_member(archive, posixpath.join(name, inside) if inside else name, node)
    return buffer.getvalue()


def _add_member(archive: tarfile.TarFile, name: str, node: Node) -> None:
    member = tarfile.TarInfo(name)
    member.mode, member.uid, member.gid, member.mtime = node.mode, node.uid, node.gid, node.mtime // 10**9
    match node.kind:
        case "dir":
            member.type = tarfile.DIRTYPE
        case _:
            member.size = len(node.content)
    archive.addfile(member, io.BytesIO(node.content))


def unpack(tree: Tree, top: str, data: bytes) -> None:
    """Extract a tar (plain or compressed) of files and folders below folder `top`, replacing what is there."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
        for member in archive:
            path = normal(posixpath.join(top, normal(member.name).lstrip("/")))
            make_folders(tree, posixpath.dirname(path), int(member.mtime) * SECOND)
            tree[path] = _node_of(archive, member)


def _node_of(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Node:
    source = archive.extractfile(member)
    kind, content = ("dir", b"") if source is None else ("file", source.read())
    return Node(kind, content, mode=member.mode, uid=member.uid, gid=member.gid, mtime=int(member.mtime) * SECOND)
