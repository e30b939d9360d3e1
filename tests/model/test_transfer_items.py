"""Items of a transfer: what people may write, which files they cover, and to which names these go."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dtnctl.model.transfer import Transfer
from dtnctl.model.transfer_items import Item, TransferItem, item_of, matches, read_item, targets_of

COPY = {"from": "a:/data/", "to": "b:/archive/", "tool": "gridftp"}


def transfer(*items: object) -> Transfer:
    return Transfer.model_validate({**COPY, "items": list(items)})


@pytest.mark.parametrize(
    ("written", "item"),
    [
        ("run7/a.nc", Item("run7/a.nc", "run7/a.nc")),
        ({"from": "run7/a.nc", "to": "b.nc"}, Item("run7/a.nc", "b.nc")),
        ({"from": "run7/a.nc", "to": "2026/"}, Item("run7/a.nc", "2026/a.nc")),
        ({"from": "run7/a.nc", "to": "/archive/"}, Item("run7/a.nc", "a.nc")),
        ({"from": "/data/run7/a.nc", "to": "/archive/b.nc"}, Item("run7/a.nc", "b.nc")),
        ("calib/", Item("calib/", "calib/")),
        ({"from": "calib/", "to": "2026/calib/"}, Item("calib/", "2026/calib/")),
        ({"from": "calib/", "to": "/archive/"}, Item("calib/", "")),
        ("run7/*.nc", Item("run7/", "run7/", "*.nc")),
        ("*.nc", Item("", "", "*.nc")),
        ({"from": "run[78]/**/x.nc", "to": "x/"}, Item("", "x/", "run[78]/**/x.nc")),
        ("run7/[x]*/", Item("run7/", "run7/", "[x]*")),
    ],
)
def test_an_item_is_a_file_a_folder_or_a_pattern(written: object, item: Item) -> None:
    settings = transfer(written).settings
    assert settings.items == (item,)
    assert settings.recursive


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"from": "/scratch/a"}, "`/scratch/a` is not below /data/, the `from` of the transfer"),
        ({"from": "a", "to": "/data/a"}, "`/data/a` is not below /archive/, the `to` of the transfer"),
        ({"from": "../a"}, "`../a` is no name below /data/; write it from there on, such as `2026/a.nc`"),
        ({"from": "a//b"}, "`a//b` is no name below /data/"),
        ({"from": "/data/"}, "`/data/` is no name below /data/"),
        ({"from": "a", "to": "./b"}, "`./b` is no name below /archive/"),
        ({"from": "calib/", "to": "c"}, "`calib/` are files of a folder, so its `to` is a folder: `c/`"),
        ({"from": "*.nc", "to": "c"}, "`*.nc` are files of a folder, so its `to` is a folder: `c/`"),
    ],
)
def test_what_is_no_item_says_why(written: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=r"is n|are files") as raised:
        read_item(TransferItem.model_validate(written), "/data/", "/archive/")
    assert str(raised.value).startswith(problem)
    assert transfer(written).pairs == ()


def test_the_first_item_that_covers_a_file_counts() -> None:
    items = transfer({"from": "run7/a.nc", "to": "first.nc"}, "run7/*.nc", {"from": "run7/", "to": "rest/"}).settings.items
    names = ["run7/a.nc", "run7/b.nc", "run7/c/d.nc", "run7/e.txt", "run8/a.nc", "run7"]
    assert targets_of(names, items) == {
        "run7/a.nc": "first.nc",
        "run7/b.nc": "run7/b.nc",
        "run7/c/d.nc": "rest/c/d.nc",
        "run7/e.txt": "rest/e.txt",
    }
    assert item_of("run8/a.nc", items) is None
    assert [str(item) for item in items] == ["run7/a.nc", "run7/*.nc", "run7/"]


def test_without_items_a_file_keeps_its_name() -> None:
    assert targets_of(["a", "b/c"], ()) == {"a": "a", "b/c": "b/c"}


@pytest.mark.parametrize("change", [{"from": "a:/data/x"}, {"to": "b:/archive"}])
def test_items_are_below_two_folders(change: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="`items` are names below two folders: `from` and `to` both end in /"):
        Transfer.model_validate({**COPY, **change, "items": ["x"]})


def test_a_pattern_of_many_parts_is_tried_once_for_each_place() -> None:
    assert not matches(["**", "a"] * 12 + ["b"], ["a"] * 60)
    assert matches(["**", "a"] * 12, ["a"] * 60)
