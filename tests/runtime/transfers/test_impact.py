"""How far a running transfer is that a plan is about: read from its job's log, and left out where that cannot be read."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dtnctl.model.impact import Cut
from dtnctl.model.plan import Cause, Change, Plan
from dtnctl.model.resources import Snapshot, Wanted
from dtnctl.runtime.transfers.impact import read_progress
from tests.fakes.engine import Fault
from tests.runtime.transfers.transfer_world import HERE, TRANSFER, TransferWorld, transfer_world

CONTENT = b"content" * 1000


@pytest.fixture
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as world:
        world.files(HERE).write("/data/in", CONTENT)
        yield world


def about(*transfers: str) -> Plan:
    cuts = tuple(Cut(name, HERE, is_resumable=False) for name in transfers)
    return Plan("lab", (Change("replace", "session", "s", HERE, Cause("x"), "x", cuts=cuts),), (), ())


def snapshot(scene: TransferWorld) -> Snapshot:
    return Snapshot({HERE: scene.engines[HERE].observe(Wanted())})


def held(scene: TransferWorld) -> None:
    """The copy runs, and stands still."""
    scene.copy.hold = threading.Event()
    scene.start()
    scene.copy.started.wait(60)


def test_a_running_transfer_has_its_bytes_and_the_total(scene: TransferWorld) -> None:
    held(scene)
    found = read_progress(snapshot(scene), scene.engines, about(TRANSFER))
    while not found[TRANSFER].bytes:
        found = read_progress(snapshot(scene), scene.engines, about(TRANSFER))
    assert found[TRANSFER].total == len(CONTENT)
    assert found[TRANSFER].percent is not None


def test_of_transfers_that_no_change_is_about_nothing_is_read(scene: TransferWorld) -> None:
    held(scene)
    seen = snapshot(scene)
    scene.world.plan_faults(Fault("status", match="GET /containers/*/logs", endpoint=HERE, nth=0))
    assert read_progress(seen, scene.engines, about()) == {}


@pytest.mark.parametrize("call", ["GET /containers/*/logs", "GET /containers/*/archive"])
def test_what_cannot_be_read_is_left_out(scene: TransferWorld, call: str) -> None:
    held(scene)
    seen = snapshot(scene)
    scene.world.plan_faults(Fault("status", match=call, endpoint=HERE, nth=0))
    assert read_progress(seen, scene.engines, about(TRANSFER)) == {}
