"""Whether a copy would empty what it reads: real files, hard links, symbolic links and folders inside each other."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.model.transfer_items import Item
from dtnctl.movers.base import Entry, Listing
from dtnctl.movers.listing import list_command, read_listing
from dtnctl.movers.sameness import into_itself, one_thing


def look(path: Path, *, tree: bool) -> Listing:
    ran = subprocess.run(
        list_command(str(path), tree=tree), capture_output=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, check=False
    )
    return read_listing(ran.stdout, ran.stderr, ran.returncode, tree=tree)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """in/ has x and sub/y; what the tests add stands beside it."""
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "in/x").write_bytes(b"x")
    (tmp_path / "in/sub/y").write_bytes(b"y")
    (tmp_path / "out").mkdir()
    return tmp_path


def on_other_host(listing: Listing) -> Listing:
    """The same files as another host of the file system sees them: with another device."""

    def renumbered(entry: Entry) -> Entry:
        return replace(entry, identity=f"77 {entry.identity.split()[1]}")

    root = renumbered(listing.root) if listing.root is not None else None
    return replace(listing, root=root, entries={name: renumbered(entry) for name, entry in listing.entries.items()})


def judged(source: Path, destination: Path, *, tree: bool) -> set[str]:
    """By a service of the same host, and by one of another host that shares the file system."""
    here, there = look(source, tree=tree), look(destination, tree=tree)
    return {one_thing(here, there, one_host=True), one_thing(here, on_other_host(there), one_host=False)}


def test_another_file_is_not_the_same(data: Path) -> None:
    (data / "out/x").write_bytes(b"x")
    assert judged(data / "in/x", data / "out/x", tree=False) == {""}
    assert judged(data / "in", data / "out", tree=True) == {""}
    assert judged(data / "in/x", data / "missing", tree=False) == {""}


def test_one_file_is_known_by_any_name(data: Path) -> None:
    (data / "hard").hardlink_to(data / "in/x")
    (data / "soft").symlink_to("in/x")
    for name in ("in/x", "in/../in/x", "hard", "soft"):
        assert judged(data / "in/x", data / name, tree=False) == {"is what is copied itself"}, name


def test_a_folder_is_known_by_any_name_and_from_inside_and_outside(data: Path) -> None:
    (data / "way").symlink_to("in")
    assert judged(data / "in", data / "way", tree=True) == {"is what is copied itself"}
    assert judged(data / "in", data / "way/sub", tree=True) == {"is inside of what is copied"}
    (data / "out/back").symlink_to("../in")
    assert judged(data / "in", data / "out", tree=True) == {"contains what is copied"}


def test_a_link_below_the_destination_that_leads_to_a_file_of_the_source_is_found(data: Path) -> None:
    (data / "out/sub").mkdir()
    (data / "out/sub/y").hardlink_to(data / "in/x")
    assert judged(data / "in", data / "out", tree=True) == {"has 'sub/y', which is a file of what is copied itself"}


def test_equal_numbers_on_two_hosts_alone_are_no_identity() -> None:
    """The first file of two new file systems: device and inode are equal, the nanosecond of the change is not."""
    roots = [Entry(5, "1", identity="8 12", trace=f"12 5 17{number}") for number in (1, 2)]
    here, there = (Listing("file", {"": root}, root=root) for root in roots)
    assert one_thing(here, there, one_host=False) == ""
    assert one_thing(here, there, one_host=True) == "is what is copied itself"


def of_items(source: Path, destination: Path, *items: Item) -> set[str]:
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    commands = (
        list_command(str(source), tree=True, items=items, side="source"),
        list_command(str(destination), tree=True, items=items, side="destination"),
    )
    ran = [subprocess.run(command, capture_output=True, env=env, check=False) for command in commands]
    here, there = (read_listing(done.stdout, done.stderr, done.returncode, tree=True) for done in ran)
    return {into_itself(here, there, items, one_host=True), into_itself(here, on_other_host(there), items, one_host=False)}


def test_a_folder_of_items_is_not_copied_into_itself(data: Path) -> None:
    (data / "in/sub/deep").mkdir()
    (data / "in/next").mkdir()
    assert of_items(data / "in", data / "in/sub/deep", Item("sub/", "c/")) == {"is inside of a folder that is copied"}
    assert of_items(data / "in", data, Item("sub/", "in/sub/c/")) == {"has 'in/sub', which is a folder that is copied"}
    assert of_items(data / "in", data, Item("x", "in/sub/x"), Item("sub/", "out/")) == {"has 'in/sub', which is a folder that is copied"}


def test_items_beside_each_other_may_share_a_folder(data: Path) -> None:
    (data / "in/next").mkdir()
    assert of_items(data / "in", data / "in/next", Item("sub/", "c/"), Item("x", "new/x")) == {""}
    assert of_items(data / "in", data / "in/sub", Item("sub/y", "z"), Item("sub/", "", "*.nc")) == {""}
    assert of_items(data / "in", data / "out", Item("sub/", "c/")) == {""}
