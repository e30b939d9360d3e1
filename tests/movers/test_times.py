"""Times of change that are set at the destination, with the real touch."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dtnctl.movers.base import Entry, Evidence, Listing
from dtnctl.movers.checksums import LONGEST_ARGUMENTS
from dtnctl.movers.times import time_commands, times_to_set

TIMES = {"-a": "1000000000.1234567890", "b c": "5", "sub/d": "1600000000.5000000000"}


def test_a_trees_files_get_their_times_to_the_nanosecond(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in TIMES:
        (tmp_path / name).write_text("x")
    (command,) = time_commands(f"{tmp_path}/", TIMES)
    subprocess.run(command, check=True)
    assert [(tmp_path / name).stat().st_mtime_ns for name in TIMES] == [1000000000123456789, 5 * 10**9, 1600000000500000000]


def test_one_file_is_named_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "-f").write_text("x")
    (command,) = time_commands(f"{tmp_path}/-f", {"": "7"})
    subprocess.run(command, check=True)
    assert (tmp_path / "-f").stat().st_mtime == 7


def test_a_time_that_cannot_be_set_is_a_failure_and_the_others_are_set(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (command,) = time_commands(f"{tmp_path}/", {"a": "no time", "b": "5", "c": "6"})
    ran = subprocess.run(command, capture_output=True, check=False)
    assert ran.returncode == 1
    assert b"invalid date" in ran.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "a"], "touch makes no file that is not there"
    assert subprocess.run(next(time_commands(f"{tmp_path}/gone/", {"a": "5"})), capture_output=True, check=False).returncode != 0


def test_many_files_need_commands_that_are_not_too_long() -> None:
    names = [f"{number:05}" + "x" * 100 for number in range(3000)]
    commands = list(time_commands("/data/", dict.fromkeys(names, "1600000000.5000000000")))
    assert [name for command in commands for name in command[6::2]] == names
    assert all(sum(map(len, command)) < LONGEST_ARGUMENTS + 1000 for command in commands)
    assert list(time_commands("/data/", {})) == []


def test_what_has_its_time_already_is_not_touched() -> None:
    source = Listing("folder", {"": Entry(0, "1", is_folder=True), "a": Entry(1, "5"), "b": Entry(1, "6")})
    there = Listing("folder", {"": Entry(0, "9", is_folder=True), "a": Entry(1, "5"), "b": Entry(1, "7")})
    assert times_to_set(Evidence(0, "", before=source, destination=there)) == {"b": "6"}
    assert times_to_set(Evidence(0, "", source=source)) == {"a": "5", "b": "6"}
    assert times_to_set(Evidence(0, "")) == {}
