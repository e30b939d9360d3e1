"""The single calls that change a container, each with what counts as success. Nothing here asks whose container it is."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.model.backends import row_of
from dtnctl.model.resources import LABEL_IMAGE, ContainerSpec, Pairs
from dtnctl.providers.base import FileEntry, Ran
from dtnctl.providers.docker.archive import meeting_folder, pack, parents
from dtnctl.providers.docker.images import import_empty
from dtnctl.providers.docker.streams import STDERR, STDOUT, frames
from dtnctl.providers.docker.translate import NANO, NO_VALUES, SecretValues, create_body

if TYPE_CHECKING:
    from dtnctl.providers.docker.connection import Connection

EMPTY_IMAGE = ("dtnctl/empty", "1")
NEVER_RUN = ("-",)  # the engine wants a command, also for what is never started
IMPORT_ATTEMPTS, IMPORT_PAUSE = 8, 0.05  # 1.4 s in all; an import takes a few milliseconds
IMPORTED_MEANWHILE = ("alreadyexists", "already exists", "not found")
REMOVAL_SECONDS = 30.0
EXIT_POLL = 0.01
LONGEST_EXIT_POLL = 0.5
NOT_RUNNING = frozenset({"exited", "dead", "removing"})


def create(
    connection: Connection, name: str, spec: ContainerSpec, labels: Pairs, binds: Pairs = (), values: SecretValues = NO_VALUES
) -> str:
    """The new container's id; `values` are those of its secrets.

    ConflictError if the name is taken, NotFoundError if the image is not there.
    """
    image = connection.get("/images/{}/json", spec.image)
    body = create_body(spec, (*labels, (LABEL_IMAGE, str(image["Id"]))), binds, values)
    response = connection.post("/containers/create", params={"name": name}, json=connection.dialect.container_body(body, image))
    return str(response.json()["Id"])


def create_placeholder(connection: Connection, name: str, labels: Pairs, binds: Pairs = ()) -> str:
    """A container of nothing that is never started; the empty image is imported if it is not there.

    With containerd's image store an import deletes an image of that name and makes it again. Of several importers one may be
    refused, and the others may find no image for a moment: each tries again, and says in the end what the import said.
    """
    repository, tag = EMPTY_IMAGE
    spec = ContainerSpec(image=f"{repository}:{tag}", command=NEVER_RUN, network="none")
    for attempt in range(IMPORT_ATTEMPTS):
        with contextlib.suppress(NotFoundError):
            return create(connection, name, spec, labels, binds)
        time.sleep(attempt * IMPORT_PAUSE)
        refusal = _import_refusal(connection, repository, tag)
    if refusal is not None:
        raise refusal
    return create(connection, name, spec, labels, binds)


def _import_refusal(connection: Connection, repository: str, tag: str) -> EngineError | None:
    """Import the empty image; the engine's words if another import was in its way. Any other refusal is raised."""
    try:
        import_empty(connection, repository, tag)
    except EngineError as error:
        if not any(words in str(error).lower() for words in IMPORTED_MEANWHILE):
            raise
        return error
    return None


def start(connection: Connection, container: str) -> None:
    """Running already is success (304)."""
    connection.post("/containers/{}/start", container)


def check_health(connection: Connection, container: str) -> None:
    """Have its health check run, where the engine may not do so by itself and it is due. The verdict is seen in its inspection."""
    if row_of(connection.dialect.backend).checks_by_itself:
        return
    seen = connection.get("/containers/{}/json", container)
    if not connection.dialect.check_is_due(seen):
        return
    limits = connection.client.timeouts
    longest = limits.read + seen["Config"]["Healthcheck"].get("Timeout", 0) / NANO
    with contextlib.suppress(EngineError):  # it has ended meanwhile, or took longer than it may: the inspection shows it
        connection.call_in_time("GET", "/containers/{}/healthcheck", container, timeout=(limits.connect, longest))


def stop(connection: Connection, container: str, timeout: int) -> None:
    """Stopped already is success (304)."""
    connection.post("/containers/{}/stop", container, params={"t": timeout}, wait=timeout)


