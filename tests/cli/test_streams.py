"""Streams that are closed, full, broken or of another encoding, and signals at any moment: an exit code of the contract, no traceback."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dtnctl.cli.commands import COMMANDS
from dtnctl.cli.examples import EXAMPLES
from tests.cli.small_site import CLONE, PROGRAM, environment, two_engines, write
from tests.forked_program import program_here

# every command with what it needs to do something; those that write get a folder in which they do it once more
ARGUMENTS = {
    "init": ["new"],
    "sessions show": ["s"],
    "sessions logs": ["s"],
    "sessions create": ["a", "--name", "n"],
    "sessions start": ["s"],
    "sessions stop": ["s"],
    "sessions delete": ["s"],
    "transfers show": ["t"],
    "transfers logs": ["t"],
    "transfers cancel": ["t"],
    "transfers resolve": ["t", "--failed"],
    "transfers create": ["a:/x", "b:/x", "gridftp"],
    "web": ["--listen", "192.0.2.1"],  # refused; with its own address it would serve
    "endpoints show": ["a"],
    "graph host": ["a"],
    "top": ["--once"],
    "graph transfer": ["t"],
    "endpoints doctor": ["--all"],
    "endpoints add": ["c", "--ssh", "root@127.0.0.1", "--print"],
    "networks show": ["n"],
    "profiles show": ["p"],
    "unlock": ["a"],
    "completion": ["bash"],
    "apply": ["--yes"],
    "destroy": ["--yes", "--confirm", "small"],
}
CODES = {0, 1, 3, 4, 7, 64, 65, 141}
SILENT = "unix:///nowhere/none.sock"


def test_every_command_is_in_the_table_of_examples() -> None:
    assert {path.split()[0] for path in EXAMPLES} == set(COMMANDS)


FEW = ("plan", "sessions create", "sessions logs", "validate")  # for situations in which all commands do the same
SITUATIONS: dict[str, tuple[str, dict[int, str | None]]] = {  # as a shell has it, and as a fork does
    "stdout is full": (">/dev/full", {1: "/dev/full"}),
    "stdout is closed": (">&-", {1: None}),
    "stderr is full": ("2>/dev/full", {2: "/dev/full"}),
    "stderr is closed": ("2>&-", {2: None}),
    "stdin is closed": ("<&-", {0: None}),
    "all are closed": ("<&- >&- 2>&-", dict.fromkeys((0, 1, 2))),
    "the reader is gone": ("| true", {}),
}


@pytest.mark.parametrize(("redirection", "streams"), SITUATIONS.values(), ids=SITUATIONS.keys())
def test_no_command_shows_a_traceback(tmp_path: Path, redirection: str, streams: dict[int, str | None]) -> None:
    """Python's start in that situation is the same for all of them: where a fork can have it, one is started, and the others are forks."""

    def ended(path: str) -> str:
        words = [path, *ARGUMENTS.get(path, [])]
        if streams and path != FEW[0]:
            return what_is_wrong(path, program_here().run(" ".join(words).split(), silent_site(tmp_path, path), environment(), streams))
        ran = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {' '.join([*PROGRAM, *words])} {redirection}"],
            cwd=silent_site(tmp_path, path),
            text=True,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environment(),
        )
        return what_is_wrong(path, ran)

    with ThreadPoolExecutor(3) as pool:
        assert [text for text in pool.map(ended, FEW) if text] == []


@pytest.mark.parametrize("streams", [{1: "/dev/full"}, dict.fromkeys((0, 1, 2))], ids=["stdout is full", "all are closed"])
def test_no_command_at_all_shows_a_traceback(tmp_path: Path, streams: dict[int, str | None]) -> None:
    """In forks, since each of half a hundred starts would be most of the work."""
    for path in EXAMPLES:
        words = [*path.split(), *ARGUMENTS.get(path, [])]
        ran = program_here().run(words, silent_site(tmp_path, path), environment(), streams)
        assert what_is_wrong(path, ran) == ""


def silent_site(folder: Path, name: str) -> Path:
    """A site of its own, whose endpoints are silent."""
    root = folder / name.replace(" ", "-")
    write(root, {"a": SILENT, "b": SILENT})
    return root


def what_is_wrong(command: str, ran: subprocess.CompletedProcess[str]) -> str:
    is_right = ran.returncode in CODES and "Traceback" not in ran.stderr and "Exception" not in ran.stderr
    return "" if is_right else f"{command}: {ran.returncode}\n{ran.stderr}"


def test_result_that_cannot_be_written_is_an_error_with_its_reason(tmp_path: Path) -> None:
    for redirection, reason in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
        ran = subprocess.run(
            ["bash", "-c", f"{' '.join(PROGRAM)} version {redirection}"], cwd=CLONE, text=True, capture_output=True, check=False
        )
        assert (ran.returncode, ran.stderr) == (
            1,
            f"cannot write the result to standard output: {reason}\ndtnctl: error (1)\n",
        )


