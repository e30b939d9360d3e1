"""Runs dtnctl in forked children against engines that live in a process of their own, and kills it at a chosen call."""

from __future__ import annotations

import gc
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.faults import scene
from tests.forked_program import build_validators


class _Control(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("control")
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code, or minus the signal that killed it, and what it printed."""

    code: int
    text: str


@dataclass(frozen=True)
class Running:
    """A child that runs, and the file that it prints into."""

    pid: int
    out: IO[str]

    def end(self, seconds: float | None = None) -> Ended:
        """Wait for its end; it is killed when it has not ended after so many seconds."""
        handle = os.pidfd_open(self.pid)
        if seconds is not None and not select.select([handle], [], [], seconds)[0]:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)
        _, status = os.waitpid(self.pid, 0)
        with self.out as out:
            out.seek(0)
            return Ended(os.waitstatus_to_exitcode(status), out.read())


def as_they_end(running: Iterable[Running]) -> Iterator[Ended]:
    """Each when it ends: a child that was killed and not waited for would look alive to one that waits for its lease."""
    left = {os.pidfd_open(one.pid): one for one in running}
    while left:
        for handle in select.select(list(left), [], [])[0]:
            os.close(handle)
            yield left.pop(handle).end()


class Stage:
    """Engines in another process, a site in a folder, and dtnctl in forks of this process. `more`: engines beside dtn1 and dtn2."""

    def __init__(self, more: int = 0) -> None:
        self.names = tuple(f"dtn{number}" for number in range(1, 3 + more))
        self.stack = ExitStack()
        self.sockets: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.stack.close()
            raise
        return self

    def _open(self) -> None:
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        self.root = folder / "site"
        self.root.mkdir()
        sockets = [f"--socket={folder}/{name}.sock" for name in self.names]
        command = [
            sys.executable,
            "-m",
            "tests.fakes.engine",
            *sockets,
            f"--control={folder}/control.sock",
            "--setup=tests.faults.scene:prepare",
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        self.stack.callback(self._end_engines)
        assert self.process.stdout is not None
        self.sockets = json.loads(self.process.stdout.readline())
        self._place_strangers()
        self.write()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stack.close()

    def _end_engines(self) -> None:
        self.process.terminate()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def write(self, changes: Mapping[str, str | None] | None = None, root: Path | None = None) -> None:
        scene.write_site(root or self.root, self.sockets, changes)

    def ask(self, method: str, name: str, body: dict[str, Any] | None = None) -> Any:
        """One question to the engines' control endpoint."""
        connection = _Control(self.sockets["control"])
        try:
            connection.request(method, f"/_fake/{name}", json.dumps(body or {}), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, text
        return json.loads(text)

    def _place_strangers(self) -> None:
        """A container and a network of somebody else, and the data to move."""
        import docker

        for name in self.names:
            engine = docker.APIClient(base_url=f"unix://{self.sockets[name]}", version="1.41")
            made = engine.create_container(
                "stranger:1",
                name="stranger",
                labels={"dtnctl.site": "demo"},
                volumes=["/data"],
                host_config=engine.create_host_config(binds=["/data:/data"]),
            )
            engine.start(made["Id"])
            engine.create_network("strange-net")
            if name == "dtn1":
                engine.put_archive(made["Id"], "/data", _tar("run14.nc", scene.CONTENT))
            engine.close()
        self.ask("POST", "snapshot", {"name": "start"})

    # --- dtnctl ---

    def run(self, *arguments: str, root: Path | None = None) -> Ended:
        """dtnctl in a fork: no import is paid twice. `root`: the folder of another site than the stage's own."""
        return self.begin(*arguments, root=root).end()

    def begin(self, *arguments: str, root: Path | None = None) -> Running:
        """The same, and do not wait for its end."""
        out = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed at its end
        pid = os.fork()
        if pid == 0:
            _become_dtnctl(root or self.root, out.fileno(), arguments)
        return Running(pid, out)

    def calls(self) -> int:
        """How many calls the engines have got since the last restore."""
        return len(self.ask("GET", "calls"))


def _become_dtnctl(root: Path, out: int, arguments: tuple[str, ...]) -> None:
    """In the child: never returns."""
    code = 1
    try:
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        os.chdir(root)
        sys.argv = ["dtnctl", *arguments]
        from dtnctl.cli.main import run

        run()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    except BaseException:  # noqa: BLE001  # whatever it is, the parent must see it as a failure with its text
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _tar(name: str, content: bytes) -> bytes:
    import io
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        info.mode = 0o644
        archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


COMMANDS = ("apply", "destroy", "plan")


def warm_up() -> None:
    """Import what dtnctl imports, and make the commands that most rows run, so that forks share them.

    What is there is out of reach of the garbage collector then: its looks at objects would give each fork pages of its own.
    """
    import dtnctl.cli.apply
    import dtnctl.cli.boards
    import dtnctl.cli.examples
    import dtnctl.cli.program
    import dtnctl.cli.progress
    import dtnctl.model.runs
    import dtnctl.movers.gridftp
    import dtnctl.planning.reviewed
    import dtnctl.providers.docker.connection
    import dtnctl.providers.docker.engine
    import dtnctl.providers.docker.sdk
    import dtnctl.providers.endpoint
    import dtnctl.providers.local.descriptors
    import dtnctl.providers.local.files
    import dtnctl.providers.local.ssh
    import dtnctl.providers.with_agent
    import dtnctl.render.json
    import dtnctl.render.outcomes
    import dtnctl.render.progress
    import dtnctl.render.terminal
    import dtnctl.repository.find
    import dtnctl.repository.git
    import dtnctl.repository.load
    import dtnctl.repository.receipts
    import dtnctl.repository.yaml_source
    import dtnctl.runtime.looking
    import dtnctl.runtime.reconcile
    import dtnctl.runtime.transfers.transfer  # noqa: F401  # imported for the forks
    from dtnctl.cli.commands import load_command
    from dtnctl.cli.program import program

    program()
    for name in COMMANDS:
        load_command(name)
    build_validators()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


Check = Callable[[Stage], list[str]]
