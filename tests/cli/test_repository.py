"""Where the repository is found from, and what is said where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dtnctl.repository.find import find_repository
from tests.repository.state_folder import write_state
from tests.runtime.program import Result, dtnctl

COUNTED = "ok: 7 files; site lab: 2 endpoints, 1 network, 1 profile, 1 session, 1 transfer\n"


@pytest.mark.parametrize("below", ["state", "state/sessions", "notes/deep/er"])
def test_repository_is_found_from_every_folder_below_it(tmp_path: Path, below: str) -> None:
    write_state(tmp_path)
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    assert dtnctl(tmp_path / below, "validate") == Result(0, COUNTED, f"dtnctl: in {tmp_path}\n")


def test_at_the_root_its_folder_is_not_named(tmp_path: Path) -> None:
    assert dtnctl(write_state(tmp_path), "validate").err == ""


def test_names_in_messages_start_at_the_root_wherever_one_stands(tmp_path: Path) -> None:
    write_state(tmp_path, {"sessions/s.yaml": "imgae: x\n"})
    lines = dtnctl(tmp_path / "state/sessions", "validate").err.splitlines()
    assert lines[0] == f"dtnctl: in {tmp_path}"
    assert lines[1].startswith("state/sessions/s.yaml:1:1: ")


def test_files_that_people_name_are_found_from_where_they_stand(tmp_path: Path) -> None:
    write_state(tmp_path, {"sessions/s.yaml": "profile: p\nimage: dtn:1\nendpoints: [a, b]\n"})
    assert dtnctl(tmp_path / "state/sessions", "fmt", "s.yaml").out == "state/sessions/s.yaml\n"
    assert dtnctl(tmp_path, "-C", "state", "fmt", "sessions/s.yaml") == Result(0, "", f"dtnctl: in {tmp_path}\n")


def test_commands_that_write_write_into_the_repository_and_not_where_one_stands(tmp_path: Path) -> None:
    write_state(tmp_path)
    ran = dtnctl(tmp_path / "state/sessions", "session", "create", "a", "--image", "x:1", "--name", "new")
    assert ran.code == 0, ran.err
    assert (tmp_path / "state/sessions/new.yaml").is_file()
    assert not (tmp_path / "state/sessions/state").exists()


# --- nothing found ------------------------------------------------------------------------------------------


def test_search_ends_at_the_top_of_a_git_repository(tmp_path: Path) -> None:
    """A site above is another repository's."""
    write_state(tmp_path)
    inner = tmp_path / "other/folder"
    inner.mkdir(parents=True)
    (tmp_path / "other/.git").mkdir()
    ran = dtnctl(inner, "validate")
    assert ran.code == 65
    assert f"there is no state/site.yaml in {inner} or above it, up to {tmp_path / 'other'} (the top of its Git repository)" in ran.err


def test_init_is_advised_in_an_empty_folder_only(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    (full / "thesis.txt").write_text("mine\n")
    assert "`dtnctl init` for a new one in this empty folder" in dtnctl(empty, "plan").err
    assert "dtnctl init" not in dtnctl(full, "plan").err
    assert "try -C DIR with the folder of your site's repository" in dtnctl(full, "plan").err


def test_every_command_that_needs_a_site_says_the_same_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine\n")
    needing = ("plan", "status", "fmt", "drift", "sessions list", "sessions start s", "transfers cancel t", "unlock a", "networks list")
    assert {dtnctl(tmp_path, *command.split()).err for command in needing} == {dtnctl(tmp_path, "validate").err}


def test_folder_named_state_above_is_no_repository(tmp_path: Path) -> None:
    """~/.local/state is not a site."""
    (tmp_path / "state").mkdir()
    (tmp_path / "share").mkdir()
    assert "there is no state/site.yaml" in dtnctl(tmp_path / "share", "plan").err


def test_state_without_its_site_file_is_still_the_place_that_one_stands_in(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    assert find_repository(tmp_path, "state") == tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_site_that_a_stranger_put_above_us_is_not_taken(tmp_path: Path) -> None:
    """/tmp/state, made by anyone, would be applied by whoever stands in a folder below /tmp."""
    write_state(tmp_path)
    (tmp_path / "mine").mkdir()
    os.chown(tmp_path / "state", 65534, 65534)
    ran = dtnctl(tmp_path / "mine", "plan")
    assert ran.code == 64
    assert f"{tmp_path / 'state'} belongs to another user; if it is meant: dtnctl -C {tmp_path}" in ran.err
    assert dtnctl(tmp_path, "validate").code == 0  # standing there is meaning it


def test_current_folder_that_was_removed_is_said(tmp_path: Path) -> None:
    import subprocess

    from tests.cli.small_site import PROGRAM, environment

    gone = tmp_path / "gone"
    gone.mkdir()
    ran = subprocess.run(
        ["bash", "-c", f"rmdir {gone}; exec {' '.join(PROGRAM)} plan"],
        cwd=gone,
        text=True,
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (
        64,
        "the current folder does not exist any more; go to another one, or use -C DIR\ndtnctl: usage (64)\n",
    )
