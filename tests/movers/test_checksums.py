"""Checksums of the files at an end, computed by real programs."""

from __future__ import annotations

import hashlib
import subprocess
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.checksums import AlgorithmChoice
from dtnctl.movers.checksums import (
    LONGEST_ARGUMENTS,
    Speeds,
    checksum_commands,
    checksum_of_all,
    checksum_program_command,
    choose_algorithm,
    read_checksums,
    read_speeds,
    speed_command,
)


def _checksum(algorithm: str, content: bytes) -> str:
    return f"{zlib.adler32(content):08x}" if algorithm == "adler32" else hashlib.new(algorithm, content).hexdigest()


@pytest.mark.parametrize(
    ("algorithm", "names"),
    [("md5", ["a", "sub/b c", "-d", "back\\slash"]), ("sha256", ["a"]), ("sha512", ["sub/b c"]), ("adler32", ["a", "-d", "sub/b c"])],
)
def test_checksums_are_those_of_the_files(tmp_path: Path, algorithm: str, names: list[str]) -> None:
    (tmp_path / "sub").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    ((command, part),) = checksum_commands(str(tmp_path), names, algorithm)
    ran = subprocess.run(command, capture_output=True, check=True)
    expected = {name: _checksum(algorithm, name.encode()) for name in names}
    assert read_checksums(ran.stdout, part, algorithm) == expected


def test_one_file_is_summed_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    assert list(checksum_commands(f"{tmp_path}/f", [""], "md5")) == [(("md5sum", "--", f"{tmp_path}/f"), [""])]
    ((command, part),) = checksum_commands(f"{tmp_path}/f", [""], "adler32")
    ran = subprocess.run(command, capture_output=True, check=True)
    assert read_checksums(ran.stdout, part, "adler32") == {"": "00790079"}


class Programs:
    """A folder for PATH with programs of xrootd-client as far as scripts see them: they read standard input alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, arguments: str) -> None:
        program = self.folder / name
        program.write_text(f'#!/bin/sh\n[ "$*" = "{arguments}" ] || exit 9\nread -r word\necho "$word -"\n')
        program.chmod(0o755)

    def run(self, command: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(command, capture_output=True, env={"PATH": str(self.folder)}, check=False)


@pytest.mark.parametrize(("algorithm", "program", "arguments"), [("adler32", "xrdadler32", ""), ("crc32c", "xrdcrc32c", "-")])
def test_the_fast_algorithms_read_the_data_and_no_checksum_that_a_file_carries(
    tmp_path: Path, algorithm: str, program: str, arguments: str
) -> None:
    """xrdadler32 believes a checksum in an extended attribute of a file whose name it is given."""
    programs = Programs(tmp_path)
    (tmp_path / "a").write_text("0000000a\n")
    (tmp_path / "b c").write_text("0000000b\n")
    ((command, part),) = checksum_commands(str(tmp_path), ["a", "b c"], algorithm)
    assert programs.run(checksum_program_command(algorithm)).returncode != 0
    assert programs.run(command).returncode != 0
    programs.add(program, arguments)
    assert programs.run(checksum_program_command(algorithm)).returncode == 0
    assert read_checksums(programs.run(command).stdout, part, algorithm) == {"a": "0000000a", "b c": "0000000b"}
    ((command, part),) = checksum_commands(str(tmp_path), ["a", "gone"], algorithm)
    assert programs.run(command).returncode != 0


def test_no_program_is_looked_for_that_every_image_has() -> None:
    assert checksum_program_command("md5") == ()


@pytest.mark.parametrize("algorithm", ["md5", "sha512", "adler32"])
def test_the_checksum_of_a_tree_is_that_of_the_lines_of_its_list(algorithm: str) -> None:
    sums = {"b": "2", "a": "1"}
    assert checksum_of_all(sums, algorithm) == _checksum(algorithm, b"1  a\n2  b\n")
    assert checksum_of_all({"": "5"}, algorithm) == "5"


def test_the_crc32c_of_a_tree_is_that_of_the_lines_of_its_list_too() -> None:
    """xrdcrc32c printed the same of these lines."""
    assert checksum_of_all({"b": "2", "a": "1"}, "crc32c") == "d6390c7c"


@given(st.lists(st.text("abc/", min_size=1, max_size=300), max_size=900))
def test_many_files_are_summed_in_commands_that_are_not_too_long(names: list[str]) -> None:
    commands = list(checksum_commands("/data", names, "md5"))
    assert [name for _, part in commands for name in part] == names
    assert all(sum(map(len, command)) < LONGEST_ARGUMENTS + 1000 for command, _ in commands)


def test_no_files_need_no_command() -> None:
    assert list(checksum_commands("/data", [], "md5")) == []


@pytest.mark.parametrize("output", [b"", b"d41d8cd98f00b204e9800998ecf8427e  a\n", b"xx  a\nyy  b\n"])
def test_checksums_that_are_not_one_for_each_file_are_refused(output: bytes) -> None:
    with pytest.raises(ValueError, match=r"checksums? for 2 files"):
        read_checksums(output, ["a", "b"], "md5")


@pytest.mark.parametrize(
    ("declared", "size", "there", "chosen"),
    [
        ("sha256", 2**40, "crc32c adler32", "sha256"),
        ("auto", 2**30 - 1, "crc32c adler32", "md5"),
        ("auto", 2**30, "crc32c adler32", "crc32c"),
        ("auto", 2**30, "adler32", "adler32"),
        ("auto", 2**40, "", "md5"),
    ],
)
def test_auto_takes_a_fast_algorithm_for_much_data_if_both_images_have_it(
    declared: AlgorithmChoice, size: int, there: str, chosen: str
) -> None:
    assert choose_algorithm(declared, size, lambda algorithm: algorithm in there.split(), list) == chosen


@pytest.mark.parametrize(
    ("here", "there", "chosen"),
    [
        ({"md5": 3e8, "sha256": 5e8}, {"md5": 4e8, "sha256": 9e8}, "sha256"),
        ({"md5": 3e8, "sha256": 5e8}, {"md5": 4e8, "sha256": 2e8}, "md5"),
        ({"md5": 3e8, "sha256": 5e8}, {}, "md5"),
        ({}, {}, "md5"),
    ],
)
def test_the_slower_end_decides_between_measured_algorithms(here: Speeds, there: Speeds, chosen: str) -> None:
    asked: list[str] = []

    def measure() -> list[Speeds]:
        asked.append("")
        return [here, there]

    assert choose_algorithm("measured", 2**30, lambda _: True, measure) == chosen
    assert choose_algorithm("measured", 2**30 - 1, lambda _: True, measure) == "md5"
    assert len(asked) == 1


def test_the_speed_of_every_measured_algorithm_is_found_by_running_it() -> None:
    ran = subprocess.run(speed_command(), capture_output=True, check=True)
    found = read_speeds(ran.stdout)
    assert list(found) == ["md5", "sha256"]
    assert all(speed > 1e6 for speed in found.values())


@pytest.mark.parametrize("output", [b"", b"12\n", b"12\n" + b"9" * 400 + b"\n", b"1\n" + b"9" * 5000, b"12\n0\n", b"12\nN\n", b"1\n2\n3\n"])
def test_what_is_no_time_for_each_is_no_speed(output: bytes) -> None:
    assert read_speeds(output) == {}
