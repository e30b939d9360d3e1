"""Options that every command takes, help with examples, and what shells complete."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dtnctl.cli.completion import SCRIPTS, Shell, candidates
from dtnctl.cli.examples import EXAMPLES
from dtnctl.cli.options import seconds, written_time
from dtnctl.cli.program import program
from tests.cli.small_site import environment, run, two_engines, write
from tests.repository.state_folder import write_state
from tests.runtime.program import dtnctl


def _tree(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command that carries something out, as it is typed."""
    context = command.make_context("dtnctl", [], resilient_parsing=True)
    below: list[str] = getattr(command, "list_commands", lambda _: [])(context)
    if not below:
        yield " ".join(path), command
    for name in below:
        yield from _tree(command.get_command(context, name), (*path, name))


TREE = dict(_tree(program()))
SHOWING = sorted(
    path
    for path, command in TREE.items()
    if any("--output" in option.opts for option in command.params) and not path.startswith("graph ")  # it draws, and has no tables
)
TIMES = sorted((path, option.opts[-1]) for path, command in TREE.items() for option in command.params if option.metavar == "TIME")


def test_every_command_has_examples() -> None:
    assert sorted(TREE) == sorted(EXAMPLES)


@pytest.mark.parametrize("path", SHOWING)
def test_every_command_that_shows_tables_takes_wide(path: str) -> None:
    assert {"text", "wide", "json"} <= {value for value, _ in candidates([*path.split(), "-o"], "")}


def test_no_option_is_a_time_without_units() -> None:
    valued = ((path, option) for path, command in TREE.items() for option in command.params if not option.secondary_opts)
    options = {(path, option.opts[-1], option.metavar) for path, option in valued}
    timely = {(path, name, metavar) for path, name, metavar in options if re.search("time|seconds|delay|interval|every|wait", name)}
    assert {metavar for _, _, metavar in timely} == {"TIME"}
    durations = {"--timeout", "--lock-timeout", "--backoff", "--deadline", "--stall-timeout", "--duration", "--max-age"}
    durations |= {"--interval", "--run-timeout", "--every"}
    assert {option for _, option in TIMES} == durations


@pytest.mark.parametrize(("path", "option"), TIMES)
def test_a_time_that_an_option_has_by_itself_is_shown_with_its_unit(path: str, option: str) -> None:
    (found,) = [item for item in TREE[path].params if option in item.opts]
    if found.default is not None:
        shown = found.show_default
        assert isinstance(shown, str), shown
        assert seconds(shown) == found.default


WITHOUT_A_SITE = {"reconcile": 64, "doctor": 64}  # they ask for a repository and for a host, not for a site
DECISIONS = {"transfers resolve": ["--succeeded"], "check": ["--all-refs"]}  # what a command asks for before anything else


@pytest.mark.parametrize(("path", "option"), TIMES)
@pytest.mark.parametrize(("text", "code"), [("30s", 65), ("500ms", 65), ("2m", 65), ("7", 65), ("soon", 64), ("3x", 64)])
def test_every_time_takes_units(tmp_path: Path, path: str, option: str, text: str, code: int) -> None:
    """There is no site here: that is what is wrong where the time is right."""
    arguments = (parameter for parameter in TREE[path].params if parameter.param_type_name == "argument")
    required = ["x" for parameter in arguments if parameter.required] + DECISIONS.get(path, [])
    ran = dtnctl(tmp_path, *path.split(), *required, option, text)
    assert ran.code == (WITHOUT_A_SITE.get(path, code) if code == 65 else code), ran.err
    assert text in ran.err or code == 65


def test_times_that_are_written_into_files_keep_their_words() -> None:
    assert [written_time(text) for text in ("90s", "2h", "7")] == ["90s", "2h", "7s"]


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


