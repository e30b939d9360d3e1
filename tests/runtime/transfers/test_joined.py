"""Several questions in one command: by a real shell, on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import cast

import pytest

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.providers.base import Engine, Ran
from dtnctl.runtime.transfers.joined import LONGEST, answering, ask_together, read_command


class Here:
    """An engine whose containers are this machine; `refusal` is raised instead, and `cut` is all that comes of an output."""

    endpoint = "here"

    def __init__(self, refusal: Exception | None = None, cut: int | None = None) -> None:
        self.refusal, self.cut = refusal, cut
        self.asked: list[tuple[str, ...]] = []

    def run(self, container: str, command: tuple[str, ...], *, user: str = "") -> Ran:
        del container, user
        self.asked.append(command)
        if self.refusal is not None:
            raise self.refusal
        ran = subprocess.run(command, capture_output=True, check=False)
        return Ran(ran.returncode, ran.stdout[: self.cut], ran.stderr)

    def read_files(self, container: str, path: str) -> Mapping[str, bytes]:
        del container
        return {path: b"read"}


def engine(here: Here) -> Engine:
    return cast("Engine", here)


def test_each_command_has_its_own_output_and_exit_code() -> None:
    commands = [
        ("printf", "no end of line"),
        ("true",),
        ("sh", "-c", "echo out; echo err >&2; exit 7"),
        ("printf", r"a\0b\n\n"),
        ("no-such-program-here",),
        ("printf", "%s", 'it\'s "quoted" $HOME\n'),
        ("cat",),
    ]
    here = Here()
    answers = ask_together(engine(here), "c", commands, "me")
    assert list(answers) == commands
    assert len(here.asked) == 1
    assert [(ran.exit_code, ran.stdout) for ran in answers.values()] == [
        (0, b"no end of line"),
        (0, b""),
        (7, b"out\n"),
        (0, b"a\0b\n\n"),
        (127, b""),
        (0, b'it\'s "quoted" $HOME\n'),
        (0, b""),
    ]
    assert answers[commands[2]].stderr == b"err\n"
    assert b"not found" in answers[commands[4]].stderr


def test_what_is_too_long_for_one_argument_is_left_out() -> None:
    long = ("echo", "x" * LONGEST)
    assert list(ask_together(engine(Here()), "c", [long, ("true",)], "")) == [("true",)]
    here = Here()
    assert ask_together(engine(here), "c", [long], "") == {}
    assert here.asked == []


@pytest.mark.parametrize("refusal", [EngineError("it does not run"), UnreachableError("gone")])
def test_an_engine_that_refuses_gives_no_answers(refusal: Exception) -> None:
    assert ask_together(engine(Here(refusal)), "c", [("true",)], "") == {}


def test_half_an_output_is_no_answer() -> None:
    assert ask_together(engine(Here(cut=40)), "c", [("echo", "a"), ("echo", "b")], "") == {}


def test_an_engine_that_was_asked_answers_that_alone() -> None:
    here = Here()
    asked = ask_together(engine(here), "c", [("echo", "1"), read_command("/etc/hostname"), read_command("/no/such/file")], "me")
    knowing = answering(engine(here), "c", "me", asked)
    here.asked.clear()
    assert knowing.run("c", ("echo", "1"), user="me").stdout == b"1\n"
    assert knowing.read_files("c", "/etc/hostname")["/etc/hostname"] != b"read"
    assert here.asked == []
    assert knowing.read_files("c", "/no/such/file") == {"/no/such/file": b"read"}
    assert knowing.read_files("other", "/etc/hostname") == {"/etc/hostname": b"read"}
    knowing.run("c", ("echo", "2"), user="me")
    knowing.run("c", ("echo", "1"), user="other")
    knowing.run("other", ("echo", "1"), user="me")
    assert len(here.asked) == 3
    assert knowing.endpoint == "here"
    assert answering(engine(here), "c", "me", {}) is engine(here)
