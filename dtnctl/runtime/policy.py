"""Asks a policy's command about a plan. It gets the plan's JSON, and of the environment nothing that may be secret."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping

from dtnctl.errors import UsageError
from dtnctl.model.policy import PolicyResult, read_answer

TIMEOUT = 60.0  # seconds
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME")  # of the environment; tokens and passwords stay here


def ask_policy(command: str, document: str, environment: Mapping[str, str]) -> PolicyResult:
    """Its verdict. One that cannot be started, or does not end in time, has none. UsageError if the command cannot be read."""
    words = _words(command)
    if not words:
        raise UsageError("--policy is empty; write the command that judges a plan")
    kept = {name: environment[name] for name in PASSED_ON if name in environment}
    try:
        done = subprocess.run(words, input=document.encode(), capture_output=True, check=False, timeout=TIMEOUT, env=kept)
    except subprocess.TimeoutExpired:
        return PolicyResult(command, "unknown", (f"it has not ended within {TIMEOUT:g} s",))
    except OSError as error:
        return PolicyResult(command, "unknown", (f"it cannot be started: {error.strerror}",))
    return read_answer(command, done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def _words(command: str) -> list[str]:
    """The command and its arguments. UsageError if a shell could not split it, or no program can be started with it."""
    if "\0" in command:
        raise UsageError("--policy has a NUL character in it")
    try:
        command.encode()
        return shlex.split(command)
    except UnicodeEncodeError as error:
        raise UsageError("--policy is no UTF-8 text") from error
    except ValueError as error:
        raise UsageError(f"--policy {command}: {str(error).lower()}") from error
