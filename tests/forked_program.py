"""dtnctl in a fork of a process that has imported it: streams, exit code and environment are a process's own, imports are paid once.

`python -m tests.forked_program NUMBER` is that process: it answers on the inherited socket of this number until its other end closes.
Tests of starting, of signals and of streams start the program itself. What Python reads when it starts (PYTHON… variables, the locale)
is that of the process that forks.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary, finalize

from lab import Lab

CLONE = Path(__file__).parents[1]
LARGEST = 128 * 1024  # bytes of a question: words, folder and environment
NUMBER = struct.Struct("i")
RUNS_WHEN_IMPORTED = ("dtnctl.__main__",)
# what functions of dtnctl import, in runs that reach an engine
LATE = (
    "cronsim",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.serialization",
    "deepdiff.helper",
    "dtn_agent.protocol",
    "git",
    "requests",
)


class ForkingProgram:
    """The process that has imported dtnctl, which `start` begins (a command line in front of Python's), and questions to it."""

    def __init__(self, start: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [*start, sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=CLONE,
                env={**(os.environ if environment is None else environment), "PYTHONPATH": f"{CLONE}:{CLONE / 'agent'}"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._end = finalize(self, _end, self._socket, self._process)

    @property
    def is_there(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._end()

    def run(
        self,
        arguments: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        streams: Mapping[int, str | None] | None = None,
        seconds: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """dtnctl with these words in that folder; after so many seconds it is killed, and TimeoutExpired is raised.

        `streams` go elsewhere than to us: number 1 to the file /dev/full, say, number 0 comes from a file, or None for one that is closed.
        """
        question = json.dumps(
            {"arguments": [*arguments], "cwd": str(cwd), "environment": {**environment}, "streams": [*(streams or {}).items()]}
        )
        with _Stream("out") as out, _Stream("err") as err:
            code = self._ask(question.encode(), out, err, seconds)
            if code is None:
                raise subprocess.TimeoutExpired(["dtnctl", *arguments], seconds, out.text(), err.text())
            return subprocess.CompletedProcess(["dtnctl", *arguments], code, out.text(), err.text())

    def _ask(self, question: bytes, out: _Stream, err: _Stream, seconds: float) -> int | None:
        """The exit code, or minus a signal's number; None if it did not end in time."""
        answers, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with answers:
            with theirs:
                socket.send_fds(self._socket, [question], [out.number, err.number, theirs.fileno()])
            pid = _number(answers)
            if not select.select([answers], [], [], seconds)[0]:
                os.kill(pid, signal.SIGKILL)
                return None
            return _number(answers)


def _end(ours: socket.socket, process: subprocess.Popen[bytes]) -> None:
    ours.close()
    process.wait()


def _number(answers: socket.socket) -> int:
    text = answers.recv(NUMBER.size)
    if not text:
        raise ConnectionError("the process that forks dtnctl has ended")
    number: int = NUMBER.unpack(text)[0]
    return number


class _Stream:
    """What a program writes, in memory."""

    def __init__(self, name: str) -> None:
        self.number = os.memfd_create(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.number)

    def text(self) -> str:
        with open(self.number, encoding="utf-8", closefd=False) as file:
            file.seek(0)
            return file.read()


_IN_LABS: WeakKeyDictionary[Lab, ForkingProgram] = WeakKeyDictionary()


def program_in(lab: Lab) -> ForkingProgram:
    """That of the lab's controller, in its network; it ends with the lab."""
    found = _IN_LABS.get(lab)
    if found is None or not found.is_there:
        found = _IN_LABS[lab] = ForkingProgram(lab.command("ctl", []), lab.environment())
    return found


@functools.cache
def program_here() -> ForkingProgram:
    """That of this process."""
    return ForkingProgram()


# --- the process that forks ---------------------------------------------------------------------------------


def warm_up() -> None:
    """Import all of dtnctl, and what its functions import, and make its commands, so that forks share them."""
    import dtnctl
    from dtnctl.cli.commands import COMMANDS, load_command

    for found in pkgutil.walk_packages(dtnctl.__path__, "dtnctl."):
        if found.name not in RUNS_WHEN_IMPORTED:
            importlib.import_module(found.name)
    for name in LATE:
        importlib.import_module(name)
    for name in COMMANDS:
        load_command(name)
    build_validators()
    gc.collect()
    gc.freeze()  # forks share what they do not look through


def build_validators() -> None:
    """Those of all models that are imported, which are else built when a file first needs them: by each fork again."""
    from dtnctl.model.written import Written

    left = [Written]
    while left:
        left += (model := left.pop()).__subclasses__()
        model.model_rebuild()


def serve(questions: socket.socket) -> None:
    """Answer until the other end closes. Returns in each fork, which is to become dtnctl now."""
    running: dict[int, tuple[int, socket.socket]] = {}  # by a handle of the fork: its pid, and where its end is waited for
    while True:
        for handle in select.select([questions.fileno(), *running], [], [])[0]:
            if handle == questions.fileno():
                text, numbers, _, _ = socket.recv_fds(questions, LARGEST, 3)
                if not text:
                    sys.exit(0)
                pid = os.fork()
                if pid == 0:
                    questions.close()
                    _prepare(json.loads(text), numbers)
                    return
                answers = _parents_part(numbers, pid)
                running[os.pidfd_open(pid)] = pid, answers
            else:
                _report_end(handle, *running.pop(handle))


def _prepare(question: dict[str, Any], numbers: Sequence[int]) -> None:
    """Streams, folder, words and environment as those of a program that has just been started."""
    for ours, number in zip((1, 2), numbers, strict=False):
        os.dup2(number, ours)
    for number in numbers:
        os.close(number)
    for number, path in question["streams"]:
        _redirect(number, path)
    os.chdir(question["cwd"])
    os.environ.clear()
    os.environ.update(question["environment"])
    time.tzset()
    sys.argv = ["dtnctl", *question["arguments"]]


def _redirect(number: int, path: str | None) -> None:
    """As a shell does it; of a stream that is closed Python makes None."""
    if path is None:
        os.close(number)
        name = ("stdin", "stdout", "stderr")[number]
        setattr(sys, name, None)
        setattr(sys, f"__{name}__", None)
        return
    opened = os.open(path, os.O_WRONLY if number else os.O_RDONLY)
    os.dup2(opened, number)
    os.close(opened)


def _parents_part(numbers: Sequence[int], pid: int) -> socket.socket:
    """Say who runs now, and keep where to say how it ended."""
    for number in numbers[:-1]:
        os.close(number)
    answers = socket.socket(fileno=numbers[-1])
    answers.send(NUMBER.pack(pid))
    return answers


def _report_end(handle: int, pid: int, answers: socket.socket) -> None:
    os.close(handle)
    _, status = os.waitpid(pid, 0)
    with answers, contextlib.suppress(OSError):  # who asked is gone
        answers.send(NUMBER.pack(os.waitstatus_to_exitcode(status)))


class QuickEnd:
    """Ends a process where Python would begin to take it apart: threads have ended by then, and what others registered was called.

    A fork shares a hundred megabytes of modules, and to go through them copies all: nine tenths of what a short command costs in one.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        atexit.register(self)  # before all others, so that it is called after them

    def __call__(self) -> None:
        if self.code is None:
            return
        try:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        except Exception:  # noqa: BLE001  # Python makes of it what it does at any program's end
            return
        os._exit(self.code)


def main() -> None:
    """In the end only forks get here: they are dtnctl."""
    end = QuickEnd()
    warm_up()
    serve(socket.socket(fileno=int(sys.argv[1])))
    from dtnctl.cli.main import run

    try:
        run()
    except SystemExit as stop:
        end.code = stop.code if isinstance(stop.code, int) else None
        raise


if __name__ == "__main__":
    main()
