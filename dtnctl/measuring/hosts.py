"""Runs shell scripts where a benchmark measures: in a container through the engine, or on a host itself through ssh."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from dtnctl.errors import UnreachableError
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.providers.base import Engine, Ran
from dtnctl.providers.ssh import OPTIONS, explain, ssh_words

CONNECT_SECONDS = 10
SSH_FAILED = 255  # ssh's own exit code; a script's is another
# The script in the background, ended when our end of its standard input closes, however we end.
FAR_SIDE = (
    'exec 3<&0; sh -c "$0" </dev/null 3<&- & job=$!;'
    " { cat <&3; kill $(ps -o pid= --ppid $job) $job; } >/dev/null 2>&1 & watch=$!;"
    " wait $job; code=$?; kill $watch; exit $code"
)


class Shell(Protocol):
    """Where scripts are run."""

    def run(self, script: str) -> Ran:
        """The finished script. UnreachableError if the place does not answer."""


@dataclass(frozen=True, slots=True)
class _InContainer:
    engine: Engine
    container: str

    def run(self, script: str) -> Ran:
        return self.engine.run(self.container, ("sh", "-c", script))


def container_shell(engine: Engine, container: str) -> Shell:
    """A running container of ours."""
    return _InContainer(engine, container)


@dataclass(slots=True)
class _OnHost:
    """The programs that it has started end when it is closed."""

    login: EngineAddress
    running: list[subprocess.Popen[bytes]]

    def run(self, script: str) -> Ran:
        words = ssh_words(self.login, {**OPTIONS, "ConnectTimeout": str(CONNECT_SECONDS)})
        command = [*words, f"sh -c {shlex.quote(FAR_SIDE)} {shlex.quote(script)}"]
        # A group of its own: Ctrl-C at the terminal must not cut the line in the middle of a test.
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.running.append(process)
        assert process.stdout is not None
        assert process.stderr is not None
        out, errors = process.stdout.read(), process.stderr.read()
        code = process.wait()
        if code == SSH_FAILED:
            raise UnreachableError(f"{self.login}: {explain(errors.decode(errors='replace'), self.login)}")
        return Ran(code, out, errors)


@contextlib.contextmanager
def host_shell(login: EngineAddress) -> Iterator[Shell]:
    """The host of a `docker: ssh://…`, with its own programs, by the user's OpenSSH. At the end nothing of it runs there."""
    shell = _OnHost(login, [])
    try:
        yield shell
    finally:
        for process in shell.running:
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            if process.poll() is None:
                process.terminate()
                process.wait()
