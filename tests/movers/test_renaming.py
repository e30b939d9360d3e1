"""Names at both ends of a transfer with items."""

from __future__ import annotations

import pytest

from dtnctl.model.transfer_items import Item
from dtnctl.movers.base import Entry, Listing
from dtnctl.movers.renaming import by_source_names, by_target_names, refuse_items

ITEMS = (Item("run7/a", "new"), Item("calib/", "c/"))


def tree(**sizes: int) -> Listing:
    names = {name.replace("__", "/"): size for name, size in sizes.items()}
    return Listing("folder", {"": Entry(0, "1", is_folder=True)} | {name: Entry(size, "1") for name, size in names.items()})


def test_what_is_at_the_destination_has_the_sources_names() -> None:
    there = by_source_names(tree(new=3, c__x=4, other=5, calib__x=6), ["run7/a", "calib/x", "calib/y"], ITEMS)
    assert there.files == {"calib/x": 4, "run7/a": 3}
    assert there.folders == {""}


def test_what_is_not_there_or_has_no_items_stays_as_it_is() -> None:
    missing = Listing("missing")
    assert by_source_names(missing, ["run7/a"], ITEMS) is missing
    assert by_source_names(tree(x=1), ["x"], ()) == tree(x=1)
    assert by_source_names(Listing("folder"), ["run7/a"], ITEMS).entries == {}
    assert by_target_names(tree(x=1), ()) == tree(x=1)


def test_what_is_copied_has_the_destinations_names() -> None:
    assert by_target_names(tree(run7__a=3, calib__x=4), ITEMS).files == {"c/x": 4, "new": 3}


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (ITEMS, ""),
        ((*ITEMS, Item("run7", "x")), "`items`: `run7` chooses no file below /data/ on a that no item before it has; a folder ends in /"),
        ((*ITEMS, Item("p", "p"), Item("", "", "q*")), "`items`: `p` (and 1 more item) chooses no file"),
        ((Item("run7/a", "c/x"), Item("calib/", "c/")), "`items`: 'calib/x' and 'run7/a' would both be written to 'c/x'"),
        ((Item("run7/a", "c"), Item("calib/", "c/")), "`items`: 'run7/a' would be written to 'c', which is a folder for 'calib/x'"),
    ],
)
def test_items_that_write_over_each_other_or_choose_nothing_are_refused(items: tuple[Item, ...], reason: str) -> None:
    found = refuse_items(tree(run7__a=3, calib__x=4), items, "/data/ on a")
    assert found.startswith(reason)
    assert bool(found) == bool(reason)