def remove(connection: Connection, container: str, *, force: bool) -> None:
    """Remove it with its anonymous volumes; named ones stay. Not there, or gone after somebody else's removal, is success."""
    try:
        connection.call("DELETE", "/containers/{}", container, params={"v": 1, "force": int(force)})
    except NotFoundError:
        return
    except ConflictError as error:
        if "is already in progress" not in str(error):
            raise
        wait_until(connection, container, "removed", REMOVAL_SECONDS)


def wait_until(connection: Connection, container: str, condition: str, timeout: float) -> int | None:
    """The exit code, or None if `condition` did not come about in `timeout` seconds, or the container is gone."""
    limits = (connection.client.timeouts.connect, max(timeout, 0.001))
    try:
        answer = connection.call_in_time("POST", "/containers/{}/wait", container, params={"condition": condition}, timeout=limits)
    except NotFoundError:
        return None
    return None if answer is None else int(answer.json()["StatusCode"])


def wait(connection: Connection, container: str, timeout: float) -> int | None:
    """The exit code once it stopped. Asked about one that never ran, the engine would say 0 at once; that is a ConflictError."""
    state = connection.get("/containers/{}/json", container)["State"]
    if state["Status"] == "created":
        raise ConflictError(f"the container {container} was never started; there is no exit to wait for", 409)
    if state["Status"] in NOT_RUNNING:
        return int(state["ExitCode"])
    return wait_until(connection, container, "not-running", timeout)


def write_files(connection: Connection, container: str, entries: Iterable[FileEntry]) -> None:
    """Put all in by one archive. Only missing parent folders are made, with each file's owner.

    The engine reaches bind mounts and volumes, but writes below a tmpfs, where the container does not see it.
    """
    files = tuple(entries)
    if not files:
        return
    missing = _missing_folders(connection, container, files)
    # Unpacked as deep as possible: a read-only mount is then refused in plain words.
    folder = meeting_folder(files, missing)
    connection.call(
        "PUT",
        "/containers/{}/archive",
        container,
        params={"path": folder},
        data=pack(files, folder, missing),
        headers={"Content-Type": "application/x-tar"},
    )


def _missing_folders(connection: Connection, container: str, entries: Iterable[FileEntry]) -> set[str]:
    """The folders above the entries that are not there, asked from below: above one that is there all are."""
    missing: set[str] = set()
    present: set[str] = set()
    for entry in entries:
        for folder in parents(entry.path):
            if folder not in missing | present and not _exists(connection, container, folder):
                missing.add(folder)
            elif folder not in missing:
                present |= {folder, *parents(folder)}
                break
    return missing


def _exists(connection: Connection, container: str, path: str) -> bool:
    try:
        connection.call("HEAD", "/containers/{}/archive", container, params={"path": path})
    except NotFoundError:
        return False
    return True


def run(connection: Connection, container: str, command: tuple[str, ...], user: str) -> Ran:
    """The finished command. It may take as long as it likes."""
    body = {"Cmd": list(command), "User": user, "AttachStdout": True, "AttachStderr": True, "Tty": False}
    execution = connection.post("/containers/{}/exec", container, json=body).json()["Id"]
    # Without an Upgrade header the output is the body of a plain answer: nothing of it can hide in a buffer below.
    # `Connection: close`: for any other request a Portainer stops reading its body when the engine answers, and then drops the answer if
    # it had not seen the body's end; so up to a third of the commands lost their output (2.23).
    response = connection.post(
        "/exec/{}/start", execution, json={"Detach": False, "Tty": False}, headers={"Connection": "close"}, stream=True, wait=None
    )
    written: dict[int, list[bytes]] = {STDOUT: [], STDERR: []}
    for stream, body_part in frames(connection.chunks(response)):
        written.setdefault(stream, []).append(body_part)
    return Ran(_exit_code(connection, execution), b"".join(written[STDOUT]), b"".join(written[STDERR]))


def _exit_code(connection: Connection, execution: str) -> int:
    """A command may close its output and go on, and the engine may need a moment to notice the end: then it is asked again."""
    pause = EXIT_POLL
    while (state := connection.get("/exec/{}/json", execution))["Running"] or state["ExitCode"] is None:
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_EXIT_POLL)
    return int(state["ExitCode"])
