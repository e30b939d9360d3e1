"""Commands executed inside running containers, and the few that are built in."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable
from typing import TypeAlias

from tests.fakes.core import Engine
from tests.fakes.errors import conflict, not_found
from tests.fakes.messages import frame
from tests.fakes.programs import Run
from tests.fakes.shell import script_of
from tests.fakes.state import Container, Exec, Json

NOT_FOUND_CODE = 126


class ExecRun(Run):
    """A command in a container: its output goes to whoever started it, not to the container's log."""

    def __init__(self, engine: Engine, container: Container, found: Exec) -> None:
        environment = [*(container.config["Env"] or []), *(found.config.get("Env") or [])]
        super().__init__(engine, container, found.argv, environment)
        self.output: list[tuple[int, bytes]] = []
        self.user: str = found.config.get("User") or "root"

    def _write(self, stream: int, text: str) -> None:
        self.output.append((stream, text.encode()))


ExecFunction: TypeAlias = Callable[[ExecRun], int]
"""A command in Python; its result is the exit code. `run.wait` lets other calls go on meanwhile."""


def _echo(run: ExecRun) -> int:
    run.stdout(" ".join(run.argv[1:]) + "\n")
    return 0


def _for_each_file(run: ExecRun, show: Callable[[str, bytes], str]) -> int:
    code = 0
    for path in (argument for argument in run.argv[1:] if not argument.startswith("-")):
        try:
            run.stdout(show(path, run.files.read(path)))
        except FileNotFoundError:
            run.stderr(f"{run.argv[0]}: {path}: No such file or directory\n")
            code = 1
    return code


def _cat(run: ExecRun) -> int:
    return _for_each_file(run, lambda path, content: content.decode("utf-8", "surrogateescape"))


def _digest(name: str) -> ExecFunction:
    def show(path: str, content: bytes) -> str:
        return f"{hashlib.new(name, content).hexdigest()}  {path}\n"

    return lambda run: _for_each_file(run, show)


BUILT_IN: dict[str, ExecFunction] = {
    "cat": _cat,
    "echo": _echo,
    "md5sum": _digest("md5"),
    "sha256sum": _digest("sha256"),
}


def create(engine: Engine, term: str, body: Json) -> Json:
    """POST /containers/{id}/exec."""
    container = engine.container(term)
    if not container.running:
        raise conflict(f"Container {container.id} is not running")
    found = Exec(engine.new_id("exec"), container.id, list(body["Cmd"]), body)
    engine.state.execs[found.id] = found
    return {"Id": found.id}


def find(engine: Engine, exec_id: str) -> Exec:
    found = engine.state.execs.get(exec_id)
    if found is None:
        raise not_found(f"No such exec instance: {exec_id}")
    return found


def start(engine: Engine, exec_id: str, programs: dict[str, ExecFunction]) -> list[bytes]:
    """Run the command to its end; returns what it wrote to the attached streams, framed."""
    found = find(engine, exec_id)
    container = engine.container(found.container_id)
    found.running, found.pid = True, engine.new_pid()
    run = ExecRun(engine, container, found)
    try:
        found.exit_code = _execute(run, programs)
    finally:
        found.running = False
        found.exit_code = NOT_FOUND_CODE if found.exit_code is None else found.exit_code
    attached = {1: found.config.get("AttachStdout"), 2: found.config.get("AttachStderr")}
    run.output = [(stream, text) for stream, text in run.output if attached[stream]]
    return [frame(stream, text) for stream, text in run.output]


def _execute(run: ExecRun, programs: dict[str, ExecFunction]) -> int:
    find_program = lambda name: programs.get(posixpath.basename(name))  # noqa: E731
    function = script_of(run.argv, find_program) or find_program(run.argv[0])
    if function is not None:
        return function(run)
    reason = f'exec: "{run.argv[0]}": executable file not found in $PATH: unknown'
    message = f"OCI runtime exec failed: exec failed: unable to start container process: {reason}"
    run.stdout(f"{message}\r\n")
    return NOT_FOUND_CODE


def show(found: Exec) -> Json:
    """GET /exec/{id}/json."""
    process = {
        "tty": bool(found.config.get("Tty")),
        "entrypoint": found.argv[0],
        "arguments": found.argv[1:],
        "privileged": bool(found.config.get("Privileged")),
    }
    if found.config.get("User"):
        process["user"] = found.config["User"]
    return {
        "ID": found.id,
        "Running": found.running,
        "ExitCode": found.exit_code,
        "ProcessConfig": process,
        "OpenStdin": bool(found.config.get("AttachStdin")),
        "OpenStderr": bool(found.config.get("AttachStderr")),
        "OpenStdout": bool(found.config.get("AttachStdout")),
        "CanRemove": False,
        "ContainerID": found.container_id,
        "DetachKeys": "",
        "Pid": found.pid,
    }
