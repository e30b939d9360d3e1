"""Samples are made from the job's log with the engine's times when the result is recorded, whoever watched, and kept beside the log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dtnctl.errors import TransferError
from dtnctl.model.resources import ledger_name
from dtnctl.model.samples import samples_path
from dtnctl.providers.base import FileEntry
from dtnctl.runtime.transfers.samples import read_samples, samples_of
from tests.fakes.engine import Fault
from tests.runtime.transfers.transfer_world import HERE, SITE, TRANSFER, TransferWorld, transfer_world


@pytest.fixture
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as world:
        world.files(HERE).write("/data/in", b"content")
        yield world


def ran(scene: TransferWorld) -> None:
    """The transfer ran, and no dtnctl watched it."""
    scene.start()
    scene.engines[HERE].wait(f"{SITE}.{TRANSFER}.g1a1", 10.0)
    scene.finish(wait=False)


def test_a_transfer_that_no_run_watched_has_samples(scene: TransferWorld) -> None:
    ran(scene)
    attempt, samples = samples_of(scene.engines[HERE], SITE, TRANSFER, 1)
    assert attempt.verdict == "succeeded"
    assert samples[-1].bytes == attempt.bytes
    assert all(sample.seconds > 0 for sample in samples)


def test_a_running_one_has_those_of_its_log_so_far(scene: TransferWorld) -> None:
    scene.copy.hold = threading.Event()
    scene.start()
    scene.copy.started.wait(60)
    samples = samples_of(scene.engines[HERE], SITE, TRANSFER, 1)[1]
    while not samples:
        samples = samples_of(scene.engines[HERE], SITE, TRANSFER, 1)[1]
    assert samples[-1].bytes > 0


def test_one_that_has_not_run_says_so(scene: TransferWorld) -> None:
    with pytest.raises(TransferError, match="has not run: there are no samples"):
        samples_of(scene.engines[HERE], SITE, TRANSFER, 1)


def test_a_log_that_the_engine_cannot_show_costs_the_samples_and_not_the_receipt(scene: TransferWorld) -> None:
    scene.start()
    scene.engines[HERE].wait(f"{SITE}.{TRANSFER}.g1a1", 10.0)
    scene.world.plan_faults(Fault("status", match="GET /containers/*/logs", endpoint=HERE, nth=0))
    assert scene.finish(wait=False).verdict == "succeeded"
    assert samples_of(scene.engines[HERE], SITE, TRANSFER, 1)[1] == ()


def test_a_file_that_holds_no_samples_counts_as_none(scene: TransferWorld) -> None:
    ran(scene)
    (record,) = scene.records()
    scene.engines[HERE].write_files(ledger_name(SITE), (FileEntry(samples_path(record.key), b"{}"),))
    assert read_samples(scene.engines[HERE], SITE, record) == ()
    assert read_samples(scene.engines[HERE], SITE, replace(record, attempt=7)) == ()
