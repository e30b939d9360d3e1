"""A policy's command is run without a shell and without secrets; what cannot be asked has no verdict."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dtnctl.errors import UsageError
from dtnctl.runtime.policy import ask_policy


def script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "a policy.py"
    path.write_text(text)
    return f"{sys.executable} '{path}'"


def test_it_gets_the_plan_and_none_of_our_secrets(tmp_path: Path) -> None:
    command = script(
        tmp_path, "import os, sys\nprint(sys.stdin.read(), sorted(set(os.environ) - {'LC_CTYPE', 'LD_PRELOAD'}))\nsys.exit(1)\n"
    )
    found = ask_policy(command, '{"kind": "plan"}', {"PATH": os.environ["PATH"], "GITHUB_TOKEN": "xyzzy", "DTNCTL_REGISTRY_PASSWORD": "x"})
    assert (found.verdict, found.reasons) == ("denied", ('{"kind": "plan"} [\'PATH\']',))


def test_nothing_of_the_command_is_for_a_shell(tmp_path: Path) -> None:
    found = ask_policy("echo $HOME ; false", "{}", dict(os.environ))
    assert (found.verdict, found.warnings) == ("passed", ("$HOME ; false",))


def test_a_program_that_is_not_there_gives_no_verdict() -> None:
    found = ask_policy("/nowhere/policy", "{}", {})
    assert (found.verdict, found.reasons) == ("unknown", ("it cannot be started: No such file or directory",))


def test_a_program_that_does_not_end_gives_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dtnctl.runtime.policy.TIMEOUT", 0.2)
    found = ask_policy(script(tmp_path, "import signal\nsignal.pause()\n"), "{}", dict(os.environ))
    assert (found.verdict, found.reasons) == ("unknown", ("it has not ended within 0.2 s",))


@pytest.mark.parametrize("command", ["'half", "   ", "true\0", "true \udcff"])
def test_a_command_that_is_none_is_a_mistake(command: str) -> None:
    with pytest.raises(UsageError, match="--policy"):
        ask_policy(command, "{}", {})


def test_a_program_that_reads_nothing_may_still_judge() -> None:
    assert ask_policy("true", "x" * 1_000_000, dict(os.environ)).verdict == "passed"
