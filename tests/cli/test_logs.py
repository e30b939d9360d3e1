"""`sessions logs` of several endpoints: a prefix for each line, all followed at once, an end by Ctrl-C; nothing in a log is obeyed."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtnctl.cli.log_output import CI_SYSTEMS
from tests.cli.small_site import PROGRAM, environment, run, two_engines
from tests.fakes.engine import Behaviour, World


@pytest.fixture
def talking(tmp_path: Path) -> Iterator[World]:
    """Session s runs on a and b, and each has written two lines."""
    with two_engines(tmp_path) as world:
        world.programs.register(Behaviour(stdout=("first", "second")), name="small.s")
        assert run(tmp_path, "apply", "--yes").returncode == 0
        yield world


def test_each_line_of_several_logs_has_its_endpoint_before_it(tmp_path: Path, talking: World) -> None:
    ran = run(tmp_path, "sessions", "logs", "s")
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    for name in ("a", "b"):
        assert [line for line in lines if line.startswith(f"{name} | ")] == [f"{name} | first", f"{name} | second"]
    assert len(lines) == 4


def test_one_log_is_printed_as_it_was_written(tmp_path: Path, talking: World) -> None:
    assert run(tmp_path, "session", "logs", "s", "--endpoint", "b").stdout == "first\nsecond\n"


def test_all_logs_are_followed_at_once_until_a_signal(tmp_path: Path, talking: World) -> None:
    command = [*PROGRAM, "sessions", "logs", "-f", "s"]
    with subprocess.Popen(command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = {process.stdout.readline() for _ in range(4)}
        process.send_signal(signal.SIGINT)
        rest, err = process.stdout.read(), process.stderr.read()
    assert lines == {"a | first\n", "a | second\n", "b | first\n", "b | second\n"}
    assert (process.returncode, rest, err) == (130, "", "dtnctl: interrupted (130)\n")


def test_endpoint_that_is_silent_keeps_the_other_log_from_nobody(tmp_path: Path, talking: World) -> None:
    talking.set_mode("a", "absent")
    ran = run(tmp_path, "sessions", "logs", "s", "--timeout", "2s")
    assert ran.returncode == 7
    assert ran.stdout == "b | first\nb | second\n"


def test_endpoint_of_another_session_is_said(tmp_path: Path, talking: World) -> None:
    ran = run(tmp_path, "sessions", "logs", "s", "--endpoint", "c")
    assert (ran.returncode, ran.stderr.splitlines()[0]) == (64, "no endpoint of this session named c; try one of a, b")


# --- what a container writes is obeyed by no reader ----------------------------------------------------------

FORGED = ("::error file=state/site.yaml::forged", "\x1b[31m##vso[task.setvariable variable=x]y\x1b[0m", "\x1b]0;title\x07\x1b[2Jgone")
HARMLESS = (": :error file=state/site.yaml::forged", "## vso[task.setvariable variable=x]y", "\\x1b]0;title\\x07\\x1b[2Jgone")


@pytest.fixture
def forging(tmp_path: Path) -> Iterator[World]:
    """Session s runs on a and b, and its programs write what terminals and CI systems obey."""
    with two_engines(tmp_path) as world:
        world.programs.register(Behaviour(stdout=FORGED), name="small.s")
        assert run(tmp_path, "apply", "--yes").returncode == 0
        yield world


@pytest.mark.parametrize("variable", CI_SYSTEMS)
def test_log_commands_no_ci_system(tmp_path: Path, forging: World, variable: str) -> None:
    one = run(tmp_path, "sessions", "logs", "s", "--endpoint", "a", **{variable: "true"}).stdout
    assert one.splitlines() == list(HARMLESS)
    both = run(tmp_path, "sessions", "logs", "s", **{variable: "true"}).stdout
    assert sorted(both.splitlines()) == sorted(f"{name} | {line}" for name in "ab" for line in HARMLESS)


def test_log_commands_no_terminal(tmp_path: Path, forging: World) -> None:
    ours, theirs = pty.openpty()
    command = [*PROGRAM, "sessions", "logs", "s", "--endpoint", "a"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.wait(60) == 0
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert shown.splitlines() == list(HARMLESS)


def test_log_in_a_file_is_what_was_written(tmp_path: Path, forging: World) -> None:
    clean = dict.fromkeys(CI_SYSTEMS, "")
    assert run(tmp_path, "sessions", "logs", "s", "--endpoint", "a", **clean).stdout == "".join(f"{line}\n" for line in FORGED)


# --- what is kept of a service that failed -------------------------------------------------------------------

FAILING = {
    "ended": (Behaviour(stdout=("no config",), ends=True, exit_code=3), "ends again and again with exit code 3"),
    "ended well": (Behaviour(stdout=("no config",), ends=True), "ends again and again with exit code 0"),
    "sick": (Behaviour(stdout=("no config",), health="unhealthy", check_output="the disk is missing"), "is unhealthy"),
}


@pytest.mark.parametrize("kind", FAILING)
def test_last_words_of_what_does_not_work_are_shown_and_kept(tmp_path: Path, kind: str) -> None:
    behaviour, reason = FAILING[kind]
    with two_engines(tmp_path) as world:
        world.add_image("app:1", {"Cmd": ["serve"], "Healthcheck": {"Test": ["CMD", "true"]}} if kind == "sick" else {"Cmd": ["serve"]})
        world.programs.register(behaviour, name="small.s")
        home = {"XDG_STATE_HOME": str(tmp_path / "kept")}
        ran = run(tmp_path, "apply", "--yes", **home)
        for endpoint in "ab":
            kept = run(tmp_path, "sessions", "logs", "s", "--failed", "--endpoint", endpoint, **home)
            assert kept.stdout.splitlines() == ["the disk is missing"] * (kind == "sick") + ["no config"]
            assert f"s on {endpoint}, " in kept.stderr
    assert ran.returncode == 8
    for words in (reason, "no config", *["the disk is missing"] * (kind == "sick"), "dtnctl sessions logs s --failed"):
        assert words in " ".join(ran.stdout.split())


def test_services_at_the_ends_of_a_transfer_show_what_they_wrote(tmp_path: Path, talking: World) -> None:
    (tmp_path / "state/transfers").mkdir()
    (tmp_path / "state/transfers/t.yaml").write_text("from: a:/data/x\nto: b:/data/x\ntool: gridftp\n")
    (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nuser: u\nvolumes: [data:/data]\ndata_port_range: [50100, 50103]\n")
    source = run(tmp_path, "transfers", "logs", "t", "--source")
    assert source.stderr == ""
    assert source.stdout == "first\nsecond\n"
    assert run(tmp_path, "transfers", "logs", "t", "--destination", "--tail", "1").stdout == "second\n"
    both = run(tmp_path, "transfers", "logs", "t", "--source", "--destination").stdout.splitlines()
    assert sorted(both) == ["a | first", "a | second", "b | first", "b | second"]
