"""Files of a container: those that a transfer's holder has, and what a program in the running pod reads."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TypeVar

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.model.ledger import Entry
from dtnctl.providers.base import FileEntry, Ran
from dtnctl.providers.docker.archive import pack, parents, unpack, unpack_entries
from dtnctl.providers.kubernetes.cluster import Cluster
from dtnctl.providers.kubernetes.execution import run_in_pod
from dtnctl.providers.kubernetes.held_jobs import files_in
from dtnctl.providers.kubernetes.lookup import Looked
from dtnctl.providers.kubernetes.states import newest, pod_condition
from dtnctl.providers.kubernetes.waiting import pods_of

Found = TypeVar("Found")
PRINT_TAR = 'cd "$(dirname "$1")" && exec tar -cf - "$(basename "$1")"'
PRINT_SIZE = 'test -f "$1" && test ! -L "$1" && exec wc -c <"$1"'
TAKE_TAR = 'printf %s "$1" | base64 -d | tar -xpf - -C /'
LARGEST_WRITE = 64 * 1024  # bytes: a program's argument has at most 128 KiB


def run(cluster: Cluster, looked: Looked, command: tuple[str, ...], user: str = "") -> Ran:
    """A command in the running pod. ConflictError if none runs."""
    pod = newest(
        item for item in pods_of(cluster.connection, cluster.paths, looked.object_name) if not item["metadata"].get("deletionTimestamp")
    )
    if pod is None or pod_condition(pod, None, (), None).state != "running":
        raise ConflictError(f"the container {looked.object_name} does not run", 409)
    return run_in_pod(cluster.connection, cluster.paths.of("pods", pod["metadata"]["name"], "exec"), command, user)


def read_files(cluster: Cluster, looked: Looked, path: str) -> Mapping[str, bytes]:
    """Of a transfer's container first what it was given; all else from the running pod."""
    given = _given(looked, path)
    return given or _tar(cluster, looked, path, unpack)


def read_entries(cluster: Cluster, looked: Looked, path: str) -> Mapping[str, Entry]:
    return _given(looked, path) or _tar(cluster, looked, path, unpack_entries)


def _given(looked: Looked, path: str) -> dict[str, bytes]:
    if looked.kind != "secrets":
        return {}
    below = f"{path.rstrip('/')}/"
    return {name: content for name, content in files_in(looked.raw).items() if name == path or name.startswith(below)}


def _tar(cluster: Cluster, looked: Looked, path: str, decode: Callable[[bytes, str], Found]) -> Found:
    """What tar in the pod says. A container that ended has no files any more: that is NotFoundError, in these words."""
    try:
        ran = run(cluster, looked, ("/bin/sh", "-c", PRINT_TAR, "sh", path.rstrip("/") or "/"))
    except ConflictError as error:
        raise NotFoundError(f"{error}; a cluster keeps no files of a container that ended", 404) from error
    said = ran.stderr.decode(errors="replace").strip()
    if ran.exit_code and not ran.stdout.strip(b"\0"):
        kind = NotFoundError if "no such file" in said.lower() or "can't cd" in said.lower() else EngineError
        raise kind(f"{path}: {said or f'tar ended with {ran.exit_code}'}", 404 if kind is NotFoundError else 0)
    return decode(ran.stdout, path)


def file_size(cluster: Cluster, looked: Looked, path: str) -> int | None:
    given = _given(looked, path)
    if path in given:
        return len(given[path])
    try:
        ran = run(cluster, looked, ("/bin/sh", "-c", PRINT_SIZE, "sh", path))
    except (ConflictError, NotFoundError):
        return None
    text = ran.stdout.decode(errors="replace").strip()
    return int(text) if ran.exit_code == 0 and text.isdecimal() else None


def write_into_pod(cluster: Cluster, looked: Looked, entries: tuple[FileEntry, ...]) -> None:
    """Put files into the running pod, in parts that a program's argument can hold; parents that are missing are made."""
    for entry in entries:
        missing = _missing(cluster, looked, entry.path)
        packed = pack((entry,), "/", missing)
        if len(packed) > LARGEST_WRITE:
            raise EngineError(f"{entry.path} has {len(entry.content)} bytes; into a running pod dtnctl writes at most {LARGEST_WRITE}")
        ran = run(cluster, looked, ("/bin/sh", "-c", TAKE_TAR, "sh", base64.b64encode(packed).decode()))
        if ran.exit_code:
            raise EngineError(f"{entry.path} cannot be written: {ran.stderr.decode(errors='replace').strip()}")


def _missing(cluster: Cluster, looked: Looked, path: str) -> list[str]:
    """The folders above it that are not there."""
    folders = parents(path)
    ran = run(cluster, looked, ("/bin/sh", "-c", 'for f; do test -d "$f" || echo "$f"; done', "sh", *folders))
    return ran.stdout.decode().splitlines()