NAMES = {"sessions": "s", "transfers": "t", "endpoints": "a", "networks": "data", "profiles": "p", "paths": "a2b", "volumes": "v"} | {
    "tools": "gridftp"
}
WORDS = {
    "inventory show": [],
    "graph host": ["a"],
    "top": ["--once"],
    "graph transfer": ["t"],
    "schema": ["session"],
    "init": ["new"],
    "unlock": ["a"],
    "fmt": ["--check"],
    "sessions start": ["s"],
    "sessions stop": ["s"],
    "sessions delete": ["s"],
    "completion": ["bash"],
    "web": ["--port", "99999"],
    "transfers create": ["a:/x→y", "b:/x→y", "gridftp"],
    "sessions create": ["a,b", "--image", "x:1"],
    "endpoints add": ["c", "--docker", "ssh://root@c", "--print"],
    "endpoints import": ["portainer", "http://127.0.0.1:9", "--key", "env:HOME"],
}


@pytest.mark.parametrize("path", sorted(TREE))
def test_ascii_and_no_colour_hold_for_all_that_a_command_prints(tmp_path: Path, path: str) -> None:
    """The endpoints are silent here, and people wrote characters that are not ASCII."""
    write_state(
        tmp_path,
        {
            "endpoints/b.yaml": "docker: unix:///nowhere/b.sock\nhost: b\ninterfaces: {data: eth1}\n",
            "profiles/p.yaml": "env:   {GREETING: grüße → alle}\n",
        },
    )
    words = WORDS[path] if path in WORDS else [NAMES[path.split()[0]]] if path.endswith((" show", " logs", " plot", " cancel")) else []
    for order in (["--ascii", "--color", "never", *path.split(), *words], [*path.split(), *words, "--ascii", "--no-color"]):
        ran = dtnctl(tmp_path, *order)
        assert (ran.out + ran.err).isascii()
        assert "\x1b" not in ran.out + ran.err
        assert ran.out + ran.err


def test_ascii_holds_for_errors_and_for_text_that_the_user_typed(tmp_path: Path) -> None:
    write_state(tmp_path, {"endpoints/b.yaml": "docker: unix:///nowhere/b.sock\nhost: b\ninterfaces: {data: eth1}\n"})
    ran = run(tmp_path, "sessions", "logs", "s→", "--ascii")
    assert (ran.returncode, ran.stderr.splitlines()[0]) == (64, "no session named s\\u2192; try `s`")
    assert "grüße" in run(tmp_path, "sessions", "show", "grüße").stderr


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
    "tools show rc": ["rclone"],
    "transfers create a:/x b:/x grid": ["gridftp"],
    "plan --target session/": ["session/s"],
    "plan --exclude transfer": ["transfer/t"],
    "apply --replace ": ["s"],
    "plan --out ": [":files"],
    "fmt ": [":files"],
    "plan -o ": ["text", "wide", "json", "jsonl", "markdown", "github", "sarif", "junit"],
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


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """A site with session s, and an environment in which the program is installed."""
    write_state(tmp_path)
    (tmp_path / "bin").mkdir()
    installed_program = tmp_path / "bin/dtnctl"
    installed_program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dtnctl "$@"\n')
    installed_program.chmod(0o755)
    return environment(PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin", HOME=str(tmp_path), TERM="dumb")


ASKING = {
    "bash": """
        source <(dtnctl completion bash)
        complete -p dtnctl > /dev/null || exit 3
        COMP_WORDS=(dtnctl sessions show ""); COMP_CWORD=3; _dtnctl; echo "${COMPREPLY[@]}"
    """,
    "zsh": """
        autoload -Uz compinit; compinit -u -D
        source <(dtnctl completion zsh)
        [[ $_comps[dtnctl] = _dtnctl ]] || exit 3
        _describe() { print -l -- "${(@P)3}" }
        words=(dtnctl sessions show ""); CURRENT=4; _dtnctl
    """,
    "fish": "dtnctl completion fish | source; complete -C 'dtnctl sessions show '",
}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_each_shell_loads_its_script_and_completes_with_it(tmp_path: Path, shell: str, installed: dict[str, str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    quiet = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    ran = subprocess.run([shell, *quiet, "-c", ASKING[shell]], cwd=tmp_path, text=True, capture_output=True, check=False, env=installed)
    assert (ran.returncode, ran.stdout.split(), ran.stderr) == (0, ["s"], "")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_script_of_each_shell_is_one_that_it_reads(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    ran = subprocess.run([shell, "-n"], input=SCRIPTS[Shell(shell)], text=True, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
