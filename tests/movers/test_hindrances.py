"""What would not arrive, or could not be written: the real `find` on real trees, as a user who is not root, and what is said about it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Entry, Listing
from dtnctl.movers.hindrances import (
    Hindrances,
    destination_command,
    destination_refusal,
    left_out,
    of_selected,
    read_hindrances,
    source_command,
    source_refusal,
)
from dtnctl.movers.listing import list_command, read_listing

NOBODY = 65534


FOLLOW = TransferOptions(links="follow")


@pytest.fixture
def tree() -> Iterator[Path]:
    """A folder that another user may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    user = NOBODY if os.geteuid() == 0 else None  # root may read everything
    return subprocess.run(list(command), capture_output=True, check=False, user=user)


def found(tree: Path, *, follow: bool = False, below: bool = True) -> Hindrances:
    return read_hindrances(run(source_command(str(tree), tree=below, follow=follow)).stdout)


def followed(tree: Path) -> Listing:
    ran = run(list_command(str(tree), tree=True))
    return read_listing(ran.stdout, ran.stderr, ran.returncode, tree=True)


def test_everything_of_a_tree_that_cannot_be_read_is_named(tree: Path) -> None:
    for name, mode in (("open", 0o644), ("secret", 0o000), ("a b\nc", 0o200)):
        (tree / name).write_text("x")
        (tree / name).chmod(mode)
    for name, mode in (("unlisted", 0o711), ("unentered", 0o744), ("shut", 0o700 if os.geteuid() == 0 else 0o000)):
        (tree / name).mkdir()
        (tree / name / "inner").write_text("x")
        (tree / name).chmod(mode if os.geteuid() == 0 else mode & 0o077)
    assert found(tree).closed == ("a b\nc", "secret", "shut", "unentered", "unlisted")
    for name in ("unlisted", "unentered", "shut"):
        (tree / name).chmod(0o755)


def test_a_single_file_that_cannot_be_read_is_found_and_a_folder_is_not_walked_for_it(tree: Path) -> None:
    (tree / "secret").touch(mode=0o000)
    assert found(tree / "secret", below=False).closed == ("",)
    assert found(tree, below=False) == Hindrances()


def test_links_are_named_or_followed_and_special_files_are_named(tree: Path) -> None:
    (tree / "run2").mkdir()
    (tree / "run2/f").write_text("x")
    (tree / "latest").symlink_to("run2")
    (tree / "file").symlink_to("run2/f")
    (tree / "broken").symlink_to("nowhere")
    (tree / "round").symlink_to("round")
    os.mkfifo(tree / "pipe")
    assert found(tree) == Hindrances(links=("broken", "file", "latest", "round"), special=(("pipe", "pipe"),))
    (tree / "round").unlink()
    assert found(tree, follow=True) == Hindrances(links=("broken",), special=(("pipe", "pipe"),))


def test_a_path_that_is_itself_a_link_is_followed(tree: Path) -> None:
    (tree / "run2").mkdir()
    (tree / "latest").symlink_to("run2")
    assert found(tree / "latest") == Hindrances()


def test_a_folder_beside_a_link_to_it_is_refused_because_it_arrives_under_one_name(tree: Path) -> None:
    (tree / "run2").mkdir()
    (tree / "latest").symlink_to("run2")
    reason = source_refusal(found(tree, follow=True), followed(tree), FOLLOW)
    assert reason == "has one folder under two names, 'latest' and 'run2', and GridFTP copies it under one of them alone"


def test_links_to_files_and_to_a_folder_outside_may_be_followed(tree: Path) -> None:
    (tree / "in/run2").mkdir(parents=True)
    (tree / "in/f").write_text("x")
    (tree / "in/g").symlink_to("f")
    (tree / "out").mkdir()
    (tree / "in/out").symlink_to("../out")
    assert source_refusal(found(tree / "in", follow=True), followed(tree / "in"), FOLLOW) == ""


def test_a_loop_of_links_cannot_be_listed_so_it_is_never_started(tree: Path) -> None:
    (tree / "up").symlink_to(".")
    assert followed(tree).kind == "unknown"
    assert "loop" in followed(tree).problem


