"""Which of a folder's files are copied."""

from __future__ import annotations

import pytest

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Entry, Listing
from dtnctl.movers.selection import is_selected, is_selective, selected

NAMES = ("a.nc", "b.txt", "2026/c.nc", "2026/raw/d.nc", "2026/raw/e.txt", "calib/f")


@pytest.mark.parametrize(
    ("include", "exclude", "found"),
    [
        ((), (), "a.nc b.txt 2026/c.nc 2026/raw/d.nc 2026/raw/e.txt calib/f"),
        (("*.nc",), (), "a.nc"),
        (("**/*.nc",), (), "a.nc 2026/c.nc 2026/raw/d.nc"),
        (("2026/*.nc",), (), "2026/c.nc"),
        (("2026/**/*.nc",), (), "2026/c.nc 2026/raw/d.nc"),
        (("calib", "2026/raw/"), (), "2026/raw/d.nc 2026/raw/e.txt calib/f"),
        (("2026/**",), ("2026/raw", "**/*.nc"), ""),
        ((), ("2026",), "a.nc b.txt calib/f"),
        (("[ab].*", "calib/?"), ("b*",), "a.nc calib/f"),
        (("A.nc", "cali"), (), ""),
    ],
)
def test_patterns_are_about_names_below_the_folder(include: tuple[str, ...], exclude: tuple[str, ...], found: str) -> None:
    options = TransferOptions(recursive=True, include=include, exclude=exclude)
    assert [name for name in NAMES if is_selected(name, options)] == found.split()
    assert is_selective(options) == bool(include or exclude)


def tree() -> Listing:
    folders = {name: Entry(0, "1", is_folder=True) for name in ("", "2026", "2026/raw", "calib", "hollow")}
    return Listing("folder", folders | {name: Entry(1, "1") for name in NAMES}, root=folders[""])


def test_a_selection_has_the_folders_that_hold_it_and_no_empty_one() -> None:
    found = selected(tree(), TransferOptions(recursive=True, include=("2026/raw/*.nc",)))
    assert list(found.entries) == ["", "2026", "2026/raw", "2026/raw/d.nc"]
    assert found.root == tree().root
    assert "hollow" not in selected(tree(), TransferOptions(recursive=True, links="omit")).folders


def test_what_is_no_selection_stays_whole() -> None:
    assert selected(tree(), TransferOptions(recursive=True)) == tree()
    missing = Listing("missing")
    assert selected(missing, TransferOptions(recursive=True, include=("x",))) is missing