def test_nothing_is_applied_when_the_plan_cannot_be_shown(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world:
        ran = subprocess.run(
            ["bash", "-c", f"{' '.join(PROGRAM)} apply --yes >/dev/full"],
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
            env=environment(),
        )
        assert ran.returncode == 1, ran.stderr
        assert world.starts() == []


def test_progress_that_cannot_be_written_stops_no_apply(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        command = ["bash", "-c", f"{' '.join(PROGRAM)} apply --yes 2>/dev/full"]
        ran = subprocess.run(command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, check=False, env=environment())
        assert ran.returncode == 0, ran.stdout
        assert "a last look found nothing left to do" in ran.stdout


def test_closed_stdout_is_no_place_for_a_socket(tmp_path: Path) -> None:
    """With its number free, the first connection would get it, and the plan would be sent to an engine."""
    with two_engines(tmp_path) as world:
        command = ["bash", "-c", f"exec {' '.join(PROGRAM)} plan >&- 2>&- <&-"]
        ran = subprocess.run(command, cwd=tmp_path, check=False, env=environment())
        assert ran.returncode == 1
        assert all(call.partition(" ")[0] != "VERDICT" for call in map(str, world.calls()))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_terminal_without_our_signs_gets_ascii(tmp_path: Path, encoding: str) -> None:
    with two_engines(tmp_path):
        for command in ("plan", "status", "sessions list", "-h"):
            ran = subprocess.run(
                [*PROGRAM, *command.split()],
                cwd=tmp_path,
                capture_output=True,
                check=False,
                env=environment(PYTHONIOENCODING=encoding),
            )
            assert ran.returncode == 0, ran.stderr
            assert ran.stdout.isascii() or command == "-h"
            assert b"\\u" not in ran.stdout


# --- questions ----------------------------------------------------------------------------------------------


def _answer(root: Path, answer: bytes) -> tuple[int, str, str]:
    """apply with a terminal for stdin; the answer is typed when the question is there."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "apply", "-q"], cwd=root, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    os.close(slave)
    assert process.stderr is not None
    seen = b""
    while not seen.endswith(b"carry this out: "):
        byte = process.stderr.read(1)
        assert byte, seen
        seen += byte
    os.write(master, answer)
    out, err = process.communicate()
    os.close(master)
    return process.returncode, out.decode(), (seen + err).decode()


@pytest.mark.parametrize(
    ("answer", "code", "last"),
    [
        (b"\x04", 64, "not confirmed; nothing was changed\ndtnctl: usage (64)\n"),
        (b"no\n", 64, "not confirmed; nothing was changed\ndtnctl: usage (64)\n"),
        (b"\xff\xfe\n", 64, "not confirmed; nothing was changed\ndtnctl: usage (64)\n"),
    ],
    ids=["Ctrl-D", "no", "no text"],
)
def test_answer_that_is_no_yes_changes_nothing(tmp_path: Path, answer: bytes, code: int, last: str) -> None:
    with two_engines(tmp_path) as world:
        ended, out, err = _answer(tmp_path, answer)
        assert ended == code
        assert err.endswith(last)
        assert "Type 'yes'" not in out  # stdout carries the result only
        assert world.starts() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_signal_at_the_question_changes_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with two_engines(tmp_path) as world:
        master, slave = pty.openpty()
        command = [*PROGRAM, "apply"]
        with subprocess.Popen(
            command, cwd=tmp_path, stdin=slave, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment()
        ) as process:
            assert process.stderr is not None
            seen = b""
            while not seen.endswith(b"carry this out: "):
                seen += process.stderr.read(1)
            process.send_signal(number)
            rest = process.stderr.read().decode()
        os.close(slave)
        os.close(master)
        assert process.returncode == 128 + number
        assert rest.splitlines()[-1].endswith(f"({128 + number})")
        assert "Traceback" not in rest
        assert world.starts() == []


def test_yes_is_read_from_a_terminal(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        code, out, _ = _answer(tmp_path, b"yes\n")
        assert code == 0
        assert "Applied 2 of 2 changes." in out


# --- signals while Python imports ---------------------------------------------------------------------------

# Sends itself a signal when the module is about to be imported: the same moment in every run.
SIGNALLED = """
import importlib.abc, os, sys
class Moment(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), int(sys.argv[2]))
sys.meta_path.insert(0, Moment())
from dtnctl.cli.main import run
module, number, *sys.argv[1:] = sys.argv[1:]
sys.argv[1:1] = []
class Again(Moment):
    def find_spec(self, name, path, target=None):
        if name == module:
            os.kill(os.getpid(), int(number))
sys.meta_path[0] = Again()
run()
"""
# Up to what is imported last, in the thread of an endpoint.
MODULES = (
    "typer",
    "dtnctl.cli.program",
    "dtnctl.cli.plan",
    "pydantic",
    "yaml",
    "dtnctl.providers.docker.engine",
    "dtnctl.providers.docker.connection",
)


def _cases() -> Iterator[tuple[str, signal.Signals]]:
    for index, module in enumerate(MODULES):
        yield module, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[index % 3]
        yield module, signal.SIGINT


@pytest.mark.parametrize(("module", "number"), sorted(set(_cases())), ids=str)
def test_signal_during_start_up_ends_quietly(tmp_path: Path, module: str, number: signal.Signals) -> None:
    with two_engines(tmp_path):
        ran = subprocess.run(
            [sys.executable, "-c", SIGNALLED, module, str(int(number)), "plan"],
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
            env=environment(),
        )
    name = {1: "hangup", 2: "interrupted", 15: "terminated"}[number]
    assert (ran.returncode, ran.stderr) == (128 + number, f"dtnctl: {name} ({128 + number})\n")


def test_signal_that_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    """nohup, and jobs in the background of scripts."""
    with two_engines(tmp_path):
        code = "import signal, os; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + SIGNALLED
        ran = subprocess.run(
            [sys.executable, "-c", code, "docker", str(int(signal.SIGHUP)), "plan"],
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
            env=environment(),
        )
    assert ran.returncode == 0, ran.stderr
