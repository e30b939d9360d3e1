"""`dtnctl shell` on a terminal: keys that are pressed, and what is drawn."""

from __future__ import annotations

import os
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from dtnctl.cli.invocation import Invocation
from dtnctl.cli.shell.session import Shell
from dtnctl.cli.shell.terminal import ShellCompleter, hint_of, reading
from tests.cli.small_site import environment
from tests.repository.branching import make_main
from tests.shell.scripts import ShellSite, shell_site
from tests.shell.terminals import Terminal, terminal

PROGRAM = (sys.executable, "-m", "dtnctl", "shell")
CTRL_C, CTRL_D, TAB, ENTER, UP = "\x03", "\x04", "\t", "\r", "\x1b[A"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShellSite]:
    with shell_site(tmp_path_factory.mktemp("terminal")) as made:
        yield made


@pytest.fixture
def screen(site: ShellSite) -> Iterator[Terminal]:
    variables = environment(XDG_STATE_HOME=str(site.home), GIT_CONFIG_GLOBAL=str(site.gitconfig()), TERM="xterm-256color", CI="")
    with terminal(PROGRAM, site.root, variables) as found:
        found.wait_for("dtnctl> ")
        yield found


def type_line(screen: Terminal, keys: str, answer: str) -> str:
    """Press the keys and ENTER; what was drawn up to the answer."""
    screen.press(keys + ENTER)
    return screen.wait_for(answer)


def complete(screen: Terminal, beginning: str, rest: str) -> None:
    """Press TAB, and wait until the word is there: candidates are looked for beside what is typed."""
    screen.press(f"{beginning}{TAB}")
    screen.wait_for(rest)


def test_a_person_walks_looks_changes_refuses_and_leaves(site: ShellSite, screen: Terminal) -> None:
    before = site.text("sessions/s.yaml")
    complete(screen, "cd act", "ive/")
    type_line(screen, "", "dtnctl:/active> ")
    type_line(screen, "ls", "1: ABSENT       (['a', 'b'], app:1)  s, declared started")
    screen.wait_for("dtnctl:/active> ")
    assert "\x1b[2mABSENT\x1b[0m" in screen.drawn, "colours where a terminal is"
    complete(screen, "cd 1/ser", "vices/")
    type_line(screen, "", "dtnctl:/active/1/services> ")
    type_line(screen, "session stop 1", "VERDICT")
    screen.wait_for("dtnctl:/active/1/services")
    type_line(screen, "apply", "Type 'yes' to carry this out: ")
    type_line(screen, "no", "not confirmed; nothing was changed")
    screen.wait_for("services> ")
    type_line(screen, "undo", "undone: session stop s")
    screen.wait_for("services> ")
    assert site.text("sessions/s.yaml") == before
    screen.press(CTRL_D)
    assert screen.end() == 0


def test_ctrl_c_leaves_the_line_and_what_runs_but_not_the_shell(screen: Terminal) -> None:
    screen.press(f"session delete s{CTRL_C}")
    screen.wait_for("dtnctl> ")
    for watched, seen in (("ls active", "1: ABSENT "), ("sessions list", "ABSENT")):
        screen.press(f"watch 1s {watched}{ENTER}")
        screen.wait_for("(Ctrl-C ends it)")
        screen.wait_for(seen)
        screen.press(CTRL_C)
        screen.wait_for("dtnctl> ")
    type_line(screen, "watch apply", "with a command that shows")
    screen.wait_for("dtnctl> ")
    type_line(screen, "pwd", "/\r\n")
    screen.wait_for("dtnctl> ")
    type_line(screen, "exit", "")
    assert screen.end() == 0


