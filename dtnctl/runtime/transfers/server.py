"""The server of an attempt, for tools that have one: made beside the destination's service, probed until it listens, stopped.

Until the client runs it has moved nothing, so one that an earlier run left is removed and made again.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from dtnctl.errors import ConflictError, EngineError, NotFoundError, TransferError
from dtnctl.model.resources import ContainerSeen
from dtnctl.movers.verdict import KILLED
from dtnctl.providers.base import FileEntry
from dtnctl.runtime.transfers.attempt import Task, find_job, is_running, labels_of_server, server_spec
from dtnctl.runtime.transfers.keys import Account
from dtnctl.runtime.transfers.watch import STOP_SECONDS, read_tail

LISTEN_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.1
ENDS_SECONDS = 10.0  # a server that takes one client alone writes its result after that one has gone


@dataclass(frozen=True, slots=True)
class ServerEnd:
    """What is left of a server: the end of its output, and how it ended; None if it is not known."""

    log: bytes = b""
    exit_code: int | None = None


def create_server(task: Task, service: ContainerSeen, account: Account | None, files: tuple[FileEntry, ...]) -> str:
    """The server's container with its files, not started; returns its id."""
    old = find_job(task.there, task.server_name)
    if old is not None:
        task.there.remove(old.id, force=True)
    spec = server_spec(task, service, account)
    try:
        container = task.there.create_container(task.server_name, spec, labels_of_server(task, spec))
    except ConflictError as error:
        raise TransferError(f"{task.transfer}: {error}") from error
    if files:
        task.there.write_files(container, files)
    return container


def start_server(task: Task, container: str) -> None:
    """Start it and return when it listens. TransferError with its own words if it ends, or does not listen in time."""
    task.there.start(container)
    deadline = task.clock.monotonic() + LISTEN_SECONDS
    probe = task.mover.listening(task.request())
    where = f"the server of {task.tool} on {task.destination.endpoint}"
    while True:
        seen = task.there.inspect(container)
        if not is_running(seen):
            raise TransferError(f"{where} ended at once: {_last_words(task, container)} (exit code {seen.exit_code})")
        with contextlib.suppress(EngineError):  # it may end just now
            if task.there.run(container, probe).exit_code == 0:
                return
        if task.clock.monotonic() >= deadline:
            raise TransferError(f"{where} does not listen on port {task.request().port}: {_last_words(task, container)}")
        task.clock.sleep(LOOK_EVERY_SECONDS)


def _last_words(task: Task, container: str) -> str:
    lines = [line for line in read_tail(task.there, container).decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it says nothing"


def end_server(task: Task, *, may_take: bool) -> ServerEnd:
    """Stop the server if it still runs, and return what it wrote. With `may_take` it gets a while to write its result by itself."""
    if not task.row.has_server:
        return ServerEnd()
    seen = find_job(task.there, task.server_name)
    if seen is None:
        return ServerEnd()
    try:
        if is_running(seen) and may_take and task.mover.server_ends:
            task.there.wait(seen.id, ENDS_SECONDS)
        task.there.stop(seen.id, STOP_SECONDS)
        seen = task.there.inspect(seen.id)
    except NotFoundError:
        return ServerEnd()
    if seen.exit_code == KILLED:
        _remove_leftovers(task)
    return ServerEnd(read_tail(task.there, seen.id), seen.exit_code)


def _remove_leftovers(task: Task) -> None:
    """What a killed server could not remove itself. Without the service it stays: the next try at this port removes it."""
    destination, paths = task.destination, task.mover.leftovers(task.request())
    if paths:
        with contextlib.suppress(EngineError):
            task.there.run(destination.container, ("rm", "-f", "--", *paths), user=destination.user)


def remove_server(task: Task) -> None:
    """Remove its container, if it is there."""
    if task.row.has_server and (seen := find_job(task.there, task.server_name)) is not None:
        task.there.remove(seen.id, force=True)
