"""What bounds a transfer: the lowest of link, PCIe and drives at both ends, and nothing where agents do not report it."""

from __future__ import annotations

import pytest

from dtnctl.model.resources import Snapshot
from dtnctl.planning.doctor.bounds import Bound, lowest_bounds
from dtnctl.planning.report import transfer_rows
from dtnctl.planning.resolve import resolve_transfers
from tests.planning.building import NOW
from tests.planning.doctor.hosts import Data, item
from tests.planning.doctor.scene import Scene

GIGABIT = 10**9 / 8


def bound(scene: Scene, snapshot: Snapshot | None = None) -> Bound | None:
    transfers = resolve_transfers(scene.site, NOW)
    return lowest_bounds(scene.site, snapshot or scene.snapshot(), transfers, NOW).get("t")


def link(data: Data, speed: int | None) -> None:
    item(data, "interfaces", "ens1f0")["speed"] = speed


def test_a_link_bounds_what_its_slot_and_its_drives_can_do_more_than() -> None:
    scene = Scene()
    assert scene.b is not None
    link(scene.b, 10_000)
    assert bound(scene) == Bound("link ens1f0 of b", 10 * GIGABIT)


def test_a_slot_that_is_too_narrow_bounds_the_link() -> None:
    scene = Scene()
    assert scene.a is not None
    item(scene.a, "interfaces", "ens1f0")["pcie"] |= {"speed": 8.0, "width": 8}
    found = bound(scene)
    assert found is not None
    assert found.what == "PCIe of ens1f0 of a"
    assert 56 * GIGABIT < found.rate < 58 * GIGABIT


def test_drives_bound_what_reads_and_writes_below_their_mount() -> None:
    scene = Scene()
    assert scene.a is not None
    for disk in scene.a["facts"]["block_devices"]:
        if disk["name"].startswith("nvme"):
            disk["pcie"] |= {"speed": 8.0, "width": 1}
    found = bound(scene)
    assert found is not None
    assert found.what == "disks of /nvme of a"
    scene.files["transfers/t"] = "from: a:/tmp/x\nto: b:/data/x\ntool: gridftp\n"
    assert bound(scene) == Bound("link ens1f0 of a", 100 * GIGABIT)


def test_drives_without_a_link_of_their_own_bound_nothing() -> None:
    scene = Scene()
    assert scene.a is not None
    for disk in scene.a["facts"]["block_devices"]:
        if disk["name"].startswith("nvme"):
            disk["pcie"] = None
    assert bound(scene) == Bound("link ens1f0 of a", 100 * GIGABIT)


@pytest.mark.parametrize("ends", ["a", "ab"])
def test_an_end_without_an_agent_bounds_nothing(ends: str) -> None:
    scene = Scene()
    assert scene.b is not None
    scene.a = None
    link(scene.b, 10_000)
    if "b" in ends:
        scene.b = None
    assert bound(scene) == (None if "b" in ends else Bound("link ens1f0 of b", 10 * GIGABIT))


def test_of_several_cards_nothing_says_which_one_carries_it() -> None:
    scene = Scene()
    scene.files["profiles/p"] = 'mgmt_net: host\nvolumes: ["/nvme/data:/data"]\n'
    for data in (scene.a, scene.b):
        assert data is not None
        data["facts"]["block_devices"] = []
    assert bound(scene) is None


def test_a_link_whose_speed_and_slot_are_not_known_bounds_nothing() -> None:
    scene = Scene()
    for data in (scene.a, scene.b):
        assert data is not None
        link(data, None)
        data["facts"]["block_devices"] = []
    assert bound(scene) is None
    for data in (scene.a, scene.b):
        assert data is not None
        link(data, 25_000)
        item(data, "interfaces", "ens1f0")["pcie"] = None
    assert bound(scene) == Bound("link ens1f0 of a", 25 * GIGABIT)


def test_lists_have_the_bound_of_each_transfer() -> None:
    scene = Scene()
    assert scene.a is not None
    link(scene.a, 10_000)
    (row,) = transfer_rows(scene.site, scene.snapshot(), NOW)
    assert (row.limit, row.limit_bytes_per_second) == ("link ens1f0 of a", 10 * GIGABIT)
