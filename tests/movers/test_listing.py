"""What is at a path, as `stat` and `find` tell it, tried with the real ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.movers.base import Entry, Listing
from dtnctl.movers.listing import list_command, read_lines, read_listing


def look(path: Path | str, *, tree: bool) -> Listing:
    ran = subprocess.run(
        list_command(str(path), tree=tree), capture_output=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, check=False
    )
    return read_listing(ran.stdout, ran.stderr, ran.returncode, tree=tree)


def test_a_file_is_told_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "-x y").write_bytes(b"12345")
    seen = look(tmp_path / "-x y", tree=False)
    assert seen.kind == "file"
    assert seen.files == {"": 5}
    assert seen.bytes == 5


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "zero").touch()
    assert look(tmp_path / "zero", tree=False).files == {"": 0}


@pytest.mark.parametrize("tree", [False, True])
def test_what_is_not_there_is_missing(tmp_path: Path, tree: bool) -> None:
    assert look(tmp_path / "nope", tree=tree).kind == "missing"


@pytest.mark.parametrize(("path", "kind"), [("/dev/null", "other"), ("/", "folder")])
def test_one_thing_has_a_kind(path: str, kind: str) -> None:
    assert look(path, tree=False).kind == kind


def test_a_tree_has_files_and_folders_and_counts_what_is_neither(tmp_path: Path) -> None:
    (tmp_path / "sub/empty").mkdir(parents=True)
    (tmp_path / "sub/a b").write_bytes(b"123")
    (tmp_path / "new\nline").write_bytes(b"1")
    (tmp_path / "link").symlink_to("sub/a b")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / os.fsdecode(b"\xff\xfe")).write_bytes(b"22")
    seen = look(tmp_path, tree=True)
    assert seen.kind == "folder"
    assert seen.files == {"sub/a b": 3, "new\nline": 1, "link": 3, "\udcff\udcfe": 2}
    assert seen.folders == {"", "sub", "sub/empty"}
    assert seen.others == 2
    assert seen.bytes == 9


def test_a_file_asked_for_as_a_tree_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"1")
    assert look(tmp_path / "f", tree=True).kind == "file"
    assert look("/dev/null", tree=True).kind == "other"


def test_two_names_of_one_file_have_one_identity(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "c").touch()
    roots = [look(tmp_path / name, tree=False).root for name in "abc"]
    identities = [root.identity for root in roots if root is not None]
    assert identities[0] == identities[1] != identities[2]
    traces = [root.trace for root in roots if root is not None]
    assert traces[0] == traces[1] != traces[2]


def test_a_tree_has_the_identity_of_its_folder(tmp_path: Path) -> None:
    whole, alone = look(tmp_path, tree=True).root, look(tmp_path, tree=False).root
    assert whole is not None
    assert alone is not None
    assert whole.identity == alone.identity != ""
    assert whole.trace == alone.trace != ""


def test_a_trace_is_what_two_hosts_cannot_have_in_common_by_chance() -> None:
    times = {
        "81a4 7 5 1 12 2026-11-29 03:09:49.120000000 +0000": "12 7 1795921789120000000",
        "81a4 7 5 1 12 2026-11-29 05:09:49.12 +0200": "12 7 1795921789120000000",
        "81a4 7 5 1 12 2026-11-29 03:09:49.000000000 +0000": "",
        "81a4 7 5 1 144115205255725057 2026-11-29 03:09:49 +0000": "144115205255725057 7 1795921789000000000",
        "81a4 7 5 1 12": "",
        "81a4 7 5 1 12 long ago": "",
    }
    found = {line: read_lines(line.encode(), tree=False).root for line in times}
    assert {line: root.trace for line, root in found.items() if root is not None} == times
    tree = read_lines(b"d 0 1.5,1795921789.1200000000 1 12 \0f 7 1.5 1 13 x\0", tree=True).entries
    assert (tree[""].trace, tree["x"].trace, tree["x"].modified) == ("12 0 1795921789120000000", "", "1.5")


@pytest.mark.parametrize(("exit_code", "tree", "name"), [(127, True, "find (GNU)"), (126, False, "stat")])
def test_an_image_without_the_tool_is_a_problem_with_a_name(exit_code: int, tree: bool, name: str) -> None:
    seen = read_listing(b"", b"", exit_code, tree=tree)
    assert seen.kind == "unknown"
    assert name in seen.problem


def test_a_refusal_is_a_problem_in_the_tools_words() -> None:
    seen = read_listing(b"", b"stat: cannot statx '/x': Permission denied\n", 1, tree=False)
    assert (seen.kind, seen.problem) == ("unknown", "stat: cannot statx '/x': Permission denied")
    assert read_listing(b"", b"", 3, tree=True).problem == "exit code 3"


def test_a_tree_that_was_read_only_in_part_is_unknown() -> None:
    seen = read_listing(b"d 0 1.0 1 2 \0", b"find: '/x/y': No such file or directory\n", 1, tree=True)
    assert seen.kind == "unknown"


@pytest.mark.parametrize("tree", [False, True])
@given(output=st.binary(min_size=1, max_size=80))
def test_any_output_is_read_without_a_failure(tree: bool, output: bytes) -> None:
    assert read_listing(output, b"", 0, tree=tree).kind in ("file", "folder", "other", "missing", "unknown")


def test_nothing_written_means_nothing_there() -> None:
    assert read_lines(b"", tree=False) == Listing("missing")
    assert read_lines(b"81a4 7 5 1 2\n", tree=False).entries == {"": Entry(7, "5")}
