"""What is seen of a folder where a transfer has items: the real `find` on real trees."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from dtnctl.model.transfer_items import Item
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Listing
from dtnctl.movers.hindrances import of_selected, read_hindrances, source_command
from dtnctl.movers.listing import list_command, read_listing

ITEMS = (Item("run7/a b.nc", "new.nc"), Item("calib/", "c/"), Item("run8/", "run8/", "*.nc"), Item("gone", "gone"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("run7/a b.nc", "run7/other", "calib/x/y", "run8/1.nc", "run8/2.txt", "far/away"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(list(command), capture_output=True, check=False)


def seen(path: Path, items: tuple[Item, ...], *, follow: bool = True) -> Listing:
    ran = run(list_command(str(path), tree=True, follow=follow, items=items))
    return read_listing(ran.stdout, ran.stderr, ran.returncode, tree=True)


def test_items_are_listed_alone_with_the_folders_above_them(tree: Path) -> None:
    found = seen(tree, ITEMS)
    assert found.files == {"calib/x/y": 9, "run7/a b.nc": 11, "run8/1.nc": 9, "run8/2.txt": 10}
    assert found.folders == {"", "calib", "calib/x", "run7", "run8"}
    assert found.root == seen(tree, ()).root
    assert found.entries["run7/a b.nc"] == seen(tree, ()).entries["run7/a b.nc"]


def test_a_pattern_of_the_folder_itself_lists_all_of_it(tree: Path) -> None:
    assert seen(tree, (Item("", "", "*/a*"),)).files == seen(tree, ()).files


def test_a_folder_that_is_not_there_is_missing(tree: Path) -> None:
    assert seen(tree / "nothing", ITEMS).kind == "missing"


def test_links_on_the_way_to_an_item_are_links_of_it(tree: Path) -> None:
    (tree / "run9").symlink_to("run7")
    (tree / "run8" / "latest.nc").symlink_to("1.nc")
    items = (*ITEMS, Item("run9/other", "o"))
    options = TransferOptions(recursive=True, items=items)
    ran = run(source_command(str(tree), tree=True, follow=False, items=items))
    assert of_selected(read_hindrances(ran.stdout), options).links == ("run8/latest.nc", "run9")
    assert seen(tree, items, follow=False).others == 2
