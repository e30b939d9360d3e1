"""The hand over the record's folder: made once, ours, over the right folder; its loss loses no record."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dtnctl.errors import TransferError
from dtnctl.model.ledger import Attempt, LedgerSeen
from dtnctl.model.resources import LABEL_KIND, LABEL_SELF, Wanted, ledger_name
from dtnctl.runtime.transfers.record import ensure_ledger, read_ledger, read_record, read_stored_log, write_record
from tests.fakes.engine import Fault
from tests.runtime.transfers.transfer_world import FOLDER, HERE, SITE, THERE, TransferWorld, transfer_world

NAME = ledger_name(SITE)
CLAIM = Attempt("run", 1, 1, "c0ffee", "2026-11-22T10:00:00Z")


@pytest.fixture
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as scene:
        yield scene


def test_it_is_ours_and_never_runs(scene: TransferWorld) -> None:
    seen = scene.engines[HERE].inspect(NAME)
    assert (seen.labels[LABEL_KIND], seen.labels[LABEL_SELF], seen.state) == ("ledger", f"{HERE}/{NAME}", "created")


def test_making_it_again_changes_nothing(scene: TransferWorld) -> None:
    before = scene.engines[HERE].inspect(NAME).id
    ensure_ledger(scene.engines[HERE], SITE, FOLDER)
    assert scene.engines[HERE].inspect(NAME).id == before


def test_records_survive_its_removal(scene: TransferWorld) -> None:
    write_record(scene.engines[HERE], SITE, CLAIM, b"log\n")
    scene.engines[HERE].remove(NAME)
    assert read_ledger(scene.engines[HERE], SITE) == LedgerSeen(readable=False)
    ensure_ledger(scene.engines[HERE], SITE, FOLDER)
    assert read_ledger(scene.engines[HERE], SITE) == LedgerSeen(True, (CLAIM,))
    assert read_stored_log(scene.engines[HERE], SITE, CLAIM) == b"log\n"


def test_one_over_another_folder_is_replaced(scene: TransferWorld) -> None:
    before = scene.engines[HERE].inspect(NAME).id
    ensure_ledger(scene.engines[HERE], SITE, "/var/lib/dtnctl/elsewhere")
    after = scene.engines[HERE].inspect(NAME)
    assert after.id != before
    assert any(mount.source == "/var/lib/dtnctl/elsewhere" for mount in after.spec.mounts)


def test_a_strangers_container_of_that_name_is_refused_and_stays(scene: TransferWorld) -> None:
    stranger = scene.engines[THERE].store.claim(NAME, ())
    with pytest.raises(TransferError, match=r"the name lab\.control\.ledger on dtn2 is taken by a container that is not ours"):
        ensure_ledger(scene.engines[THERE], SITE, FOLDER)
    assert scene.engines[THERE].inspect(NAME).id == stranger


def test_an_empty_ledger_is_readable(scene: TransferWorld) -> None:
    assert read_ledger(scene.engines[HERE], SITE) == LedgerSeen(readable=True)
    assert read_record(scene.engines[HERE], SITE, "run", 1, 1) is None
    assert read_stored_log(scene.engines[HERE], SITE, CLAIM) == b""


def test_without_the_hand_no_record_is_not_no_record(scene: TransferWorld) -> None:
    assert read_ledger(scene.engines[THERE], SITE) == LedgerSeen(readable=False)
    with pytest.raises(TransferError, match="cannot be read"):
        read_record(scene.engines[THERE], SITE, "run", 1, 1)


def test_a_record_that_cannot_be_written_is_an_error(scene: TransferWorld) -> None:
    scene.world.plan_faults(Fault("status", match=f"PUT /containers/{NAME}/archive", status=500, message="no space left on device"))
    with pytest.raises(TransferError, match=r"the record of run on dtn1 cannot be written: .*no space left on device"):
        write_record(scene.engines[HERE], SITE, CLAIM)
    assert read_record(scene.engines[HERE], SITE, "run", 1, 1) is None


def test_records_are_seen_the_same_by_the_providers_observation(scene: TransferWorld) -> None:
    write_record(scene.engines[HERE], SITE, CLAIM)
    assert scene.engines[HERE].observe(Wanted(ledger=True)).ledger == read_ledger(scene.engines[HERE], SITE)