def test_ctrl_c_leaves_a_silent_endpoint_and_the_next_command_runs(site: ShellSite, screen: Terminal, tmp_path: Path) -> None:
    """A thread of the shell waits for its answer then, and a process with two threads is not forked."""
    file = site.root / "state/endpoints/b.yaml"
    before = file.read_text()
    with socket.socket(socket.AF_UNIX) as never_answers:
        never_answers.bind(str(tmp_path / "b.sock"))
        never_answers.listen()
        never_answers.settimeout(120)
        file.write_text(f"docker: unix://{tmp_path}/b.sock\nhost: b\n")
        screen.press(f"ls active{ENTER}")
        with never_answers.accept()[0]:  # the look is under way
            screen.press(CTRL_C)
            screen.wait_for("dtnctl> ")
            type_line(screen, "validate", "ok: ")
            screen.wait_for("dtnctl> ")
    file.write_text(before)
    screen.press(CTRL_D)
    assert screen.end() == 0


def test_lines_of_an_earlier_shell_come_back_but_no_secret(site: ShellSite, screen: Terminal) -> None:
    type_line(screen, "endpoints import portainer http://127.0.0.1:9 --key hunter2", "dtnctl> ")
    type_line(screen, "pwd", "/\r\n")
    screen.wait_for("dtnctl> ")
    screen.press(CTRL_D)
    assert screen.end() == 0
    history = site.home / "dtnctl/shell/history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "pwd" in history.read_text().splitlines()
    assert "hunter2" not in history.read_text()


def test_what_was_changed_and_not_committed_is_named_at_the_end(site: ShellSite, screen: Terminal) -> None:
    type_line(screen, "session create a image app:1 name left", 'Initialized new session with id "')
    screen.wait_for("dtnctl> ")
    screen.press(CTRL_D)
    screen.wait_for("not committed: state/sessions/left.yaml")
    assert screen.end() == 0
    (site.root / "state/sessions/left.yaml").unlink()


def test_a_signal_ends_it_with_the_code_of_the_signal(screen: Terminal) -> None:
    os.kill(screen.pid, signal.SIGTERM)
    assert screen.end() == 128 + signal.SIGTERM


def test_without_prompt_toolkit_lines_are_read_plainly_and_it_is_said_why(site: ShellSite, tmp_path: Path) -> None:
    (tmp_path / "prompt_toolkit.py").write_text("raise ModuleNotFoundError('not installed', name='prompt_toolkit')\n")
    found = environment(XDG_STATE_HOME=str(site.home), TERM="dumb")
    with terminal(PROGRAM, site.root, {**found, "PYTHONPATH": f"{tmp_path}:{found['PYTHONPATH']}"}) as screen:
        screen.wait_for("pip install 'dtnctl[shell]'")
        screen.wait_for("dtnctl> ")
        type_line(screen, "pwd", "/\r\n")
        screen.wait_for("dtnctl> ")
        screen.press(CTRL_D)
        assert screen.end() == 0


# --- parts of it, without a terminal ------------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    root = make_main(tmp_path / "site")
    monkeypatch.chdir(root)
    return Shell(root, Invocation(), 1.0, asks=False)


def completed(shell: Shell, line: str) -> list[str]:
    found = ShellCompleter(shell).get_completions(Document(line), CompleteEvent(completion_requested=True))
    return [item.text for item in found]


def test_names_of_the_site_are_completed_before_anything_was_looked_at(shell: Shell) -> None:
    assert completed(shell, "session start ") == ["s"]
    assert completed(shell, "cd active/") == ["active/s"]
    assert completed(shell, "transfer a") == ["a:"]
    assert "--target" in completed(shell, "plan --ta")


def test_a_silent_endpoint_offers_no_paths_and_no_error(shell: Shell) -> None:
    assert completed(shell, "transfer a:/data/") == []


def test_lines_are_read_and_hints_name_what_is_typed(shell: Shell) -> None:
    with create_pipe_input() as keys:
        read = reading(shell, keys, DummyOutput())
        keys.send_text(f"cd active{ENTER}")
        assert read() == "cd active"
        keys.send_text(f"{UP}{ENTER}")
        assert read() == "cd active"
    assert hint_of("cd act", 0).startswith("cd [PATH]: Go to a folder")
    assert hint_of("plan --all", 0).startswith("Show what apply would do")
    assert hint_of("sesion", 0) == hint_of("", 0)
    assert hint_of("", 1).startswith("1 changed here and not committed")
