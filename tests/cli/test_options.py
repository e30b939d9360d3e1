"""Options that every command takes, help with examples, and what shells complete."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dtnctl.cli.completion import SCRIPTS, Shell, candidates
from dtnctl.cli.examples import EXAMPLES
from tests.cli.small_site import environment, run, two_engines, write
from tests.runtime.program import dtnctl
from tests.runtime.state_folder import write_state


@pytest.mark.parametrize("path", EXAMPLES)
def test_help_of_every_command_has_examples_that_name_it(tmp_path: Path, path: str) -> None:
    text = dtnctl(tmp_path, *path.split(), "--help").out
    assert re.search(r"^  Examples?:$", text, re.MULTILINE)
    assert "Everywhere: -C DIR" in text
    assert all(example in text for example in EXAMPLES[path])


def test_every_option_of_an_example_exists(tmp_path: Path) -> None:
    root = dtnctl(tmp_path, "--help").out
    for path, examples in EXAMPLES.items():
        for example in examples:
            if not example.startswith("dtnctl ") or path.split()[0] not in example:
                continue
            text = dtnctl(tmp_path, *path.split(), "--help").out + root
            assert [flag for flag in re.findall(r" (--?[a-z-]+)", example) if not re.search(rf"(?<![\w-]){flag}(?![\w-])", text)] == []


@pytest.mark.parametrize("path", EXAMPLES)
def test_every_command_takes_the_common_options(tmp_path: Path, path: str) -> None:
    """--help ends the command after its options were accepted."""
    ran = dtnctl(tmp_path, *path.split(), "-q", "-v", "--debug", "--color", "never", "--no-color", "--ascii", "-C", ".", "--help")
    assert ran.code == 0, ran.err


# --- what is said beside the result -------------------------------------------------------------------------


def test_quiet_leaves_only_the_result(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        loud = run(tmp_path, "apply", "--yes", "--target", "endpoint/a")
        quiet = run(tmp_path / "state", "apply", "--yes", "-q")
    assert "create" in loud.stderr
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert "Applied 1 of 1 change." in quiet.stdout


def test_quiet_keeps_errors(tmp_path: Path) -> None:
    assert run(tmp_path, "plan", "-q").stderr.endswith("dtnctl: invalid-config (65)\n")


def test_debug_says_each_call_with_its_time(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world:
        ran = run(tmp_path, "status", "--debug")
    assert ran.returncode == 0
    assert re.search(rf"^unix://{world.sockets['a']}: GET /v1\.\d+/containers/json: answered, \d+\.\d\d\d s$", ran.stderr, re.MULTILINE)
    assert run(tmp_path, "status", "--debug", "-o", "json").stdout.startswith("{")


def test_debug_says_failures_and_no_secret(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nenv: {TOKEN: xyzzy-secret}\n")
        ran = run(tmp_path, "apply", "--yes", "--debug")
    assert "POST /v1.41/containers/create: answered" in ran.stderr
    assert "xyzzy-secret" not in ran.stderr
    assert run(tmp_path, "status", "--debug").stderr.count("UnreachableError") == 2


def test_verbose_counts_calls(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        ran = run(tmp_path, "-v", "plan")
    assert len(re.findall(r"^unix://.*: \d+ calls?, \d+\.\d+ s together, the slowest \d+\.\d+ s$", ran.stderr, re.MULTILINE)) == 2


def test_colour_and_ascii_reach_lists_too(tmp_path: Path) -> None:
    write(tmp_path, {"a": "unix:///nowhere/none.sock", "b": "unix:///nowhere/none.sock"})
    for command in (["status"], ["sessions", "list"], ["endpoints", "list"], ["plan"], ["drift"]):
        assert "\x1b[" in dtnctl(tmp_path, *command, "--color", "always").out
        assert "\x1b[" not in dtnctl(tmp_path, "--color", "always", *command, "--no-color").out
        assert dtnctl(tmp_path, *command, "--ascii").out.isascii()


@pytest.mark.parametrize("words", [["plan", "-o", "json", "--nonsense"], ["sessions", "shwo", "--output=json"], ["status", "-ojson", "x"]])
def test_json_is_owed_for_a_mistyped_command_too(tmp_path: Path, words: list[str]) -> None:
    ran = dtnctl(tmp_path, *words)
    document = json.loads(ran.out)
    assert (ran.code, document["kind"], document["exit_name"]) == (64, "error", "usage")


# --- completion ---------------------------------------------------------------------------------------------


def _values(root: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(root)
    *before, last = line.split(" ")
    return [value for value, _ in candidates(before, last)]


COMPLETED = {
    "val": ["validate"],
    "session": ["sessions"],
    "sessions sh": ["show"],
    "sessions show ": ["s"],
    "session start ": ["s"],
    "transfers logs ": ["t"],
    "endpoints show ": ["a", "b"],
    "unlock ": ["a", "b"],
    "networks show d": ["data"],
    "profile show ": ["p"],
    "plan --target session/": ["session/s"],
    "plan --exclude transfer": ["transfer/t"],
    "apply --replace ": ["s"],
    "plan --out ": [":files"],
    "fmt ": [":files"],
    "plan -o ": ["text", "json", "markdown"],
    "status -o w": ["wide"],
    "plan --col": ["--color"],
    "session create a,": ["a,a", "a,b"],
    "transfer a": ["a:"],
    "transfers create a:/x b": ["b:"],
    "completion z": ["zsh"],
}


@pytest.mark.parametrize(("line", "values"), COMPLETED.items(), ids=COMPLETED.keys())
def test_names_and_words_are_completed(tmp_path: Path, line: str, values: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write_state(tmp_path)
    assert _values(tmp_path, line, monkeypatch) == values


def test_completion_works_from_below_with_a_folder_and_with_broken_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_state(tmp_path / "site", {"sessions/s.yaml": "a: ["})
    assert _values(tmp_path / "site/state", "sessions show ", monkeypatch) == ["s"]
    assert _values(tmp_path, "-C site sessions show ", monkeypatch) == ["s"]


def test_completion_is_silent_where_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _values(tmp_path, "sessions show ", monkeypatch) == []


def test_script_of_bash_completes(tmp_path: Path) -> None:
    write_state(tmp_path)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/dtnctl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dtnctl "$@"\n')
    program.chmod(0o755)
    script = 'source <(dtnctl completion bash); COMP_WORDS=(dtnctl sessions show ""); COMP_CWORD=3; _dtnctl; echo "${COMPREPLY[@]}"'
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, text=True, capture_output=True, check=True, env=environment(PATH=path))
    assert (ran.stdout, ran.stderr) == ("s\n", "")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_script_of_each_shell_is_one_that_it_reads(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    ran = subprocess.run([shell, "-n"], input=SCRIPTS[Shell(shell)], text=True, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
