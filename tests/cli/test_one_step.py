"""`--apply` of the commands that write state files: one step for people, and nothing half done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.small_site import environment, run, two_engines
from tests.fakes.engine import World
from tests.repository.branching import commit, git
from tests.shell.terminals import terminal

PROGRAM = (sys.executable, "-m", "dtnctl")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with two_engines(tmp_path) as made:
        git(tmp_path, "init", "--quiet")
        git(tmp_path, "config", "user.name", "ann")
        git(tmp_path, "config", "user.email", "ann@example.net")
        commit(tmp_path, "first")
        yield made


def containers(world: World, engine: str = "a") -> dict[str, str]:
    found = world.engine(engine).state.containers.values()
    return {item.name: "running" if item.running else "exited" for item in found if "control" not in item.name}


def hook(root: Path, text: str) -> None:
    """A program that Git runs before each commit."""
    file = root / ".git/hooks/pre-commit"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def commit_more(root: Path) -> None:
    """A second session, t."""
    (root / "state/sessions/t.yaml").write_text("endpoints: [a]\nimage: app:1\nprofile: p\n")
    commit(root, "more")


def test_a_session_is_written_committed_and_applied_alone(world: World, tmp_path: Path) -> None:
    done = run(tmp_path, "session", "create", "a", "--image", "app:1", "--name", "n", "--state", "started", "--apply", "--yes", "--commit")
    assert done.returncode == 0, done.stderr
    assert 'Initialized new session "n" (state/sessions/n.yaml)' in done.stdout
    assert "committed state/sessions/n.yaml as " in done.stdout
    assert set(containers(world)) == {"small.n"}, "session s is declared, and this is not about it"
    assert git(tmp_path, "log", "-1", "--format=%s") == "session create n"
    history = run(tmp_path, "history", "--offline").stdout
    assert git(tmp_path, "rev-parse", "--short=7", "HEAD") in history, "the run is one of the commit"


def test_a_session_is_stopped_and_deleted_in_one_step(world: World, tmp_path: Path) -> None:
    assert run(tmp_path, "apply", "--yes").returncode == 0
    assert run(tmp_path, "session", "stop", "s", "--apply", "--yes").returncode == 0
    assert containers(world) == {"small.s": "exited"}
    assert run(tmp_path, "session", "delete", "s", "--apply", "--yes").returncode == 0
    assert containers(world) == {}
    assert not (tmp_path / "state/sessions/s.yaml").exists()


def test_what_is_refused_leaves_files_and_endpoints_as_they_were(world: World, tmp_path: Path) -> None:
    before = (tmp_path / "state/sessions/s.yaml").read_bytes()
    done = run(tmp_path, "session", "stop", "s", "--apply", "--commit")
    assert (done.returncode, "no terminal to ask on; pass --yes" in done.stderr) == (64, True)
    assert "state/sessions/s.yaml: as before" in done.stderr
    assert (tmp_path / "state/sessions/s.yaml").read_bytes() == before
    assert git(tmp_path, "log", "--format=%s") == "first"
    assert containers(world) == {}


def test_a_plan_that_is_blocked_leaves_the_files_as_they_were(world: World, tmp_path: Path) -> None:
    assert run(tmp_path, "apply", "--yes").returncode == 0
    file = tmp_path / "state/sessions/s.yaml"
    file.write_text(f"{file.read_text()}protect: true\n")
    assert run(tmp_path, "apply", "--yes").returncode == 0
    before = file.read_text()
    done = run(tmp_path, "session", "stop", "s", "--apply", "--yes")
    assert done.returncode == 4, done.stderr
    assert file.read_text() == before
    assert containers(world)["small.s"] == "running"


def test_one_mistyped_name_of_several_writes_none(world: World, tmp_path: Path) -> None:
    done = run(tmp_path, "session", "stop", "s", "clmate", "--apply", "--yes")
    assert (done.returncode, "there is no session clmate" in done.stderr) == (64, True)
    assert "stopped" not in (tmp_path / "state/sessions/s.yaml").read_text()
    assert containers(world) == {}


def test_a_commit_that_git_refuses_is_followed_by_no_run(world: World, tmp_path: Path) -> None:
    hook(tmp_path, "echo not today >&2; exit 1")
    done = run(tmp_path, "session", "stop", "s", "--apply", "--yes", "--commit")
    assert (done.returncode, "not today" in done.stderr) == (64, True)
    assert containers(world) == {}
    assert "stopped" not in (tmp_path / "state/sessions/s.yaml").read_text()


def test_several_sessions_are_one_commit_or_none(world: World, tmp_path: Path) -> None:
    commit_more(tmp_path)
    hook(tmp_path, "git diff --cached --name-only | grep -q t.yaml && { echo not today >&2; exit 1; }\nexit 0")
    done = run(tmp_path, "session", "stop", "s", "t", "--apply", "--yes", "--commit")
    assert (done.returncode, "not today" in done.stderr) == (64, True), done.stderr
    assert git(tmp_path, "log", "-1", "--format=%s") == "more"
    assert git(tmp_path, "status", "--porcelain") == ""
    hook(tmp_path, "exit 0")
    assert run(tmp_path, "session", "stop", "s", "t", "--apply", "--yes", "--commit").returncode == 0
    assert git(tmp_path, "log", "-1", "--format=%s") == "session stop s; session stop t"
    assert git(tmp_path, "show", "--name-only", "--format=").split() == ["state/sessions/s.yaml", "state/sessions/t.yaml"]


def test_what_others_write_meanwhile_stays_after_a_no(world: World, tmp_path: Path) -> None:
    commit_more(tmp_path)
    before = (tmp_path / "state/sessions/s.yaml").read_text()
    hook(tmp_path, "echo '# ann' >>state/sessions/t.yaml; echo 'endpoints: [a]' >state/sessions/new.yaml; exit 1")
    done = run(tmp_path, "session", "stop", "s", "--apply", "--yes", "--commit")
    assert (done.returncode, "state/sessions/s.yaml: as before" in done.stderr) == (64, True), done.stderr
    assert (tmp_path / "state/sessions/s.yaml").read_text() == before
    assert (tmp_path / "state/sessions/t.yaml").read_text().endswith("# ann\n")
    assert (tmp_path / "state/sessions/new.yaml").read_text() == "endpoints: [a]\n"


def test_a_file_that_somebody_else_wrote_meanwhile_is_left_and_named(world: World, tmp_path: Path) -> None:
    hook(tmp_path, "echo '# ann' >>state/sessions/s.yaml; exit 1")
    done = run(tmp_path, "session", "stop", "s", "--apply", "--yes", "--commit")
    assert (done.returncode, "s.yaml: somebody changed it meanwhile, so it is not restored" in done.stderr) == (64, True), done.stderr
    assert "as before" not in done.stderr
    assert (tmp_path / "state/sessions/s.yaml").read_text().endswith("state: stopped\n# ann\n")


def test_one_session_named_twice_is_restored_to_what_it_was(world: World, tmp_path: Path) -> None:
    before = (tmp_path / "state/sessions/s.yaml").read_text()
    assert run(tmp_path, "session", "stop", "s", "s", "--apply").returncode == 64
    assert (tmp_path / "state/sessions/s.yaml").read_text() == before


def test_what_is_so_already_is_committed_without_a_question(world: World, tmp_path: Path) -> None:
    assert run(tmp_path, "apply", "--yes").returncode == 0
    done = run(tmp_path, "session", "start", "s", "--apply", "--commit")
    assert done.returncode == 0, done.stderr
    assert git(tmp_path, "log", "-1", "--format=%s") == "session start s"
    assert containers(world) == {"small.s": "running"}


def test_yes_without_apply_is_a_mistake(world: World, tmp_path: Path) -> None:
    done = run(tmp_path, "session", "stop", "s", "--yes")
    assert (done.returncode, "--yes answers the question of --apply" in done.stderr) == (64, True)
    assert containers(world) == {}


@pytest.mark.parametrize(("answer", "code", "there"), [("yes", 0, {"small.s": "running"}), ("no", 64, {})])
def test_a_person_is_asked(world: World, tmp_path: Path, answer: str, code: int, there: dict[str, str]) -> None:
    with terminal([*PROGRAM, "session", "start", "s", "--apply"], tmp_path, environment(TERM="dumb", CI="")) as screen:
        screen.wait_for("Type 'yes' to carry this out: ")
        screen.press(f"{answer}\r")
        assert screen.end() == code
    assert containers(world) == there
    assert ("state: started" in (tmp_path / "state/sessions/s.yaml").read_text()) is (answer == "yes")