def test_what_is_at_the_destination_and_cannot_be_written_is_named(tree: Path) -> None:
    (tree / "kept").mkdir(mode=0o755)
    (tree / "free").mkdir()
    (tree / "free").chmod(0o777)
    for name, mode in (("kept/f", 0o444), ("free/f", 0o444), ("free/g", 0o666)):
        (tree / name).write_text("x")
        (tree / name).chmod(mode if os.geteuid() == 0 else mode & 0o444)
    closed = read_hindrances(run(destination_command(str(tree), tree=True)).stdout).closed
    assert closed == (("", "free/f", "kept", "kept/f") if os.geteuid() == 0 else closed)
    assert "free/f" in closed


NAMES = tuple(f"n{number}" for number in range(5))


@pytest.mark.parametrize(
    ("hindrances", "follow", "reason"),
    [
        (Hindrances(), False, ""),
        (Hindrances(closed=("secret",), links=("l",)), False, "has what its user may not read: 'secret'"),
        (Hindrances(closed=("",)), False, "has what its user may not read: itself"),
        (Hindrances(closed=NAMES), False, "has what its user may not read: 'n0', 'n1', 'n2' and 2 more"),
        (
            Hindrances(links=("l",)),
            False,
            "has links: 'l'; write `links: follow` to copy what they lead to, `links: omit` to leave them out, or remove them",
        ),
        (Hindrances(links=("l",)), True, "has links that lead nowhere: 'l'"),
        (Hindrances(links=("",)), False, ""),
        (Hindrances(special=(("pipe", "pipe"),)), False, ""),
    ],
)
def test_a_source_is_refused_with_the_first_names(hindrances: Hindrances, follow: bool, reason: str) -> None:
    assert source_refusal(hindrances, Listing("folder"), FOLLOW if follow else TransferOptions()) == reason


FOLDER, FILE = Entry(0, "1", is_folder=True), Entry(1, "1")
SOURCE = Listing("folder", {"": FOLDER, "a": FOLDER, "a/f": FILE, "g": FILE})


@pytest.mark.parametrize(
    ("closed", "there", "reason"),
    [
        ((), {"": FOLDER}, ""),
        (("",), {"": FOLDER}, "has what its user may not write: itself"),
        (("a",), {"": FOLDER, "a": FOLDER}, "has what its user may not write: 'a'"),
        (("a", "a/f"), SOURCE.entries, "has what its user may not write: 'a/f'"),
        (("a",), SOURCE.entries, ""),
        (("other", "other/f"), {"": FOLDER, "other": FOLDER, "other/f": FILE}, ""),
    ],
)
def test_a_destination_is_refused_where_something_of_the_source_would_have_to_be_written(
    closed: tuple[str, ...], there: dict[str, Entry], reason: str
) -> None:
    assert destination_refusal(Hindrances(closed=closed), Listing("folder", there), SOURCE) == reason


def test_a_single_file_that_may_not_be_overwritten_is_refused() -> None:
    one = Listing("file", {"": FILE})
    assert destination_refusal(Hindrances(closed=("",)), one, one) == "has what its user may not write: itself"


def test_what_is_left_out_is_named_with_its_kind() -> None:
    assert left_out(Hindrances()) == ""
    assert left_out(Hindrances(special=(("p", "pipe"), ("s", "socket")))) == "leaves out what is no file: 'p', 's' (pipe, socket)"


def test_links_that_are_left_out_are_named_with_what_is_no_file() -> None:
    seen = Hindrances(links=("a", "z"), special=(("p", "pipe"),))
    omitting = of_selected(seen, TransferOptions(links="omit"))
    assert source_refusal(omitting, Listing("folder"), TransferOptions(links="omit")) == ""
    assert left_out(omitting) == "leaves out what is no file: 'a', 'p', 'z' (link, pipe)"


def test_what_is_not_copied_is_in_no_ones_way() -> None:
    seen = Hindrances(links=("a/x", "b/x"), closed=("a/y", "b/y"), special=(("a/z", "pipe"), ("b/z", "pipe")))
    assert of_selected(seen, TransferOptions(exclude=("b",))) == Hindrances(("a/x",), ("a/y",), (("a/z", "pipe"),))
    assert of_selected(seen, TransferOptions()) == seen


def test_a_file_that_may_not_be_read_may_be_skipped() -> None:
    assert source_refusal(Hindrances(closed=("a",)), Listing("folder"), TransferOptions(on_file_error="skip")) == ""
